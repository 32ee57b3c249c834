"""ClusterGAN on digits: clusters that nobody has named, from an encoder that inverts G.

    python examples/clustergan_digits.py [--steps 1000] [--width 16] [--out runs/example-clustergan]

Each column of clusters.png is one cluster. Prints purity and normalised mutual information of the
clusters of held-out digits with what these show.
"""

import argparse
from pathlib import Path

import numpy as np

from minigan.algorithms import recipe
from minigan.algorithms.codes.clustergan import ClusterGAN
from minigan.data import open_data
from minigan.metrics.clustering import mutual_information, purity
from minigan.training import RunOptions, Trainer
from minigan.training.latent_tools import Traversal
from minigan.training.sampling import write_samples

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--width", type=int, default=16)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", type=Path, default=Path("runs/example-clustergan"))
arguments = parser.parse_args()

options = recipe("clustergan").options(width=arguments.width)
run = RunOptions(data="digits", steps=arguments.steps, device=arguments.device)
trainer = Trainer.start("clustergan", options, run, arguments.out)
trainer.train()
model = trainer.algorithm
assert isinstance(model, ClusterGAN)

held_out = open_data("digits", split="test")
test = held_out.take(np.arange(held_out.size))
found = np.concatenate([model.cluster(x) for x in np.array_split(test.x, 4)])
digits = test.labels[:, 0]
print(
    f"{len(found)} held-out digits in {model.clusters} clusters: purity "
    f"{purity(found, digits):.1%}, NMI {mutual_information(found, digits):.3f}"
)
write_samples(arguments.out, arguments.out / "clusters.png", n=6, tool=Traversal("c1"))
print(f"look at {arguments.out / 'clusters.png'} and {arguments.out / 'samples.gif'}")
