"""The recipes of `minigan data make`, and what runs one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from minigan.data.make.avatars import DICEBEAR, dicebear, make_avatars
from minigan.data.make.chorales import MUSIC21, make_chorales
from minigan.data.make.emoji import GOOGLE, TWITTER, make_pairs, make_tones
from minigan.data.make.packages import Files, Package, Say, files_of
from minigan.data.make.robots import ROBOHASH, make_robots
from minigan.data.make.sketch import OPENMOJI, make_sketches
from minigan.data.make.speech import PROMPTS, make_speech
from minigan.data.make.svg import renderer
from minigan.data.make.writing import Writer
from minigan.errors import OptionError, UnknownNameError
from minigan.wording import counted

Build = Callable[[dict[Package, Files], Writer, int], None]


class Recipe(NamedTuple):
    """A data set by name: a line that says what it is, its packages, and what writes it.

    tools: what it runs, each raising DataError where that is not installed. changed: what was done
    to the pictures, for the notice; None says that they were resized, and that it takes a size.
    """

    summary: str
    packages: tuple[Package, ...]
    build: Build
    use: str
    tools: tuple[Callable[[], object], ...] = ()
    changed: str | None = None

    @property
    def sized(self) -> bool:
        """Whether its pictures have a size to ask for."""
        return self.changed is None


RECIPES: dict[str, Recipe] = {
    "emoji": Recipe(
        "emoji by Google and by Twitter, aligned, with captions",
        (GOOGLE, TWITTER),
        make_pairs,
        "minigan train pix2pix",
    ),
    "emoji-tones": Recipe(
        "Google's hands and people in five skin tones, with landmarks and known truth",
        (GOOGLE,),
        make_tones,
        "minigan train pairedcyclegan",
    ),
    "robots": Recipe(
        "blue and orange robots, whose hidden pairs are known",
        (ROBOHASH,),
        make_robots,
        "minigan train cyclegan",
    ),
    "makeup": Recipe(
        "drawn faces, bare and in twelve styles; needs pip install dicebear-core resvg-py",
        (DICEBEAR,),
        make_avatars,
        "minigan train pairedcyclegan",
        (dicebear, renderer),
    ),
    "sketch": Recipe(
        "line art and the same in colour; needs pip install resvg-py",
        (OPENMOJI,),
        make_sketches,
        "minigan train pix2pix",
        (renderer,),
    ),
    "chorales": Recipe(
        "Bach's chorales: melodies in bars of 4/4, and a chord for each bar",
        (MUSIC21,),
        make_chorales,
        "minigan train midinet",
        changed="the soprano in sixteenths, a major or minor triad for each bar of the others",
    ),
    "speech": Recipe(
        "prompts of a telephone exchange, clean speech by one voice, 8,000 samples a second",
        (PROMPTS,),
        make_speech,
        "minigan train segan",
        changed="prompts without sound left out; the others as they are",
    ),
}


def make(
    name: str,
    out: Path,
    *,
    size: int = 64,
    places: Iterable[Path] = (),
    say: Say = print,
) -> str:
    """Write the data set of that name into `out`; returns what is there.

    size    side of the pictures
    places  archives or unpacked folders of the recipe's packages, in its order; those that are not
            given are looked for, and downloaded where they are not found (packages.py)

    Raises UnknownNameError, OptionError for a size or for a folder that holds something, DataError
    for packages that cannot be had and tools that are missing.
    """
    if name not in RECIPES:
        raise UnknownNameError("recipe", name, RECIPES)
    recipe, given = RECIPES[name], list(places)
    if not 8 <= size <= 1024:
        raise OptionError(f"--size {size}: give 8 to 1024 pixels")
    if len(given) > len(recipe.packages):
        wanted = ", ".join(map(str, recipe.packages))
        raise OptionError(f"{len(given)} times --from: {name} is made of {wanted}")
    writer = Writer(out)
    for tool in recipe.tools:  # before anything is downloaded
        tool()
    files = {
        package: files_of(package, given[i] if i < len(given) else None, say=say)
        for i, package in enumerate(recipe.packages)
    }
    recipe.build(files, writer, size)
    what, _, _ = recipe.summary.partition(";")  # behind it stands what it needs
    changed = recipe.changed or f"resized to {size}x{size}, on white"
    writer.notice(f"{what}; changed: {changed}.", recipe.packages)
    counts = writer.counts.items()
    if not recipe.sized:
        found = ", ".join(f"{n} {things}" for things, n in counts)
        return f"{out}: {found}; {recipe.use} --data {out}"
    found = ", ".join(f"{counted(n, 'picture')} in {folder}" for folder, n in counts)
    return f"{out}: {found}; {recipe.use} --data {out} --size {size}"
