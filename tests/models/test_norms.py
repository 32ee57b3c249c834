"""Norms by name, and the remedies that a discriminator is built with."""

import numpy as np
import pytest

from minigan import layers as L
from minigan import models
from minigan.backend import make_rng
from minigan.errors import OptionError, UnknownNameError
from minigan.models.norms import NORMS, WITH_REFERENCE, Norms
from minigan.models.remedies import Remedies

KINDS = {
    "batch": L.BatchNorm,
    "reference": L.BatchNorm,
    "virtual": L.VirtualBatchNorm,
    "instance": L.InstanceNorm,
    "layer": L.LayerNorm,
    "none": None,
}
REFERENCE = make_rng(0).standard_normal((4, 8, 8, 1)).astype(np.float32)
Z = make_rng(1).standard_normal((4, 3)).astype(np.float32)
ROWS = make_rng(2).standard_normal((4, 2)).astype(np.float32)


def kinds(net):
    return [type(layer) for _, layer in net.walk()]


def networks(norm):
    """Both players of both families with that norm, and inputs of theirs."""
    rng = make_rng(3)
    x = make_rng(4).standard_normal((6, 8, 8, 1)).astype(np.float32)
    z = make_rng(5).standard_normal((6, 3)).astype(np.float32)
    yield models.dcgan_generator(3, (8, 8, 1), width=2, norm=norm, reference=Z, rng=rng), z
    yield (
        models.dcgan_discriminator(
            (16, 16, 1), width=2, norm=norm, reference=np.tile(REFERENCE, (1, 2, 2, 1)), rng=rng
        ),
        np.tile(x, (1, 2, 2, 1)),
    )
    if norm != "instance":
        yield models.mlp_generator(3, (2,), hidden=(4, 5), norm=norm, reference=Z, rng=rng), z
        yield (
            models.mlp_discriminator((2,), hidden=(4, 5), norm=norm, reference=ROWS, rng=rng),
            x[:, 0, :2, 0],
        )


def test_every_norm_is_named():
    assert NORMS.keys() == KINDS.keys()
    assert set(WITH_REFERENCE) == {"reference", "virtual"}


@pytest.mark.parametrize("norm", NORMS)
def test_both_families_hold_it_and_run_forward_and_back(norm):
    for net, x in networks(norm):
        held = {*kinds(net)} & {kind for kind in KINDS.values() if kind}
        assert held == ({KINDS[norm]} if KINDS[norm] else set())
        assert (L.ReferenceBatch in kinds(net)) == (norm in WITH_REFERENCE)
        for train in (True, False):
            y, ctx = net.forward(x, train=train)
            assert len(y) == len(x)
            assert net.backward(np.ones_like(y), ctx).shape == x.shape
        weights = [name.rpartition(".")[0] for name in net.params if name.endswith("weight")]
        assert len(weights) == len(set(weights))


@pytest.mark.parametrize("norm", NORMS)
def test_a_layer_under_a_norm_has_no_bias(norm):
    """The norm would take it out again; without a norm it is there."""
    for net, _ in networks(norm):
        for _, part in net.walk():
            if not isinstance(part, L.Sequential):
                continue
            for below, above in zip(part.layers, part.layers[1:], strict=False):
                above = part.layers[2] if isinstance(above, L.Reshape) else above
                if isinstance(above, tuple(kind for kind in KINDS.values() if kind)):
                    assert below.own_params.keys() <= {"weight"}


def test_what_batch_norm_was_before_is_what_it_is_by_name():
    """The default networks draw the same numbers as ever."""
    default = models.dcgan_discriminator((16, 16, 1), width=2, rng=make_rng(0))
    named = models.dcgan_discriminator(
        (16, 16, 1), width=2, norm="batch", remedies=Remedies(), rng=make_rng(0)
    )
    np.testing.assert_array_equal(default.flat.data, named.flat.data)
    assert list(default.params) == list(named.params)


def test_norms_refused():
    rng = make_rng(0)
    with pytest.raises(UnknownNameError, match="unknown norm 'bach'; did you mean 'batch'"):
        Norms("bach", rng=rng)
    with pytest.raises(OptionError, match="'virtual' needs a reference batch"):
        Norms("virtual", rng=rng)
    with pytest.raises(OptionError, match=r"reference batch of 4 examples cannot .* packs of 3"):
        Norms("reference", reference=ROWS, pac=3, rng=rng)
    with pytest.raises(OptionError, match=r"reference batch of 4 examples cannot .* packs of 4"):
        Norms("reference", reference=ROWS, pac=4, rng=rng)
    with pytest.raises(OptionError, match="instance norm is over the places of a picture"):
        models.mlp_generator(3, (2,), norm="instance", rng=rng)


# --- remedies -------------------------------------------------------------------------------------

ALL = Remedies(pac=2, spectral_norm=True, minibatch_stddev=True, minibatch_discrimination=3)


def critics(remedies, **norm):
    rng = make_rng(0)
    yield models.mlp_discriminator((2,), hidden=(6, 5), remedies=remedies, rng=rng), (8, 2)
    yield (
        models.dcgan_discriminator((16, 16, 1), width=2, norm="none", remedies=remedies, rng=rng),
        (8, 16, 16, 1),
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "remedies",
    [
        Remedies(pac=4),
        Remedies(spectral_norm=True),
        Remedies(minibatch_stddev=True),
        Remedies(minibatch_discrimination=2),
        ALL,
    ],
    ids=["pac", "spectral", "stddev", "discrimination", "all"],
)
def test_a_discriminator_holds_what_it_was_asked_for(remedies, dtype):
    for D, shape in critics(remedies):
        D.astype(dtype)
        held = kinds(D)
        assert (type(D.layers[0]) is L.Pack) == (remedies.pac > 1)
        trained = sum(kind in (L.Dense, L.Conv2d) for kind in held)
        assert held.count(L.SpectralNorm) == (trained if remedies.spectral_norm else 0)
        assert held.count(L.MinibatchStdDev) == remedies.minibatch_stddev
        assert held.count(L.MinibatchDiscrimination) == (remedies.minibatch_discrimination > 0)
        x = make_rng(1).standard_normal(shape).astype(dtype)
        y, ctx = D.forward(x)
        assert y.shape == (8 // remedies.pac, 1)
        assert y.dtype == dtype
        assert D.backward(y, ctx).shape == shape


def test_packs_and_a_reference_batch_go_together():
    """The reference is packed as the minibatch is, and its packs are not mixed with it."""
    rng = make_rng(0)
    D = models.mlp_discriminator(
        (2,), hidden=(6,), norm="virtual", reference=ROWS, remedies=Remedies(pac=2), rng=rng
    )
    np.testing.assert_array_equal(D.buffers["1.reference"], ROWS.reshape(2, 4))
    x = make_rng(1).standard_normal((6, 2)).astype(np.float32)
    whole, _ = D.forward(x)
    assert whole.shape == (3, 1)
    for pack in range(3):  # a pack is judged with the reference and without the other packs
        np.testing.assert_allclose(
            D.forward(x[2 * pack : 2 * pack + 2])[0][0], whole[pack], rtol=1e-5
        )


def test_remedies_refused():
    with pytest.raises(OptionError, match="pac=0: D judges at least 1 example"):
        Remedies(pac=0)
    with pytest.raises(
        OptionError, match="minibatch_discrimination=-1: wanted a number of kernels"
    ):
        Remedies(minibatch_discrimination=-1)
