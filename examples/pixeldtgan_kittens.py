"""PixelDTGAN: what a kitten wears, alone and large, from a picture of the kitten.

    python examples/pixeldtgan_kittens.py [--judges both|relevant|real-fake|none]
                                          [--distance none|l1|l2] [--steps 2500]

The comparisons of the paper: `--judges real-fake` has no discriminator of what belongs to a source,
`--judges none --distance l2` has squares of pixels alone. Prints how many translations of held-out
things in their colours are nearer to their own truth than to any other. The sheets show kittens,
what C makes of them, and what they wear.
"""

import argparse
from pathlib import Path

from minigan.algorithms import recipe
from minigan.algorithms.translation.pixeldtgan import CLOSE, JUDGES, PixelDTGAN
from minigan.backend import make_rng
from minigan.data import open_pairs
from minigan.metrics.retrieval import retrieval
from minigan.training import RunOptions, Trainer

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=2500)
parser.add_argument("--size", type=int, default=32)
parser.add_argument("--width", type=int, default=24)
parser.add_argument("--batch", type=int, default=32)
parser.add_argument("--judges", choices=JUDGES, default="both")
parser.add_argument("--distance", choices=CLOSE, default="none")
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-pixeldtgan"))
arguments = parser.parse_args()

options = recipe("pixeldtgan").options(
    width=arguments.width,
    judges=arguments.judges,
    distance=arguments.distance,
    lr=5e-4,  # more than twice that of published code, for a short run that falls to nothing
    schedule="linear",
)
run = RunOptions(
    data="kittens-worn",
    size=str(arguments.size),
    batch=arguments.batch,
    steps=arguments.steps,
    device=arguments.device,
)
trainer = Trainer.start("pixeldtgan", options, run, arguments.out)
trainer.train()
model = trainer.algorithm
assert isinstance(model, PixelDTGAN)

held_out = open_pairs("kittens-worn", aligned=True, size=arguments.size, split="test")
x, y = held_out.split(held_out.draw(200, make_rng(0)).x)
found = retrieval(model.translate(x, make_rng(1)), y)
print(f"200 translations: {found['own']:.2f} find their own thing, {found['by chance']:.2f} would")
print(f"by chance; look at {arguments.out / 'samples.gif'}")
