"""alpha-GAN on handwritten digits: an autoencoder whose pictures and codes are judged.

    python examples/alpha_gan_digits.py [--steps 1000] [--out runs/example-alpha-gan]

Prints what its two discriminators say at the end, 0.5 where they cannot tell, and shows digits
above what comes back of them.
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.training import RunOptions, Trainer
from minigan.training.log import read

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-alpha-gan"))
arguments = parser.parse_args()

run = RunOptions(data="digits", steps=arguments.steps, device=arguments.device)
options = recipe("alpha-gan").options(width=arguments.width)
Trainer.start("alpha-gan", options, run, arguments.out).train()
last = read(arguments.out / "log.jsonl")[-1]
for name in ("D(x)", "D(G(E(x)))", "D(G(z))", "C(z)", "C(E(x))"):
    print(f"{name:10} {last[name]:.2f}")
reconstruction = f"reconstruction_step_{arguments.steps:06d}.png"
print(f"look at {arguments.out / 'samples.gif'} and {arguments.out / 'samples' / reconstruction}")
