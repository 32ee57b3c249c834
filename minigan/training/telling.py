"""Runs on sentences: their data, sentences while it trains, and those of `minigan sample`.

A sheet is a page of sentences with some of the data's below; a .txt file with more lies beside it.
`minigan sample` writes such a page (.png), the sentences, a line each (.txt), or their tokens
(.npz: x (N, T)).
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from minigan.algorithms.sequence.seqgan import Options, SeqGAN
from minigan.backend import make_rng
from minigan.data import Sentences, open_sentences
from minigan.data.options import Split
from minigan.errors import OptionError
from minigan.ops.labels import multi_hot
from minigan.streams import Purpose
from minigan.training import best
from minigan.training.config import Config
from minigan.training.files import write_atomically
from minigan.training.pictures import Sheet, write_png
from minigan.wording import counted

SHOWN, REAL = 20, 5  # lines of a page
TOLD = 64  # lines of a file, and sentences that `sample` writes unless told
WIDEST = 110  # letters of a line
LINE, MARGIN, SIZE = 18, 10, 13  # pixels


def sentences_of(config: Config, data: str, split: Split) -> Sentences:
    """The run's sentences. Raises OptionError for what is asked of pictures."""
    run, options = config.run, config.options
    assert isinstance(options, Options)
    for name, given in (("--size", run.size), ("--channels", run.channels)):
        if given is not None:
            raise OptionError(f"{name} {given} is of pictures; how long sentences are is --length")
    return open_sentences(data, words=options.words, length=options.length, split=split)


def sheet(algorithm: SeqGAN, dataset: Sentences, *, seed: int) -> Sheet:
    """Sentences, and some of the data, always the same; more sentences in a file beside it."""
    made = algorithm.sample(TOLD, make_rng(seed, Purpose.PICTURES))
    real = dataset.draw(TOLD, make_rng(seed, Purpose.SHOWN)).x
    told = dataset.written(made)
    picture = page(told[:SHOWN], dataset.written(real)[:REAL], _width(dataset))
    files = {"{step}.txt": _lines(told)}
    counts = [dataset.words] * made.shape[1]
    of_made, of_real = (multi_hot(y, counts, np.float32) for y in (made, real))
    return Sheet(picture, of_made, of_real, files)


def page(made: Sequence[str], real: Sequence[str], letters: int) -> Image.Image:
    """Lines of sentences, and below them in grey those of the data; cut after so many letters."""
    font = ImageFont.load_default(SIZE)
    rows = [(text, "black") for text in made]
    rows += [("", "grey"), ("of the data:", "grey")] * bool(real)
    rows += [(text, "grey") for text in real]
    width = round(letters * SIZE * 0.56) + 2 * MARGIN
    image = Image.new("RGB", (width, len(rows) * LINE + 2 * MARGIN), "white")
    pen = ImageDraw.Draw(image)
    for i, (text, colour) in enumerate(rows):
        shown = text if len(text) <= letters else text[: letters - 3] + "..."
        pen.text((MARGIN, MARGIN + i * LINE), shown, fill=colour, font=font)
    return image


def write_sentences(
    config: Config,
    folder: Path,
    out: Path,
    *,
    n: int | None = None,
    seed: int = 0,
    step: int | str | None = None,
) -> str:
    """Write n sentences of the run in `folder`, 64 unless given, to `out`; says what was written.

    A file that is no .txt and no .npz is a picture. Raises CheckpointError.
    """
    from minigan.training.building import build_algorithm, dataset_of

    dataset = dataset_of(config.in_force())
    algorithm = build_algorithm(config, dataset).to(config.run.device)
    assert isinstance(algorithm, SeqGAN)
    assert isinstance(dataset, Sentences)
    stored = best.load(folder / "checkpoints", step)
    stored.restore(algorithm)
    n = TOLD if n is None else n
    x = algorithm.sample(n, make_rng(seed, Purpose.SAMPLES))
    told = dataset.written(x)
    if out.suffix.lower() == ".txt":
        write_atomically(out, _lines(told))
    elif out.suffix.lower() == ".npz":
        buffer = io.BytesIO()
        np.savez_compressed(buffer, x=x)
        write_atomically(out, buffer.getvalue())
    else:
        write_png(page(told, (), max(map(len, told))), out)
    return f"{counted(n, 'sentence')} after step {stored.step}: {out}"


def _lines(sentences: Sequence[str]) -> bytes:
    return "".join(f"{sentence}\n" for sentence in sentences).encode()


def _width(dataset: Sentences) -> int:
    """Letters of the longest of some sentences of the data; the same for all of a run's pages."""
    longest = max(map(len, dataset.written(dataset.tokens[:1000])))
    return min(WIDEST, max(40, longest))
