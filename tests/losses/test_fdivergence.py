"""The ten f-divergences: every column of the table against what defines it."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import lambertw
from scipy.stats import norm

from minigan.errors import OptionError, UnknownNameError
from minigan.losses import Minimax, NonSaturating
from minigan.losses.fdivergence import DIVERGENCES, FGAN
from minigan.losses.fdivergence import get as divergence
from minigan.ops.special import lambertw_exp

WEIGHTS = (0.1, 0.5, 0.8)
ROWS = {
    **DIVERGENCES,
    **{f"weighted, pi={pi}": divergence("weighted-jensen-shannon", pi=pi) for pi in WEIGHTS},
}
every_row = pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)

# V of the output activation over which everything is looked at; e^-v reaches both 20 and 1/20.
V = np.linspace(-3, 3, 25)


def inside(row, n=9):
    """Numbers t within the domain of f*, as the output activation gives them."""
    return row.activation(np.linspace(-2.5, 2.5, n))


def derivative(function, x, h=1e-6):
    """By central differences: off by h^2 and by rounding, 1e-16 / h."""
    return (function(x + h) - function(x - h)) / (2 * h)


def test_all_ten_are_there():
    assert list(DIVERGENCES) == [
        "total-variation",
        "kl",
        "reverse-kl",
        "pearson",
        "neyman",
        "squared-hellinger",
        "jeffrey",
        "jensen-shannon",
        "weighted-jensen-shannon",
        "gan",
    ]


@every_row
def test_the_conjugate_is_the_supremum(row):
    """f*(t) = sup over u > 0 of u t - f(u), found by a search over log u.

    u t - f(u) is concave in u, so what the search finds is the supremum. Pearson's f is taken on
    the whole line in the tables: below t = -2 its supremum lies at a negative u.
    """
    for t in inside(row):
        if row.name == "pearson" and t < -2:
            continue
        found = minimize_scalar(
            lambda s, t=t: float(row.f(np.exp(s)) - np.exp(s) * t),
            bounds=(-30, 30),
            method="bounded",
            options={"xatol": 1e-10},
        )
        # A search finds the place to 1e-8, so the value, flat there, to about 1e-15; at the
        # corner u = 1 of total variation and at its end u = 0 to the place's own precision.
        assert row.conjugate(np.array([t]))[0] == pytest.approx(-found.fun, abs=1e-8)


@every_row
def test_the_slope_is_that_of_f(row):
    u = np.array([0.05, 0.3, 0.9, 1.2, 4.0])
    np.testing.assert_allclose(row.slope(u), derivative(row.f, u, 1e-7), rtol=1e-6)


@every_row
def test_the_conjugate_inverts_the_slope(row):
    """Fenchel's equality: f*(f'(u)) = u f'(u) - f(u)."""
    u = np.array([0.2, 0.7, 1.5, 3.0])
    t = row.slope(u)
    np.testing.assert_allclose(row.conjugate(t), u * t - row.f(u), rtol=1e-12, atol=1e-14)


@every_row
def test_the_activation_maps_onto_the_domain(row):
    low, high = row.domain
    v = np.linspace(-30, 30, 121)
    t = row.activation(v)
    assert (np.diff(t) > 0)[40:-40].all()  # for |v| < 10: rounding makes the flat ends equal
    assert (t >= low).all()
    assert (t <= high).all()
    if math.isfinite(high):
        assert t[-1] == pytest.approx(high, abs=1e-12)
    if math.isfinite(low):
        assert t[0] == pytest.approx(low, abs=1e-12)
    else:
        assert t[0] < -20


@every_row
def test_what_is_computed_of_v_is_the_conjugate_of_the_activation(row):
    expected = row.conjugate(row.activation(V))
    np.testing.assert_allclose(row.pulled(V), expected, rtol=1e-11, atol=1e-12)


@every_row
def test_both_slopes_in_v(row):
    for function, slope in ((row.activation, row.activation_slope), (row.pulled, row.pulled_slope)):
        np.testing.assert_allclose(slope(V), derivative(function, V), rtol=1e-6, atol=1e-8)


THRESHOLDS = {"kl": 1.0, "reverse-kl": -1.0, "gan": -math.log(2)}  # 0 for the others


@every_row
def test_the_threshold_is_the_slope_at_1(row):
    """The paper's table of output activations."""
    assert row.threshold == pytest.approx(THRESHOLDS.get(row.name, 0.0), abs=1e-15)
    if row.name != "total-variation":  # whose f has a corner at 1
        assert row.threshold == pytest.approx(derivative(row.f, np.ones(1))[0], abs=1e-8)


PAIRS = [((0.0, 1.0), (0.7, 1.2)), ((0.3, 1.1), (-0.4, 0.95))]  # (mean, deviation) of P and of Q


@pytest.mark.parametrize(("p", "q"), PAIRS)
@every_row
def test_the_variational_bound_is_tight_at_the_best_t(row, p, q):
    """On a pair of Gaussians, by quadrature: D_f = E_P[T] - E_Q[f*(T)] at T = f'(p / q).

    Any other T stays below; here T is moved within the domain along the activation.
    """
    p, q = norm(*p), norm(*q)

    def integral(function):
        return quad(function, -9, 9, points=[-1, 0, 1], limit=400, epsabs=1e-11)[0]

    def ratio(x):
        return np.array([np.exp(p.logpdf(x) - q.logpdf(x))])

    def bound(moved):
        def integrand(x):
            t = moved(row.slope(ratio(x)))
            return float((p.pdf(x) * t - q.pdf(x) * row.conjugate(t))[0])

        return integral(integrand)

    divergence = integral(lambda x: float(q.pdf(x) * row.f(ratio(x))[0]))
    assert bound(lambda t: t) == pytest.approx(divergence, abs=1e-7)
    low, high = row.domain
    within = (max(low, -50.0), min(high, 50.0))
    for centre in (0.3, 0.7):
        target = within[0] + centre * (within[1] - within[0]) if math.isfinite(low) else high - 1
        target = target if math.isfinite(target) else 0.2
        assert bound(lambda t, target=target: 0.8 * t + 0.2 * target) < divergence - 1e-4


def test_jeffrey_is_both_kl_together_and_others_are_what_they_are_called():
    """Known values between N(0, 1) and N(m, 1), where KL is m^2 / 2 either way."""
    m = 0.8
    p, q = norm(0, 1), norm(m, 1)

    def value(row):
        def integrand(x):
            return float(q.pdf(x) * row.f(np.array([p.pdf(x) / q.pdf(x)]))[0])

        return quad(integrand, -9, 9, limit=300)[0]

    kl = m * m / 2
    expected = {
        "kl": kl,
        "reverse-kl": kl,
        "jeffrey": 2 * kl,
        "pearson": math.exp(m * m) - 1,
        "neyman": math.exp(m * m) - 1,
        "squared-hellinger": 2 - 2 * math.exp(-m * m / 8),
        "total-variation": 2 * norm.cdf(m / 2) - 1,
    }
    for name, closed in expected.items():
        assert value(DIVERGENCES[name]) == pytest.approx(closed, rel=1e-7), name
    whole = value(DIVERGENCES["jensen-shannon"])
    assert value(DIVERGENCES["weighted-jensen-shannon"]) == pytest.approx(whole / 2, rel=1e-9)
    assert value(DIVERGENCES["gan"]) == pytest.approx(whole - math.log(4), rel=1e-9)


def test_gan_is_the_original_game():
    real, fake = np.random.default_rng(0).standard_normal((2, 6, 1))
    both = [o.discriminator(real, fake) for o in (FGAN(divergence="gan"), Minimax())]
    for ours, theirs in zip(*both, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-14)
    for trick, original in ((False, Minimax()), (True, NonSaturating())):
        ours = FGAN(divergence="gan", trick=trick).generator(fake)
        for a, b in zip(ours, original.generator(fake), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-14)


@pytest.mark.parametrize("name", DIVERGENCES)
def test_the_trick_raises_t_of_generated_examples_as_the_saddle_does(name):
    """Both pull v up, with unlike strength but at T = f'(1), where they agree."""
    fake = np.linspace(-2, 2, 9)[:, None]
    saddle = FGAN(divergence=name).generator(fake)[1]
    trick = FGAN(divergence=name, trick=True).generator(fake)[1]
    row = DIVERGENCES[name]
    if name == "pearson":  # below v = -2, u would be negative: 1 + v / 2
        saddle, trick = saddle[1:], trick[1:]
    assert (saddle < 0).all()
    assert (trick < 0).all()
    v = np.array([{"kl": 1.0, "weighted-jensen-shannon": -math.log(math.sqrt(2) - 1)}.get(name, 0)])
    np.testing.assert_allclose(row.pulled_slope(v), row.activation_slope(v), rtol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@every_row
def test_far_out_numbers_are_finite_where_the_divergence_is(row, dtype):
    """Divergences with a bounded T never overflow; the others do where their values leave dtype."""
    v = np.array([-60.0, 60.0], dtype)
    names = ("activation", "activation_slope", "pulled", "pulled_slope")
    for function in (getattr(row, name) for name in names):
        assert np.isfinite(function(v)).all()
        assert function(v).dtype == dtype


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("pi", [0.2, 0.5, 0.9])
def test_the_weighted_one_goes_on_as_a_line_far_out(pi, dtype):
    """Where softplus(-v) underflows, and D is most wrong, T still has its pull 1 - pi."""
    row = divergence("weighted-jensen-shannon", pi=pi)
    v = np.array([40.0, 90.0, 200.0, 5000.0], dtype)
    # log(1 - e^(-s / pi)) with s = e^(-v) small is log(s / pi) = -v - log(pi).
    exact = (1 - pi) * (math.log(1 - pi) + v.astype(np.float64) + math.log(pi))
    rtol = 8 * np.finfo(dtype).eps
    np.testing.assert_allclose(row.pulled(v), exact, rtol=rtol)
    np.testing.assert_allclose(row.pulled_slope(v), 1 - pi, rtol=rtol)
    assert row.pulled(v).dtype == dtype
    line = np.linspace(14, 45, 300).astype(dtype)  # across the place where the line begins
    assert (np.diff(row.pulled(line)) > 0).all()
    np.testing.assert_allclose(
        np.diff(row.pulled(line)) / np.diff(line),
        1 - pi,
        rtol=1e-3 if dtype == np.float32 else 1e-4,
    )


@pytest.mark.parametrize("name", ["neyman", "squared-hellinger"])
def test_nothing_cancels_where_p_equals_q(name):
    v = np.array([-1e-5, 1e-7, 1e-5, 1e-3], np.float32)
    row = divergence(name)
    for function in (row.activation, row.pulled):
        np.testing.assert_allclose(function(v), function(v.astype(np.float64)), rtol=3e-7)


@pytest.mark.parametrize(
    ("name", "outside"),
    [
        ("total-variation", 0.6),
        ("total-variation", -0.6),
        ("reverse-kl", 0.0),
        ("neyman", 1.0),
        ("squared-hellinger", 1.5),
        ("jensen-shannon", math.log(2)),
        ("weighted-jensen-shannon", 0.5),
        ("gan", 0.1),
        ("kl", math.nan),
    ],
)
def test_a_t_outside_the_domain_is_refused(name, outside):
    row = DIVERGENCES[name]
    with pytest.raises(OptionError, match=f"conjugate of {name} takes .* got numbers from .* to "):
        row.conjugate(np.array([row.threshold, outside]))


def test_refused():
    with pytest.raises(UnknownNameError, match="unknown divergence 'kll'; did you mean 'kl'"):
        divergence("kll")
    for pi in (0.0, 1.0, math.nan):
        with pytest.raises(OptionError, match=r"pi=.* must lie in \(0, 1\)"):
            divergence("weighted-jensen-shannon", pi=pi)
    with pytest.raises(OptionError, match=r"pi=0.3 belongs to .*'weighted.*'; 'kl' has none"):
        FGAN(divergence="kl", pi=0.3)


def test_lamberts_w_of_an_exponential():
    """SciPy's lambertw where e^x can be held; beyond that w + log w = x itself."""
    x = np.linspace(-20, 700, 200)
    np.testing.assert_allclose(lambertw_exp(x), lambertw(np.exp(x)).real, rtol=1e-13)
    x = np.array([800.0, 1e5, 1e12])
    w = lambertw_exp(x)
    np.testing.assert_allclose(w + np.log(w), x, rtol=1e-14)
    single = np.linspace(-20, 80, 50, dtype=np.float32)
    assert lambertw_exp(single).dtype == np.float32
    expected = lambertw_exp(single.astype(np.float64))
    np.testing.assert_allclose(lambertw_exp(single), expected, rtol=1e-5)
