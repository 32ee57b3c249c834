"""Makes minigan/data/embedded/kittens_32.npz and kittens_64.npz from robohash's set4.

    pip download --no-deps robohash==2.0
    python tools/make_kittens.py robohash-2.0-py3-none-any.whl

Each npz holds five arrays, body, fur, eyes, mouth and accessory: uint8 (K, S, S, 4), one layer per
class of that label in the order of `minigan.data.kittens.NAMES`, red, green and blue multiplied by
alpha. Reruns give the same bytes; the present files were made with Python 3.11, NumPy 2.4.6 and
Pillow 13.0.0 (another zlib may compress to other bytes with the same arrays inside).
"""

from __future__ import annotations

import argparse
import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

from minigan.data.kittens import COUNTS, NAMES, NATIVE_SIZES, reduce

FOLDERS = {
    "body": "000#00body",
    "fur": "001#01fur",
    "eyes": "002#02eyes",
    "mouth": "003#03mouth",
    "accessory": "004#04accessories",
}
# Furs 2 and 6 are both fully transparent.
LEFT_OUT = "robohash/sets/set4/001#01fur/006#fur6.png"


def layers(wheel: zipfile.ZipFile, folder: str) -> list[Image.Image]:
    """The layers of one label, mode "RGBa"; the numbers that open the file names order them."""
    prefix = f"robohash/sets/set4/{folder}/"
    files = sorted(name for name in wheel.namelist() if name.startswith(prefix))
    pictures = [Image.open(io.BytesIO(wheel.read(f))) for f in files if f != LEFT_OUT]
    return [picture.convert("RGBA").convert("RGBa") for picture in pictures]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("wheel", type=Path, help="robohash-2.0-py3-none-any.whl")
    parser.add_argument("--out", type=Path, default=Path("minigan/data/embedded"))
    arguments = parser.parse_args()

    with zipfile.ZipFile(arguments.wheel) as wheel:
        family = {label: layers(wheel, FOLDERS[label]) for label in NAMES}
    assert tuple(map(len, family.values())) == COUNTS
    for size in NATIVE_SIZES:
        atlas = {label: reduce(pictures, size) for label, pictures in family.items()}
        np.savez_compressed(arguments.out / f"kittens_{size}.npz", **atlas)


if __name__ == "__main__":
    main()
