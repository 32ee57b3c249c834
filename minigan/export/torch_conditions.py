"""PyTorch modules for networks of an input and a condition, for words, and for attention."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from minigan import layers as L
from minigan.backend import Array, to_host
from minigan.export.torch_module import Converter, Module, Rule, chain, holding, made, nn, on_last
from minigan.layers.given import ConditionalLayer
from minigan.models.biggan import ConditionalResidual, SkipZ
from minigan.models.text_to_image import TextDiscriminator


def _fed(t: Converter, layer: L.Layer, places: int) -> Module:
    """A part: a conditional one has an input more."""
    more = (0,) if isinstance(layer, ConditionalLayer) else ()
    return t.convert(layer, places, *more)


def _conditional(kind: str, layers: Sequence[L.Layer], modules: list[Module]) -> Module:
    """Modules in a container that knows which of them see the condition."""
    numbers = {i for i, layer in enumerate(layers) if isinstance(layer, ConditionalLayer)}
    made = chain(modules, modules[-1].places, kind=kind)
    said = f"    conditional={numbers or set()},\n)"
    return replace(made, code=made.code.removesuffix(")") + said)


def _sequential(t: Converter, layer: L.ConditionalSequential, places: int, _: int) -> Module:
    modules: list[Module] = []
    for inner in layer.layers:
        modules.append(_fed(t, inner, modules[-1].places if modules else places))
    return _conditional("Conditioned", layer.layers, modules)


def _concat(t: Converter, layer: L.ConditionalConcat, places: int, _: int) -> Module:
    modules = [_fed(t, branch, places) for branch in layer.branches]
    return _conditional("ConditionedConcat", layer.branches, modules)


def _embedded(t: Converter, layer: L.Embedded, places: int, _: int) -> Module:
    parts = {"embed": t.convert(layer.embed, 0), "net": t.convert(layer.net, places, 0)}
    return holding("Embedded", parts, parts["net"].places)


def _join(t: Converter, layer: L.JoinCondition, places: int, _: int) -> Module:
    embed = nn("Identity()", 0) if layer.embed is None else t.convert(layer.embed, 0)
    return holding("JoinCondition", {"embed": embed}, places)


def _modulation(t: Converter, layer: L.Modulation, places: int, _: int) -> Module:
    parts = {"scale": t.convert(layer.scale, 0), "shift": t.convert(layer.shift, 0)}
    return holding("Modulation", parts, places)


def _projection(t: Converter, layer: L.Projection, places: int, _: int) -> Module:
    parts = {"embed": t.convert(layer.embed, 0), "score": t.convert(layer.score, 0)}
    return holding("Projection", parts, 0)


def _residual(t: Converter, layer: ConditionalResidual, places: int, _: int) -> Module:
    parts = {
        "body": t.convert(layer.body, places, 0),
        "shortcut": t.convert(layer.shortcut, places),
    }
    return holding("ConditionalResidual", parts, parts["body"].places)


def _skip_z(t: Converter, layer: SkipZ, places: int, _: int) -> Module:
    first = t.convert(layer.first, 0)
    stages: list[Module] = []
    for inner, _place in layer.stages:
        stages.append(_fed(t, inner, (stages or [first])[-1].places))
    chunks = [None if place is None else place.start // layer.chunk for _, place in layer.stages]
    held = chain(stages, stages[-1].places, kind="nn.ModuleList")
    held = replace(held, code=listed(stages))
    return holding("SkipZ", {"first": first, "stages": held}, held.places, layer.chunk, chunks)


def listed(modules: Sequence[Module]) -> str:
    """The expression of an nn.ModuleList, which takes a list."""
    inner = chain(modules, 0).code.removeprefix("nn.Sequential(").removesuffix(")")
    return f"nn.ModuleList([{inner}])"


def _text_discriminator(t: Converter, layer: TextDiscriminator, *places: int) -> Module:
    joined = t.convert(layer.layers[0], *places)
    return chain([joined, t.convert(layer.layers[1], joined.places)], 0, kind="Chain")


# --- words ----------------------------------------------------------------------------------------


def _recurrent_state(layer: L.GRU | L.LSTM) -> dict[str, Array]:
    """The names and layouts of nn.GRU and nn.LSTM, whose gates stand in the same order."""
    return {f"{name}_l0": to_host(p.data).T for name, p in layer.own_params.items()}


def _gru(t: Converter, layer: L.GRU, *places: int) -> Module:
    state = {f"gru.{k}": a for k, a in _recurrent_state(layer).items()}
    return made("GRU", layer.input_size, layer.hidden_size, places=1, state=state)


def _lstm(t: Converter, layer: L.LSTM, places: int) -> Module:
    state = {f"lstm.{k}": a for k, a in _recurrent_state(layer).items()}
    return made("LSTM", layer.input_size, layer.hidden_size, places=1, state=state)


def _highway(t: Converter, layer: L.Highway, places: int) -> Module:
    parts = {n: t.convert(part, 0) for n, part in layer.children.items()}
    return on_last(replace(holding("Highway", parts, 0), places=places))


def _encoder(kind: str, state: Any) -> Rule:
    def rule(t: Converter, layer: Any, places: int) -> Module:
        sizes = layer.num_embeddings, layer.embedding_dim, layer.out_features
        table = {"embedding.weight": to_host(layer.embedding.weight.data)}
        return made(kind, *sizes, places=0, state=table | state(t, layer))

    return rule


def _recurrent(t: Converter, layer: L.RecurrentEncoder) -> dict[str, Array]:
    return {f"gru.{k}": a for k, a in _recurrent_state(layer.gru).items()}


def _convolutional(t: Converter, layer: L.ConvolutionalEncoder) -> dict[str, Array]:
    convs = {f"conv{i}": t.convert(conv, 1) for i, conv in enumerate(layer.convolutions, 1)}
    return {f"{name}.{k}": a for name, conv in convs.items() for k, a in conv.state.items()}


def _embedding(t: Converter, layer: L.Embedding, places: int) -> Module:
    call = f"Embedding({layer.num_embeddings}, {layer.embedding_dim})"
    table = nn(call, places + 1, weight=to_host(layer.weight.data))
    first = made("ChannelsFirst", places=places + 1)
    return table if places < 0 else chain([table, first], places + 1)


# --- the rest -------------------------------------------------------------------------------------


def _attention(t: Converter, layer: L.SelfAttention, places: int) -> Module:
    names = ("query", "key", "value")
    parts = {n: t.convert(part, places) for n, part in zip(names, layer.branches, strict=True)}
    made = holding("SelfAttention", parts | {"out": t.convert(layer.out, places)}, places)
    made.state["gamma"] = to_host(layer.gamma.data)
    return made


def _columns(t: Converter, layer: L.Columns, places: int) -> Module:
    return made("Columns", layer.start, layer.stop, places=places)


def _inner_product(t: Converter, layer: L.InnerProduct, places: int) -> Module:
    return made("InnerProduct", places=places)


def _evidence(t: Converter, layer: L.LogSumExp, places: int) -> Module:
    return made("LogSumExp", places=places)


RULES: dict[type[L.Layer], Rule] = {
    L.ConditionalSequential: _sequential,
    L.ConditionalBatchNorm: _sequential,
    L.AdaIN: _sequential,
    L.ConditionalConcat: _concat,
    L.Embedded: _embedded,
    L.JoinCondition: _join,
    L.Modulation: _modulation,
    L.Projection: _projection,
    L.Columns: _columns,
    L.InnerProduct: _inner_product,
    L.LogSumExp: _evidence,
    L.Embedding: _embedding,
    L.GRU: _gru,
    L.LSTM: _lstm,
    L.Highway: _highway,
    L.RecurrentEncoder: _encoder("RecurrentEncoder", _recurrent),
    L.ConvolutionalEncoder: _encoder("ConvolutionalEncoder", _convolutional),
    L.SelfAttention: _attention,
    ConditionalResidual: _residual,
    SkipZ: _skip_z,
    TextDiscriminator: _text_discriminator,
}
