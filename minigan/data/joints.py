r"""Joints of a person, and what PG2 makes of them: heat maps, and a mask of the body.

Joints are float (N, 18, 2), x to the right and y down, as shares of the width and the height; a
joint that nobody sees is NaN. They are the eighteen of the pose estimator of Cao et al. 2017,
arXiv:1611.08050, in its order; right and left are the person's own.

    maps   (N, H, W, 18): 1 within a radius of a joint, 0 elsewhere; all 0 of a joint not seen
    mask   (N, H, W, 1): 1 on the body, 0 elsewhere: joints are connected to a skeleton, which is
           dilated by the same radius; then holes are closed (a dilation and an erosion by a square)

after Ma et al. 2017, arXiv:1705.09368, section 3.1, whose radius is 4 pixels of pictures of
128x64. Ours is as large a share of the longer side; so is the square, which the authors' code has
as 5x5, but 3x3 at least. Which joints are connected is from that code too.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import maximum_filter, minimum_filter

NAMES = (
    *("nose", "neck"),
    *("right_shoulder", "right_elbow", "right_wrist"),
    *("left_shoulder", "left_elbow", "left_wrist"),
    *("right_hip", "right_knee", "right_ankle"),
    *("left_hip", "left_knee", "left_ankle"),
    *("right_eye", "left_eye", "right_ear", "left_ear"),
)
JOINTS = len(NAMES)
INDEX = {name: i for i, name in enumerate(NAMES)}


def _other_side(name: str) -> str:
    """The same joint of the other side; nose and neck have one."""
    side, _, rest = name.partition("_")
    return {"right": "left_", "left": "right_"}[side] + rest if rest else name


MIRRORED = np.array([INDEX[_other_side(name)] for name in NAMES])

LIMBS = tuple(
    (INDEX[a], INDEX[b])
    for a, b in (
        *(("nose", "neck"), ("nose", "right_eye"), ("nose", "left_eye")),
        *(("right_eye", "right_ear"), ("left_eye", "left_ear"), ("right_ear", "left_ear")),
        *(("neck", "right_ear"), ("neck", "left_ear")),
        *(("neck", "right_shoulder"), ("right_shoulder", "right_elbow")),
        ("right_elbow", "right_wrist"),
        *(("neck", "left_shoulder"), ("left_shoulder", "left_elbow"), ("left_elbow", "left_wrist")),
        *(("neck", "right_hip"), ("right_hip", "right_knee"), ("right_knee", "right_ankle")),
        *(("neck", "left_hip"), ("left_hip", "left_knee"), ("left_knee", "left_ankle")),
        *(("right_shoulder", "right_hip"), ("left_shoulder", "left_hip")),
        ("right_hip", "left_hip"),
    )
)
RADIUS, SQUARE, OF = 4, 5, 128  # pixels of the longer side of the paper's pictures


def radius(size: tuple[int, int]) -> int:
    """Of the disc around a joint in pictures (H, W), in pixels: 1 or more."""
    return max(1, round(RADIUS * max(size) / OF))


def maps(joints: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Heat maps float32 (N, H, W, 18) of joints (N, 18, 2), as above."""
    rows, columns = _grid(size)
    y, x = _pixels(joints, size)
    apart = np.hypot(columns - x[:, None, None], rows - y[:, None, None])
    return (apart <= radius(size)).astype(np.float32)  # never of NaN


def mask(joints: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Where the body is, float32 (N, H, W, 1), of joints (N, 18, 2), as above."""
    rows, columns = _grid(size)
    body = np.zeros((len(joints), *size), bool)
    y, x = (places[:, None, None] for places in _pixels(joints, size))
    reach = radius(size)
    for a, b in LIMBS:
        apart = distance(columns[..., 0], rows[..., 0], x, y, a, b)
        body |= apart <= reach
    side = max(3, round(SQUARE * max(size) / OF) | 1)
    wide = maximum_filter(body, (1, side, side), mode="nearest")
    closed = minimum_filter(wide, (1, side, side), mode="nearest")
    return closed[..., None].astype(np.float32)


def distance(
    columns: np.ndarray, rows: np.ndarray, x: np.ndarray, y: np.ndarray, a: int, b: int
) -> np.ndarray:
    """From places to the line between joints a and b of (N, 1, 1, 18): (N, H, W); NaN unseen."""
    across, down = x[..., b] - x[..., a], y[..., b] - y[..., a]
    right, below = columns - x[..., a], rows - y[..., a]
    length = np.maximum(across * across + down * down, 1e-12)
    share = np.clip((right * across + below * down) / length, 0, 1)
    return np.hypot(right - share * across, below - share * down)


def centres(heat: np.ndarray) -> np.ndarray:
    """Joints (N, 18, 2) of heat maps (N, H, W, 18): the mean of each one's places; NaN of none."""
    h, w = heat.shape[1:3]
    rows, columns = _grid((h, w))
    there = heat.astype(np.float64)
    weight = there.sum((1, 2))
    with np.errstate(invalid="ignore", divide="ignore"):
        x = (there * (columns + 0.5)).sum((1, 2)) / weight / w
        y = (there * (rows + 0.5)).sum((1, 2)) / weight / h
    return np.stack([x, y], -1)


def drawn(joints: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Skeletons in colour on black, float32 (N, H, W, 3) in [-1, 1]: blue right, orange left."""
    rows, columns = (grid[..., 0] for grid in _grid(size))
    y, x = ((places * side - 0.5)[:, None, None] for places, side in _axes(joints, size))
    picture = np.full((len(joints), *size, 3), -1.0, np.float32)
    half = max(size) / 100
    for a, b in LIMBS:
        names = NAMES[a] + NAMES[b]
        colour = COLOURS[("left" in names) - ("right" in names)]
        share = np.clip(0.5 + half - distance(columns, rows, x, y, a, b), 0, 1)
        share = np.nan_to_num(share)[..., None].astype(np.float32)
        picture += share * (np.array(colour, np.float32) - picture)
    return picture


COLOURS = {-1: (-0.4, 0.2, 1.0), 0: (0.6, 0.6, 0.6), 1: (1.0, 0.3, -0.6)}


def _grid(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Row and column of each pixel, (H, 1, 1) and (1, W, 1)."""
    h, w = size
    return np.arange(h)[:, None, None], np.arange(w)[None, :, None]


def _axes(joints: np.ndarray, size: tuple[int, int]) -> tuple[tuple[np.ndarray, int], ...]:
    """Shares (N, 18) of the height and of the width, with these."""
    return (joints[..., 1], size[0]), (joints[..., 0], size[1])


def _pixels(joints: np.ndarray, size: tuple[int, int]) -> list[np.ndarray]:
    """Row and column (N, 18) of the pixel that each joint is in."""
    return [np.floor(shares * side) for shares, side in _axes(joints, size)]
