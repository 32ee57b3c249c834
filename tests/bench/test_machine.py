"""What a result says of where it was made."""

import re

from bench import machine
from minigan.instructions import VARIABLES


def test_the_machine_and_its_file_name():
    assert re.fullmatch(r".+, \d+ cores, \d+ GB", machine.machine())
    assert machine.slug("Intel(R) Xeon(R) Processor, 2 cores, 8 GB") == (
        "intel-xeon-processor-2-cores-8-gb"
    )


def test_the_versions(monkeypatch):
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    found = machine.versions()
    assert {"python", "minigan", "numpy", "scipy", "torch", "blas", "system"} == found.keys()
    assert found["blas"] != "unknown"
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    assert machine.versions() == found | {"ONEDNN_MAX_CPU_ISA": "AVX2"}


def test_the_date_is_in_utc():
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", machine.today())


def test_the_share_of_the_processors():
    share = machine.busy(0.05)
    assert share is None or 0 <= share <= 1
