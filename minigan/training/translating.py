"""Runs of translations: their pairs, and the sheet of inputs, outputs and truths."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
from PIL import Image

from minigan.algorithms.catalogue import recipe
from minigan.algorithms.pair_options import PairDataOptions
from minigan.algorithms.restoration.options import RestorationOptions
from minigan.algorithms.translation.base import Translating
from minigan.backend import Array, make_rng
from minigan.data import (
    Augmentation,
    Clips,
    Dataset,
    Pairs,
    Poses,
    References,
    open_clips,
    open_degraded,
    open_labelled_domains,
    open_pairs,
    open_poses,
    open_references,
)
from minigan.data.clips import apart
from minigan.data.options import Split
from minigan.prior import Prior
from minigan.streams import Purpose
from minigan.training.config import Config
from minigan.training.pictures import Sheet, beside, grid, plot_points
from minigan.training.pictures import pairs as pairs_of_pictures

SHOWN = 16  # pictures of each direction
CLIPS_SHOWN = 8
ENLARGED = 96  # pixels that small frames are enlarged towards
COLUMNS = 8
ANSWERED = 8  # pictures of each direction that are shown with many answers


# Of algorithms that take pairs of a kind of their own.
OPENERS: dict[str, Callable[..., Pairs]] = {
    "references": open_references,
    "labelled-domains": open_labelled_domains,
}


def pairs_of(config: Config, data: str, split: Split, aligned: bool | None = None) -> Pairs:
    """The run's pairs, aligned, degraded or of two domains: as its algorithm takes them.

    aligned: whether they shall be, where that is not for the algorithm to say.
    """
    run, options = config.run, config.options
    if isinstance(options, RestorationOptions):
        return open_degraded(
            data,
            options.degradation,
            size=run.picture_size,
            channels=run.channels,  # type: ignore[arg-type]  # checked by open_data
            split=split,
            strict=run.strict,
            augmentation=Augmentation(options.flip, options.jitter),
            **options.degraded_by,
        )
    takes = recipe(config.algorithm).takes
    if takes == "clips":
        return clips_of(config, data, split)
    if takes == "poses":
        return poses_of(config, data, split)
    assert isinstance(options, PairDataOptions)
    if aligned is None:
        aligned = takes == "pairs"
    opened = OPENERS.get(takes) or partial(open_pairs, aligned=aligned)
    return opened(
        data,
        size=run.picture_size,
        channels=(options.x_channels or run.channels, options.y_channels or run.channels),
        split=split,
        strict=run.strict,
        direction=options.direction,
        augmentation=Augmentation(options.flip, options.jitter),
    )


def clips_of(config: Config, data: str, split: Split) -> Clips:
    """The run's clips, by as many frames as its options say."""
    run, options = config.run, config.options
    return open_clips(
        data,
        frames=options.frames,
        size=run.picture_size,
        channels=run.channels,  # type: ignore[arg-type]  # checked by open_clips
        split=split,
        strict=run.strict,
        augmentation=Augmentation(options.flip, options.jitter),
    )


def poses_of(config: Config, data: str, split: Split) -> Poses:
    """The run's persons in two poses."""
    run, options = config.run, config.options
    return open_poses(
        data,
        size=run.picture_size,
        channels=run.channels,  # type: ignore[arg-type]  # checked by open_poses
        split=split,
        strict=run.strict,
        augmentation=Augmentation(options.flip, options.jitter),
    )


Part = tuple[Array | None, ...]  # SHOWN pictures of each kind, above one another; None: not known


def sheet(algorithm: Translating, pairs: Pairs, *, seed: int) -> Sheet:
    """Rows of x, of G(x) and of the true y; with an F, also rows of y, of F(y) and of the true x.

    With references rows of x, y, G(x, y) and the truth, then of y, F(y) and the truth. Where G
    takes a z, each row shows an x, its y and then G(x, z), the same z in all rows of a column. Of
    clips each row has the frames x, G(x) and the true y. The pairs are always the same. Where
    nobody knows any that belong together, no truth is shown.
    """
    if isinstance(pairs, Clips):
        return _of_clips(algorithm, pairs, seed)
    if algorithm.prior is not None:
        return _of_answers(algorithm, algorithm.prior, pairs, seed)
    if isinstance(pairs, References):
        parts, made, real = _of_references(algorithm, pairs, seed)
    else:
        parts, made, real = _of_pairs(algorithm, pairs, seed)
    rows = []
    for part in parts:
        known = [pictures for pictures in part if pictures is not None]
        for i in range(0, SHOWN, COLUMNS):
            rows += [_coloured(pictures[i : i + COLUMNS]) for pictures in known]
    return Sheet(grid(np.concatenate(rows), columns=COLUMNS), made, real)


def _of_answers(algorithm: Translating, prior: Prior, pairs: Pairs, seed: int) -> Sheet:
    """Rows of a picture, its truth if that is known, and answers; then the way back."""
    rng = make_rng(seed, Purpose.SHOWN)
    matched = pairs.matched(ANSWERED, rng)
    x, y = pairs.split((matched or pairs.draw(ANSWERED, rng)).x)
    rng = make_rng(seed, Purpose.PICTURES)
    n = COLUMNS - (2 if matched else 1)
    zs = np.repeat(prior.draw(n, rng)[:, None], ANSWERED, 1)  # (n, pictures, numbers)
    rows, first = [], None
    for name, source, truth in (("G", x, y), ("F", y, x)):
        if name not in algorithm.translators:
            continue
        made = [algorithm.translate(source, rng, name=name, z=z) for z in zs]
        first = made[0] if first is None else first
        shown = [source, *([truth] if matched else []), *made]
        rows.append(np.stack([_coloured(pictures) for pictures in shown], 1))
    assert first is not None
    flat = np.concatenate([row.reshape(-1, *row.shape[2:]) for row in rows])
    return Sheet(grid(flat, columns=COLUMNS), first, y)


def _of_pairs(algorithm: Translating, pairs: Pairs, seed: int) -> tuple[list[Part], Array, Array]:
    """The parts of a sheet, what G made, and the pictures of y."""
    rng = make_rng(seed, Purpose.SHOWN)
    matched = pairs.matched(SHOWN, rng)
    x, y = pairs.split((matched or pairs.draw(SHOWN, rng)).x)
    made = algorithm.translate(x, make_rng(seed, Purpose.PICTURES))
    parts: list[Part] = [(pairs.shown(x), made, y if matched else None)]
    if "F" in algorithm.translators:
        back = algorithm.translate(y, make_rng(seed, Purpose.PICTURES), name="F")
        parts.append((y, back, x if matched else None))
    return parts, made, y


def _of_clips(algorithm: Translating, clips: Clips, seed: int) -> Sheet:
    """A row for each of half as many examples: their frames, the prediction, the truth."""
    x, y = clips.split(clips.telling(CLIPS_SHOWN, make_rng(seed, Purpose.SHOWN)))
    made = algorithm.translate(x, make_rng(seed, Purpose.PICTURES))
    return Sheet(predicted_beside(x, {"predicted": made, "true": y}), made, y)


def predicted_beside(x: Array, nexts: Mapping[str, Array]) -> Image.Image:
    """A row for each example: its frames x, then other frames under their titles.

    x (N, H, W, m C), the others (N, H, W, C).
    """
    h, w, channels = next(iter(nexts.values())).shape[1:]
    frames = apart(x, channels)
    factor = max(1, round(ENLARGED / w))
    last = grid(frames.reshape(-1, h, w, channels), columns=frames.shape[1], factor=factor)
    columns = {title: grid(y, columns=1, factor=factor) for title, y in nexts.items()}
    return beside({"the last frames": last, **columns})


def _of_references(
    algorithm: Translating, pairs: References, seed: int
) -> tuple[list[Part], Array, Array]:
    """The parts of a sheet, what G made, and the pictures of y."""
    rng = make_rng(seed, Purpose.SHOWN)
    known = pairs.known(SHOWN, rng)
    x, y = known[:2] if known else pairs.split(pairs.draw(SHOWN, rng).x)
    made = algorithm.translate(np.concatenate([x, y], -1), make_rng(seed, Purpose.PICTURES))
    bare = algorithm.translate(y, make_rng(seed, Purpose.PICTURES), name="F")
    applied, removed = (known.applied, known.removed) if known else (None, None)
    return [(x, y, made, applied), (y, bare, removed)], made, y


def picture_of(
    dataset: Dataset, x: Array, real: Array, *, columns: int | None = None
) -> Image.Image:
    """Samples of any kind: a grid, pictures of one domain above those of the other, or points
    over `real` ones."""
    if isinstance(dataset, Pairs):
        first, second = (_coloured(side) for side in dataset.split(x))
        return pairs_of_pictures(first, second, columns=columns or COLUMNS)
    if dataset.kind == "image":
        return grid(x, columns=columns)
    return plot_points(x, real)


def _coloured(x: Array) -> Array:
    """Grey pictures with three channels, to stand beside others."""
    return np.repeat(x, 3, -1) if x.shape[-1] == 1 else x
