"""The text that a compiler is given: each header once, in its place, and lines that say whence."""

import pytest

from minigan.cuda import sources
from minigan.errors import KernelError


@pytest.fixture
def kernels(tmp_path, monkeypatch):
    (tmp_path / "a.cuh").write_text("#pragma once\nint a;\n")
    (tmp_path / "b.cuh").write_text('#pragma once\n#include "a.cuh"\nint b;\n')
    (tmp_path / "k.cu").write_text('// k\n#include "a.cuh"\n#include "b.cuh"\nint k;\n')
    (tmp_path / "bad.cu").write_text('#include "gone.cuh"\n')
    monkeypatch.setattr(sources, "folder", lambda: tmp_path)
    sources.source.cache_clear()
    yield
    sources.source.cache_clear()


@pytest.mark.usefixtures("kernels")
def test_each_header_stands_once_where_it_was_first_included():
    lines = sources.source("k").splitlines()
    assert [line for line in lines if line.startswith("int")] == ["int a;", "int b;", "int k;"]
    assert not any(line.startswith(("#include", "#pragma once")) for line in lines)


@pytest.mark.usefixtures("kernels")
def test_a_compiler_names_the_line_of_the_file_that_it_came_from():
    file, number, found = "", 0, {}
    for line in sources.source("k").splitlines():
        if line.startswith("#line"):
            _, text, name = line.split()
            file, number = name.strip('"'), int(text)
            continue
        found[line] = (file, number)
        number += 1
    assert found["int a;"] == ("a.cuh", 2)
    assert found["int b;"] == ("b.cuh", 3)
    assert found["int k;"] == ("k.cu", 4)


@pytest.mark.usefixtures("kernels")
def test_what_is_missing_is_named():
    with pytest.raises(KernelError, match=r"no kernels/other\.cu; there are: bad, k"):
        sources.source("other")
    with pytest.raises(KernelError, match=r"kernels/gone\.cuh is missing"):
        sources.source("bad")


def test_every_kernel_file_is_complete():
    assert "activation" in sources.families()
    for family in sources.families():
        text = sources.source(family)
        assert '#include "' not in text
        assert "__global__" in text
