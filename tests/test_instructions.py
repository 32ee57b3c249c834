"""What holds libraries to fewer instructions than the processor has is said."""

import pytest

from minigan.instructions import confined


def test_what_is_set_is_named() -> None:
    there = {"OPENBLAS_CORETYPE": "Haswell", "ONEDNN_MAX_CPU_ISA": "", "HOME": "/"}
    assert confined(there) == {"OPENBLAS_CORETYPE": "Haswell"}
    assert confined({}) == {}


def test_the_process_s_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATEN_CPU_CAPABILITY", "avx2")
    assert confined()["ATEN_CPU_CAPABILITY"] == "avx2"
