"""The picture of persons in poses: person, pose, what each stage makes of both, and the truth."""

from __future__ import annotations

from collections.abc import Mapping

from PIL import Image

from minigan.algorithms.translation.pg2 import PG2
from minigan.backend import Array, make_rng
from minigan.data import Poses
from minigan.data.joints import centres, drawn
from minigan.streams import Purpose
from minigan.training.pictures import Sheet, beside, grid
from minigan.training.translating import ENLARGED

ROWS = 8


def sheet(algorithm: PG2, poses: Poses, *, seed: int) -> Sheet:
    """The sheet above, always of the same persons and poses."""
    x, y = poses.split(poses.draw(ROWS, make_rng(seed, Purpose.SHOWN)).x)
    made = algorithm.stages(x, make_rng(seed, Purpose.PICTURES))
    *_, last = made.values()
    return Sheet(posed_beside(poses.unchanged(x), poses.posed(x), made, y), last, y)


def posed_beside(a: Array, heat: Array, made: Mapping[str, Array], y: Array) -> Image.Image:
    """A row for each person: I_A, the pose of heat maps P_B as a skeleton, pictures, and the truth.

    Pictures (N, H, W, C), heat maps (N, H, W, 18); made: by the stages that made them.
    """
    h, w = y.shape[1:3]
    factor = max(1, round(ENLARGED / w))
    skeletons = drawn(centres(heat), (h * factor, w * factor))
    pictures = {"person": a, **{f"stage {name}": found for name, found in made.items()}, "truth": y}
    columns = {title: grid(found, columns=1, factor=factor) for title, found in pictures.items()}
    pose = grid(skeletons, columns=1, gap=2 * factor, factor=1)
    return beside({"person": columns.pop("person"), "pose": pose, **columns})
