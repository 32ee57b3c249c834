"""How things are counted in words."""

import pytest

from minigan.wording import counted


@pytest.mark.parametrize(
    ("n", "words"), [(0, "0 steps"), (1, "1 step"), (2, "2 steps"), (1000, "1000 steps")]
)
def test_one_has_no_s(n: int, words: str) -> None:
    assert counted(n, "step") == words
