"""Steps of algorithms that make pictures of pictures are captured, those with stages too."""

from dataclasses import fields, replace

import numpy as np
import pytest

from minigan.algorithms import ALGORITHMS, Streams, Task
from minigan.backend import to_host
from minigan.training.stepper import Stepper, read

BATCH = 2
TINY = {"width": 2, "patch": 7, "lr": 1e-3}
# options, steps, and how many kinds of steps are graphs in the end
CASES = {
    "pix2pixhd": ({"scales": 2, "blocks": 0, "local_blocks": 0, "stage_steps": 3}, 9, 3),
    "unit": ({"blocks": 0, "halvings": 1}, 4, 1),
    "bicyclegan": ({"halvings": 2, "z_dim": 2, "scales": 1}, 4, 1),
    "pixeldtgan": ({"code_dim": 3, "distance": "l1"}, 4, 1),
    "munit": ({"halvings": 1, "blocks": 1, "mlp_width": 3, "scales": 1, "weight_cycle": 1.0}, 4, 1),
    "next-frame": ({"optimizer": "adam"}, 4, 1),
    "pixelda": ({"blocks": 1, "z_dim": 2, "content": "not-black"}, 4, 1),
    "pg2": ({"width_D": 2, "bottleneck": 3, "stage_steps": 3}, 7, 2),
}
LABELS = {"digit": ("0", "1", "2")}  # of algorithms that learn from them
# of x and of y, and further ones of an example, where these are not one each
CHANNELS = {"pg2": ((3, 1), 1)}


def run(name, device, *, graph):
    options, steps, kinds = CASES[name]
    recipe = ALGORITHMS[name]
    channels, more = CHANNELS.get(name, ((1, 1), 0))
    shape = (8, 8, sum(channels) + more)
    labelled = recipe.takes == "labelled-domains"
    names = LABELS if labelled else {}
    task = Task(shape, "pairs", 20, batch=BATCH, channels=channels, label_names=names)
    known = {f.name for f in fields(recipe.options)}
    tiny = {k: v for k, v in TINY.items() if k in known}
    made = recipe.build(replace(recipe.options(), **tiny, **options), task, Streams(0))
    stepper = Stepper(made.to(device), graph=graph)
    rng, log = np.random.default_rng(1), []
    for _ in range(steps):
        x = rng.uniform(-1, 1, (BATCH * made.minibatches, *shape)).astype(np.float32)
        labels = [rng.integers(3, size=(BATCH * made.minibatches, 1))] if labelled else []
        log.append(read(stepper(x, *labels)))
    made.check_health()
    assert stepper.captured == kinds * graph
    return log, {key: to_host(a) for key, a in made.state_dict().items()}


@pytest.mark.parametrize("name", CASES)
def test_captured_steps_are_the_eager_ones(name, device):
    here, eager, captured = (
        run(name, where, graph=graph)
        for where, graph in (("cpu", False), (device, False), (device, True))
    )
    assert eager[0] == captured[0]
    for key, array in eager[1].items():
        np.testing.assert_array_equal(array, captured[1][key], err_msg=key)
    for ours, theirs in zip(eager[0][:2], here[0][:2], strict=True):
        assert ours.keys() == theirs.keys()
        for key, value in theirs.items():  # rounding of float32, and its growth in one step
            assert abs(ours[key] - value) <= 1e-3 * max(1, abs(value)), key
