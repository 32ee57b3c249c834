"""SEGAN: synthetic voices without the noise that lies over them.

    python examples/segan_voices.py [--judge pair|none] [--data FOLDER] [--steps 500]

`--judge none` leaves the L1 term alone. Prints how near speech is to the clean speech before and
after, for voices, noises and loudnesses that were held out, and says where the pictures and sounds
are: samples/noisy.wav, clean.wav and step_*.wav can be listened to. --data takes a folder of WAV
files too, such as `minigan data make speech` writes.
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.algorithms.sequence.segan import JUDGED
from minigan.training import RunOptions, Trainer
from minigan.training.evaluation import evaluate

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--data", default="voices")
parser.add_argument("--steps", type=int, default=500)
parser.add_argument("--window", type=int, default=2048)
parser.add_argument("--width", type=int, default=4)
parser.add_argument("--batch", type=int, default=8)
parser.add_argument("--judge", choices=JUDGED, default="pair")
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-segan"))
arguments = parser.parse_args()

options = recipe("segan").options(
    window=arguments.window,  # a quarter of a second; the paper's 16384 are one, at 16 kHz
    width=arguments.width,
    judge=arguments.judge,
    reference_batch=4,
    lr=1e-3,  # five times the paper's at first, for a short run
    schedule="cosine",
)
run = RunOptions(
    data=arguments.data, batch=arguments.batch, steps=arguments.steps, device=arguments.device
)
trainer = Trainer.start("segan", options, run, arguments.out)
trainer.train()

for result in evaluate(arguments.out, ["snr"]):
    print("\n".join(result.lines()))
print(f"look at {arguments.out / 'samples.gif'}, listen to {arguments.out / 'samples'}")
