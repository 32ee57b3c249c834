"""MidiNet's three conditionings: tunes over the same chords, and what their bars are like.

    python examples/midinet_tunes.py [--data tunes] [--steps 1500] [--out runs/example-midinet]

Writes none.png (the bar before alone), last.png (the chord in G's last layer: stable mode) and
all.png (in all its layers: creative mode); blue notes belong to their bar's chord. With mido there
is none.mid, ... to listen to. One to two minutes for each on one core.
"""

import argparse
from importlib.util import find_spec
from pathlib import Path

from minigan.algorithms import recipe
from minigan.models.midinet import CHORDS
from minigan.training import RunOptions, Trainer
from minigan.training.composing import write_tunes
from minigan.training.evaluation import evaluate

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--data", default="tunes", help="or what `minigan data make chorales` wrote")
parser.add_argument("--steps", type=int, default=1500)
parser.add_argument("--width", type=int, default=128)
parser.add_argument("--hidden", type=int, default=1024)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-midinet"))
arguments = parser.parse_args()

run = RunOptions(data=arguments.data, steps=arguments.steps, batch=32, device=arguments.device)
for chords in CHORDS:
    options = recipe("midinet").options(
        chords=chords, lr=1e-3, width=arguments.width, hidden=arguments.hidden
    )
    folder = arguments.out / chords
    Trainer.start("midinet", options, run, folder).train()
    for result in evaluate(folder, ["melody"]):
        print("\n".join([f"chords: {chords}", *result.lines()]))
    print(write_tunes(folder, arguments.out / f"{chords}.png"))
    if find_spec("mido"):
        print(write_tunes(folder, arguments.out / f"{chords}.mid"))
print(f"look at {arguments.out / 'all.png'}")
