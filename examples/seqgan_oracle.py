"""SeqGAN on the sentences of an oracle: maximum likelihood first, then the policy gradient.

    python examples/seqgan_oracle.py [--words 100] [--steps 1200] [--out runs/example-seqgan]

Half of the steps are of maximum likelihood. Prints NLL_oracle and NLL_test after these and at the
end; the curves show both stages.
"""

import argparse

from minigan.algorithms import recipe
from minigan.training import RunOptions, Trainer
from minigan.training.evaluation import evaluate

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--words", type=int, default=100)
parser.add_argument("--length", type=int, default=10)
parser.add_argument("--filters", type=int, default=64)
parser.add_argument("--steps", type=int, default=1200)
parser.add_argument("--device", default="cpu")
parser.add_argument("--out", default="runs/example-seqgan")
arguments = parser.parse_args()

options = recipe("seqgan").options(
    words=arguments.words,
    length=arguments.length,
    windows=(2, 3, 4, 5),
    filters=(arguments.filters,) * 4,
    rollouts=8,
    lr_D=1e-3,
    lr_policy=2e-3,
    l2=0.0,
    pretrain_G=arguments.steps // 2,
    pretrain_D=arguments.steps // 4,
)
run = RunOptions(
    data="oracle",
    batch=64,
    steps=arguments.steps,
    checkpoint_every=arguments.steps // 4,
    keep=4,
    device=arguments.device,
)
outcome = Trainer.start("seqgan", options, run, arguments.out).train()
for step in (arguments.steps // 2, arguments.steps):
    print(f"after step {step}")
    for result in evaluate(outcome.folder, step=step):
        print("\n".join(result.lines()))
print(f"look at {outcome.folder / 'curves.png'}")
