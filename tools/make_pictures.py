"""The pictures of the pages of systems: the last sheet of samples of each page's command.

    python tools/make_pictures.py [NAME ...] [--out docs/systems]

NAME is a page's, gan or stylegan; all of them unless given. A page without its picture is done
first. What each took is printed.
"""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

PAGES = Path(__file__).parents[1] / "docs" / "systems"
COMMAND = re.compile(r"^\$ minigan (train .*)$", re.MULTILINE)


def make(name: str, out: Path) -> float:
    """Train what the page's first command says; returns the seconds that it took."""
    command = COMMAND.search((PAGES / f"{name}.md").read_text(encoding="utf-8"))
    if command is None:
        raise SystemExit(f"{name}.md has no `$ minigan train` line")
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder) / "run"
        start = time.monotonic()
        arguments = [*shlex.split(command[1]), "--sample-every", "1000000", "--out", str(run)]
        subprocess.run([sys.executable, "-m", "minigan", *arguments], check=True)
        seconds = time.monotonic() - start
        shutil.copy(max((run / "samples").glob("step_*.png")), out / f"{name}.png")
    Image.open(out / f"{name}.png").verify()
    return seconds


def main() -> None:
    """Make the pictures that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--out", type=Path, default=PAGES)
    given = parser.parse_args()
    known = [page.stem for page in sorted(PAGES.glob("*.md")) if page.stem != "index"]
    if unknown := set(given.names) - set(known):
        raise SystemExit(
            f"no such page: {', '.join(sorted(unknown))}; there are {', '.join(known)}"
        )
    names = given.names or sorted(known, key=lambda n: (given.out / f"{n}.png").exists())
    for name in names:
        print(f"{name}: {make(name, given.out):.0f} s", flush=True)


if __name__ == "__main__":
    main()
