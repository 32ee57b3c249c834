"""A tiny ONNX network, written by hand in protobuf's wire format: no package is needed for it.

    features = Flatten(MaxPool(x))        or, with softmax, Softmax of that

Field numbers: onnx.proto, https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from __future__ import annotations


def varint(n: int) -> bytes:
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def block(field: int, content: bytes | str) -> bytes:
    data = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(data)) + data


def value(name: str, shape: list[int | str], kind: int = 1) -> bytes:
    """ValueInfoProto of a tensor: kind 1 is float32, 11 float64."""
    dims = b"".join(block(1, number(1, d) if isinstance(d, int) else block(2, d)) for d in shape)
    return block(1, name) + block(2, block(1, number(1, kind) + block(2, dims)))


def node(op: str, given: str, gives: str, attributes: bytes = b"") -> bytes:
    return block(1, given) + block(2, gives) + block(4, op) + attributes


def network(
    shape: list[int | str],
    *,
    softmax: bool = False,
    kind: int = 1,
    others: tuple[str, ...] = (),
    end: str = "Flatten",
) -> bytes:
    """The bytes of a model whose input is of `shape`, (N, C, H, W) to the pooling.

    others: inputs of the same shape that it does nothing with; end: what follows the pooling.
    """
    sides = block(1, "kernel_shape") + number(8, 2) + number(8, 2) + number(20, 7)
    strides = block(1, "strides") + number(8, 2) + number(8, 2) + number(20, 7)
    nodes = [
        node("MaxPool", "x", "pooled", block(5, sides) + block(5, strides)),
        node(end, "pooled", "flat" if softmax else "features"),
    ]
    if softmax:
        nodes.append(node("Softmax", "flat", "features"))
    graph = b"".join(block(1, n) for n in nodes) + block(2, "tiny")
    graph += b"".join(block(11, value(name, shape, kind)) for name in ("x", *others))
    graph += block(12, value("features", ["N", "F"], kind))
    return number(1, 8) + block(7, graph) + block(8, block(1, "") + number(2, 13))
