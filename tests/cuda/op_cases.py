"""Arguments for every operation of minigan/ops: the table that the parity of devices is held to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from minigan.ops.loss import FUNCTIONS, Term

Array = np.ndarray
Make = Callable[[Any], tuple[tuple[Any, ...], dict[str, Any]]]


SMALL_INTEGERS = {"u8": np.uint8, "i32": np.int32}


def case(*shapes: Any, **named: Any) -> Make:
    """Positional arguments: ("x", sizes...) is a normal array of that shape, ("+", ...) one of
    positive numbers, ("u", ...) one uniform in [0, 1), ("i", high, sizes...) one of integers;
    anything else is itself."""

    def make(dtype: Any) -> tuple[tuple[Any, ...], dict[str, Any]]:
        rng = np.random.default_rng(0)
        return tuple(_made(s, rng, dtype) for s in shapes), named

    return make


def _made(shape: Any, rng: np.random.Generator, dtype: Any) -> Any:
    if not isinstance(shape, tuple) or not shape or not isinstance(shape[0], str):
        return shape
    kind, *sizes = shape
    if kind == "u":
        return rng.uniform(size=sizes)
    if kind == "i":
        return rng.integers(0, sizes[0], sizes[1:])
    if kind in SMALL_INTEGERS:
        return rng.integers(0, sizes[0], sizes[1:]).astype(SMALL_INTEGERS[kind])
    if kind == "state":
        state = rng.integers(0, 2**63, 6, np.uint64)
        state[2:] = 0, 0, 0, 3
        return state
    if kind == "dtype":
        return dtype
    x = rng.standard_normal(sizes)
    return (np.abs(x) + 0.3 if kind == "+" else x).astype(dtype)


X, ROW = ("x", 3, 5, 7, 6), ("x", 6)
POSITIVE = ("+", 6)
PLANE = ("x", 5, 17)
SQUARE = {"stride": (2, 2), "padding": (1, 1), "dilation": (1, 1)}
ODD = {"stride": (2, 1), "padding": (0, 2), "dilation": (1, 2)}
POOL = ((2, 3), (2, 1), (1, 1))

CASES: dict[str, list[Make]] = {
    **{
        f"activation.{name}": [case(*[PLANE] * arrays, *more)]
        for name, arrays, more in (
            ("relu", 1, ()),
            ("relu_dx", 2, ()),
            ("leaky_relu", 1, (0.2,)),
            ("leaky_relu_dx", 2, (0.2,)),
            ("elu", 1, (0.7,)),
            ("elu_dx", 2, (0.7,)),
            ("elu_d2", 1, (0.7,)),
            ("tanh", 1, ()),
            ("tanh_dx", 2, ()),
            ("tanh_d2", 1, ()),
            ("sigmoid", 1, ()),
            ("sigmoid_dx", 2, ()),
            ("sigmoid_d2", 1, ()),
            ("softplus", 1, (3.0,)),
            ("softplus_dx", 2, (3.0,)),
            ("softplus_d2", 1, (3.0,)),
        )
    },
    "affine.activated": [
        case(X, ROW, ROW, ROW, "leaky_relu", 0.2),
        case(X, ROW, ROW, None, "tanh"),
        case(X, ROW, ROW, ROW, "none"),
    ],
    "affine.activated_sums": [
        case(X, X, ROW, ROW, ROW, "relu"),
        case(X, X, ROW, ROW, None, "tanh"),
    ],
    "affine.activated_dx": [
        case(X, X, ROW, POSITIVE, ROW, ROW, ROW, ROW, "leaky_relu", 0.2),
        case(X, X, ROW, POSITIVE, ROW, None, ROW, ROW, "tanh"),
    ],
    "attention.each_matmul": [case(("x", 3, 5, 7), ("x", 3, 7, 4))],
    "attention.attend": [case(("x", 2, 5, 3), ("x", 2, 4, 3), ("x", 2, 4, 6))],
    "attention.attend_dx": [
        case(*(("x", 2, 5, 6), ("x", 2, 5, 3), ("x", 2, 4, 3), ("x", 2, 4, 6), ("x", 2, 5, 4)))
    ],
    "channels.channel_sum": [case(X), case(("x", 1000, 1)), case(("x", 1, 130))],
    "channels.add_channel_sum": [
        case(ROW, X),
        case(ROW, X, 0.3),
        case(("x", 1), ("x", 9000, 1)),
    ],
    "channels.batch_statistics": [
        case(X, ROW, 1e-5),
        case(("x", 1000, 1), None, 1e-3),
        case(("x", 2, 130), ("x", 130), 1e-3),
    ],
    "channels.add_affine_grads": [case(*[ROW] * 5), case(*[("x", 700)] * 5)],
    "channels.scale_and_shift": [case(X, ROW, ROW, ROW), case(X, ROW, ROW, None)],
    "channels.batch_norm_sums": [case(X, X, ROW)],
    "channels.batch_norm_dx": [case(X, X, ROW, POSITIVE, ROW, ROW, ROW)],
    "conv.conv2d": [
        case(("x", 2, 8, 8, 16), ("x", 4, 4, 16, 32), **SQUARE),
        case(("x", 2, 7, 6, 3), ("x", 2, 3, 3, 5), **ODD),
        case(("x", 2, 8, 8, 3), ("x", 4, 4, 3, 64), **SQUARE),
    ],
    "conv.conv2d_dx": [
        case(("x", 2, 4, 4, 32), ("x", 4, 4, 16, 32), (2, 8, 8, 16), **SQUARE),
        case(("x", 2, 3, 6, 5), ("x", 2, 3, 3, 5), (2, 7, 6, 3), **ODD),
        case(("x", 2, 4, 4, 64), ("x", 4, 4, 3, 64), (2, 8, 8, 3), **SQUARE),
    ],
    "conv.conv2d_dw": [
        case(("x", 2, 8, 8, 16), ("x", 2, 4, 4, 32), (4, 4), **SQUARE),
        case(("x", 2, 7, 6, 3), ("x", 2, 3, 6, 5), (2, 3), **ODD),
        case(("x", 2, 8, 8, 3), ("x", 2, 4, 4, 64), (4, 4), **SQUARE),
    ],
    "conv.conv2d_bias_act": [
        case(("x", 2, 8, 8, 16), ("x", 4, 4, 16, 32), ("x", 32), "relu", **SQUARE),
        case(("x", 2, 7, 6, 3), ("x", 2, 3, 3, 5), None, "relu", **ODD),
        case(("x", 2, 8, 8, 3), ("x", 4, 4, 3, 64), ("x", 64), "leaky_relu", slope=0.2, **SQUARE),
    ],
    "conv.conv2d_dx_bias_act": [
        case(
            *(("x", 2, 4, 4, 32), ("x", 4, 4, 16, 32), (2, 8, 8, 16), ("x", 16), "leaky_relu"),
            slope=0.2,
            **SQUARE,
        ),
        case(("x", 2, 3, 6, 5), ("x", 2, 3, 3, 5), (2, 7, 6, 3), None, "relu", **ODD),
        case(
            *(("x", 2, 4, 4, 64), ("x", 4, 4, 3, 64), (2, 8, 8, 3), ("x", 3), "tanh"),
            **SQUARE,
        ),
    ],
    "conv.add_conv2d_dw": [
        case(("x", 4, 4, 16, 32), ("x", 2, 8, 8, 16), ("x", 2, 4, 4, 32), **SQUARE),
        case(("x", 2, 3, 3, 5), ("x", 2, 7, 6, 3), ("x", 2, 3, 6, 5), **ODD),
        case(("x", 4, 4, 3, 64), ("x", 2, 8, 8, 3), ("x", 2, 4, 4, 64), **SQUARE),
    ],
    "embedding.take_rows": [case(("x", 7, 5), ("i", 7, 4, 3))],
    "embedding.add_rows": [case(("x", 7, 5), ("i", 7, 40), ("x", 40, 5))],
    "labels.multi_hot": [case(("i", 3, 8, 2), [3, 4], np.float64)],
    "linear.matmul": [
        case(("x", 33, 70), ("x", 70, 65)),
        case(("x", 64, 128), ("x", 128, 64)),
        case(("x", 3, 1), ("x", 1, 2)),
    ],
    "linear.matmul_bias_act": [
        case(("x", 33, 70), ("x", 70, 65), ("x", 65), "leaky_relu", slope=0.2),
        case(("x", 5, 70), ("x", 70, 6), None),
    ],
    "linear.add_matmul": [case(("x", 33, 65), ("x", 33, 70), ("x", 70, 65), alpha=0.5)],
    "linear.matvec": [case(("x", 33, 70), ("x", 70))],
    "loss.mean_loss": [
        case(("x", 9, 1), Term(f, weight=-0.7, parameter=0.4, linear=0.3)) for f in FUNCTIONS
    ],
    "loss.mean_losses": [
        case(("x", 9, 1), ("x", 6, 1), Term("negative"), Term("softplus", weight=0.5))
    ],
    "maxout.maxout": [case(("x", 5, 12), 3)],
    "maxout.maxout_dx": [case(("x", 5, 4), ("u8", 3, 5, 4), 3)],
    "maxout.maxout_gather": [case(("x", 5, 12), ("u8", 3, 5, 4), 3)],
    "norm.mean_over": [case(X, (1, 2)), case(X, (3,)), case(X, (0, 1, 2))],
    "norm.normalize": [case(X, (1, 2), 1e-5), case(X, (2, 3), 0.1)],
    "norm.normalize_dx": [case(X, X, ("+", 3, 1, 1, 6), (1, 2))],
    "norm.normalize_ddx": [case(X, X, X, ("+", 3, 1, 1, 6), (1, 2))],
    "optim.moving_average": [case(("x", 1001), ("x", 1001), 0.9)],
    "optim.sum_of_squares": [case(("x", 100_003))],
    "pool.avg_pool": [case(X, *POOL)],
    "pool.avg_pool_dx": [case(("x", 3, 3, 7, 6), (3, 5, 7, 6), *POOL)],
    "pool.max_pool": [case(X, *POOL)],
    "pool.max_pool_dx": [case(("x", 3, 3, 7, 6), ("i32", 4, 3, 3, 7, 6), (3, 5, 7, 6), *POOL)],
    "pool.max_pool_gather": [case(X, ("i32", 6, 3, 3, 7, 6), *POOL)],
    "random.uniform": [case(("state",), (7, 3), -1.0, 2.0, ("dtype",))],
    "random.normal": [case(("state",), (7, 3), ("dtype",))],
    "random.dropout_scale": [case(("state",), (7, 3), 0.3, ("dtype",))],
    "reflect.reflect": [case(X, (2, 1, 0, 3))],
    "activation.hardtanh": [case(PLANE, low=-0.5, high=1.0)],
    "activation.hardtanh_dx": [case(PLANE, PLANE, low=-0.5, high=1.0)],
    "prelu.prelu": [case(PLANE, ("x", 17)), case(PLANE, ("x", 1))],
    "prelu.prelu_dx": [case(PLANE, PLANE, ("x", 17)), case(PLANE, PLANE, ("x", 1))],
    "prelu.add_prelu_da": [case(("x", 17), PLANE, PLANE), case(("x", 1), PLANE, PLANE)],
    "reflect.reflect_dx": [case(("x", 3, 8, 10, 6), (2, 1, 0, 3))],
    "resample.pixel_shuffle": [case(("x", 2, 3, 5, 8), 2)],
    "resample.pixel_unshuffle": [case(("x", 2, 6, 4, 3), 2)],
    "resample.upsample_bilinear": [case(X, (2, 3))],
    "tokens.draw_tokens": [case(("x", 40, 7), ("u", 40)), case(("x", 3, 1), ("u", 3))],
    "resample.upsample_bilinear_dx": [case(("x", 3, 10, 21, 6), (2, 3))],
    "resample.upsample_nearest": [case(X, (2, 3))],
    "resample.upsample_nearest_dx": [case(("x", 3, 10, 21, 6), (2, 3))],
    "special.lambertw_exp": [case(PLANE)],
}
# Held to the CPU's through the layer that they belong to (tests/cuda/test_layers.py).
THROUGH_LAYERS = {
    "virtual_norm.union_moments",
    "virtual_norm.union_dx",
    "virtual_norm.union_ddx",
    "attention.attend_ddx",
}
