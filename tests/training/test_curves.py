"""curves.png: what belongs together, and that nothing that was logged is left out."""

from pathlib import Path

import pytest

from minigan.training import curves
from minigan.training.curves import PANELS, Panel, panels, write_curves


def test_groups_are_those_of_the_picture_of_curves() -> None:
    found = panels(["loss_D", "D(x)", "loss_G", "D(G(z))", "diversity", "fid.distance"])
    titles = {title for title, _, _ in PANELS}
    assert {found[0].title, found[1].title} <= titles
    assert [p.names for p in found] == [
        ("loss_D", "loss_G"),
        ("D(x)", "D(G(z))"),
        ("diversity",),
        ("fid.distance",),
    ]
    assert found[3] == Panel("fid.distance", ("fid.distance",), "linear")
    assert [p.scale for p in panels(["grad_norm_D"])] == ["log"]


def test_curves_of_two_runs_stand_apart() -> None:
    found = panels(["loss_D", "grad_norm_D", "loss_G", "new"], apart=True)
    assert {p.names for p in found} == {("loss_D",), ("loss_G",), ("grad_norm_D",), ("new",)}
    assert {p.title: p.scale for p in found}["grad_norm_D"] == "log"
    assert panels([]) == []


def test_what_was_logged_at_some_steps_only_is_drawn_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stage that ended, a term that is not due in every step, and names of no group."""
    drawn: list[tuple[str, ...]] = []

    def counted(names: object) -> list[Panel]:
        found = panels(names)  # type: ignore[arg-type]
        drawn.extend(p.names for p in found)
        return found

    monkeypatch.setattr(curves, "panels", counted)
    records = [
        {"step": 1, "loss_D1": 1.0, "path_length": 2.0, "seconds": 0.1},
        {"step": 2, "loss_D2": 1.0, "diversity": 0.5, "seconds": 0.2},
    ]
    write_curves(records, tmp_path / "curves.png")
    assert (tmp_path / "curves.png").exists()
    assert drawn == [("loss_D1", "loss_D2"), ("path_length",), ("diversity",)]
