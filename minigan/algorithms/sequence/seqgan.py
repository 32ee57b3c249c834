r"""SeqGAN: sentences by policy gradient, with D's judgement as the reward (Yu et al. 2017).

    Require: generator policy G_theta; roll-out policy G_beta; discriminator D_phi; sentences S
    pre-train G_theta by maximum likelihood on S                                stage 1
    beta <- theta
    generate negative samples with G_theta, and pre-train D_phi                 stage 2
    repeat                                                                      stage 3
        for g-steps do
            generate a sequence Y_{1:T} = (y_1, ..., y_T) ~ G_theta
            for t in 1 : T do
                compute Q(a = y_t; s = Y_{1:t-1})                               seqgan.4
            update theta by policy gradient                                     seqgan.8
        for d-steps do
            generate negative examples with G_theta, combine them with positive ones of S
            train D_phi for k epochs                                            seqgan.5
        beta <- theta
    until SeqGAN converges

Tokens are discrete, so no gradient of D reaches G through them. G is a policy instead, a token is
its action, and what D says of the finished sentence is the reward. For the tokens before the last
one the sentence is not finished yet: roll-outs by G_beta complete it N times, and the action's
value is the mean of D's answers.

The three stages are those of one run. An iteration takes `d_steps` minibatches of S: in stage 1
they are as many steps of maximum likelihood, in stages 2 and 3 each is the positive half of a
d-step, which generates as many negative ones and goes over both k times. (A d-step of the authors'
code generates 10,000 sentences, as many as S has.) Maximum likelihood and the policy gradient have
optimisers of their own, as there.

The authors' code keeps a share of beta, 0.8, at each beta <- theta, the paper's box none; that
share is `rollout_lag`. Its D is a softmax of two classes, which is the sigmoid of one number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from minigan.algorithms.base import Algorithm, Scalars
from minigan.algorithms.checks import check_clip_norm, check_counts, check_weights
from minigan.algorithms.options import OptimizerOptions, Streams, Task
from minigan.algorithms.settings import option
from minigan.backend import Array, scalar, to_device, to_host
from minigan.errors import OptionError
from minigan.layers import Dense, Sequential
from minigan.losses import NonSaturating, weighted_nll
from minigan.losses.objective import Value
from minigan.losses.tokens import token_log_likelihood
from minigan.models import policy, sentence_discriminator, sentence_generator
from minigan.models.seqgan import FILTERS, WINDOWS
from minigan.noise import Rng
from minigan.ops.activation import sigmoid
from minigan.optim import Optimizer

PAPER = (
    "Yu, Zhang, Wang and Yu 2017, SeqGAN: sequence generative adversarial nets with policy"
    " gradient, AAAI, arXiv:1609.05473"
)

EQUATIONS = {
    "seqgan.mle": r"\min_\theta -\mathbb{E}_{Y \sim p_{data}}"
    r"\Big[\sum_{t=1}^T \log G_\theta(y_t | Y_{1:t-1})\Big]",
    "seqgan.4": r"Q_{D_\phi}^{G_\theta}(a = y_t, s = Y_{1:t-1}) = \begin{cases}"
    r" \frac{1}{N} \sum_{n=1}^N D_\phi(Y_{1:T}^n), \; Y_{1:T}^n \in MC^{G_\beta}(Y_{1:t}; N)"
    r" & t < T \\ D_\phi(Y_{1:t}) & t = T \end{cases}",
    "seqgan.5": r"\min_\phi -\mathbb{E}_{Y \sim p_{data}}[\log D_\phi(Y)]"
    r" - \mathbb{E}_{Y \sim G_\theta}[\log(1 - D_\phi(Y))]",
    "seqgan.7": r"\nabla_\theta J(\theta) \simeq \sum_{t=1}^T \mathbb{E}_{y_t \sim G_\theta}"
    r"[\nabla_\theta \log G_\theta(y_t | Y_{1:t-1}) \cdot"
    r" Q_{D_\phi}^{G_\theta}(y_t, Y_{1:t-1})]",
    "seqgan.8": r"\theta \leftarrow \theta + \alpha_h \nabla_\theta J(\theta)",
}

LIKELIHOOD = "likelihood"  # the optimiser of stage 1, which moves G


class SeqGAN(Algorithm):
    """The loop above. G says sentences of `length` tokens, D (N, T) -> logits (N, 1) judges them.

    rollout: a network like G, for beta. optimizer_likelihood, optimizer_G: of G in stage 1 and in
    stage 3. ends: whether token 0 ends a sentence. pretrain_G, pretrain_D: iterations of stages 1
    and 2. rollouts: N of seqgan.4. l2: of the squares of D's last layer, halved. Raises OptionError
    for numbers below 1.
    """

    def __init__(
        self,
        G: Sequential,
        D: Sequential,
        rollout: Sequential,
        *,
        optimizer_likelihood: Optimizer,
        optimizer_G: Optimizer,
        optimizer_D: Optimizer,
        length: int,
        ends: bool,
        pretrain_G: int,
        pretrain_D: int,
        g_steps: int = 1,
        d_steps: int = 5,
        k: int = 3,
        rollouts: int = 16,
        rollout_lag: float = 0.8,
        l2: float = 0.2,
        max_grad_norm: float = np.inf,
        rng: Rng,
    ) -> None:
        if min(pretrain_G, pretrain_D, g_steps, d_steps, k, rollouts) < 1:
            raise OptionError(
                f"stages of {pretrain_G} and {pretrain_D} iterations, {g_steps} g-steps, {d_steps} "
                f"d-steps, k={k}, {rollouts} roll-outs: wanted at least 1 of each"
            )
        self.G, self.D, self.rollout = G, D, rollout
        self.networks = {"G": G, "D": D, "rollout": rollout}
        self.optimizers = {LIKELIHOOD: optimizer_likelihood, "G": optimizer_G, "D": optimizer_D}
        self.averages = {}
        self.objective = NonSaturating()
        self.length, self.ends = length, ends
        self.pretrain_G, self.pretrain_D = pretrain_G, pretrain_D
        self.g_steps, self.d_steps, self.k = g_steps, d_steps, k
        self.rollouts, self.rollout_lag, self.l2 = rollouts, rollout_lag, l2
        self.max_grad_norm = max_grad_norm
        self.rng = rng
        self.minibatches = d_steps
        self.stage_starts: Sequence[int] = (0, pretrain_G, pretrain_G + pretrain_D)

    # --- stages -----------------------------------------------------------------------------------

    @property
    def stage(self) -> int:
        """The stage of the next iteration: 1, 2 or 3."""
        taken = self.optimizers[LIKELIHOOD].t // self.d_steps
        taken += self.optimizers["D"].t // (self.d_steps * self.k)
        return sum(taken >= start for start in self.stage_starts)

    @property
    def step_kind(self) -> int:
        """The stage of the next iteration."""
        return self.stage

    def skip_to(self, step: int) -> None:
        self.optimizers[LIKELIHOOD].t = min(step, self.pretrain_G) * self.d_steps
        self.optimizers["D"].t = max(step - self.pretrain_G, 0) * self.d_steps * self.k

    def notes(self) -> list[str]:
        """When which stage begins."""
        _, second, third = self.stage_starts
        return [
            f"steps 1 to {second}: G by maximum likelihood; to {third}: D alone; then policy "
            "gradient"
        ]

    def step(self, y: Array) -> Scalars:
        """One iteration on sentences (d_steps m, T), of the stage that it belongs to."""
        stage = self.stage
        positive = y.reshape(self.d_steps, -1, self.length)
        if stage == 1:
            return self.likelihood_steps(positive) | {"stage": stage}
        scalars: Scalars = {}
        if stage == 2:
            self.follow(0.0)  # beta <- theta
        else:
            scalars |= self.generator_steps(positive.shape[1])
        scalars |= self.discriminator_steps(positive)
        if stage == 3:
            self.follow(self.rollout_lag)
        return scalars | {"stage": stage}

    # --- G ----------------------------------------------------------------------------------------

    def likelihood_steps(self, minibatches: Array) -> Scalars:
        """Stage 1: a step of maximum likelihood for each minibatch (m, T)."""
        loss: Value = 0.0
        norm: Any = 0.0
        for y in minibatches:
            G = self.G
            G.flat.zero_grad()
            logits, ctx = policy.logits_of(G, y)
            going = policy.said(y, self.ends, logits.dtype)
            loss, dlogits = weighted_nll(logits, y, going / going.sum())  # eq: seqgan.mle
            G.backward(dlogits, ctx, need_dx=False)
            norm = self.descend("G", loss, optimizer=LIKELIHOOD)
        return {"NLL": loss, "grad_norm_G": norm}

    def generator_steps(self, m: int) -> Scalars:
        """g-steps of the policy gradient, with m sentences each."""
        scalars: Scalars = {}
        for _ in range(self.g_steps):
            y = policy.draw_sentences(self.G, m, self.length, self.rng, self.ends)
            scalars = self.reinforce(y, self.action_values(y))
        return scalars

    def action_values(self, y: Array) -> Array:
        """Q of every token of sentences (m, T): what D says of the roll-outs behind it."""
        m, length = y.shape
        last = self.reward(y)
        if length == 1:
            return last[:, None]
        total: Any = 0
        for _ in range(self.rollouts):
            finished = policy.continuations(self.rollout, y, self.rng, self.ends)
            total = total + self.reward(finished.reshape(-1, length)).reshape(length - 1, m)
        mean = total / total.dtype.type(self.rollouts)  # eq: seqgan.4
        return np.concatenate([mean.T, last[:, None]], 1)

    def reward(self, y: Array) -> Array:
        """D(Y) of sentences (N, T): probabilities (N,)."""
        logits, _ = self.D.forward(y, train=False, update_stats=False)
        return sigmoid(logits[:, 0].copy())

    def reinforce(self, y: Array, Q: Array) -> Scalars:
        """A step up the gradient of the expected reward, for sentences y and their values (m, T).

        The loss is the surrogate -1/m sum Q log G(y_t | ...), whose gradient with Q held constant
        is that of seqgan.7 with its sign turned.
        """
        G = self.G
        G.flat.zero_grad()
        logits, ctx = policy.logits_of(G, y)
        weights = Q * policy.said(y, self.ends, Q.dtype) / Q.dtype.type(len(y))
        loss, dlogits = weighted_nll(logits, y, weights)  # eq: seqgan.7
        G.backward(dlogits, ctx, need_dx=False)
        norm = self.descend("G", loss)  # eq: seqgan.8
        return {"loss_G": loss, "reward": scalar(Q[:, -1].mean()), "grad_norm_G": norm}

    def follow(self, lag: float) -> None:
        """beta <- lag beta + (1 - lag) theta."""
        beta, theta = self.rollout.flat, self.G.flat
        of = beta.data.dtype.type
        beta.load(of(lag) * beta.data + of(1 - lag) * theta.data)

    # --- D ----------------------------------------------------------------------------------------

    def discriminator_steps(self, minibatches: Array) -> Scalars:
        """A d-step for each minibatch of positive sentences (m, T)."""
        scalars: Scalars = {}
        for positive in minibatches:
            m = len(positive)
            negative = policy.draw_sentences(self.G, m, self.length, self.rng, self.ends)
            for _ in range(self.k):
                scalars = self.update_discriminator(positive, negative)
        return scalars

    def update_discriminator(self, positive: Array, negative: Array) -> Scalars:
        """One step of D on as many positive as negative sentences."""
        D = self.D
        D.flat.zero_grad()
        real, real_ctx = D.forward(positive)
        fake, fake_ctx = D.forward(negative)
        loss, d_real, d_fake = self.objective.discriminator(real, fake)  # eq: seqgan.5
        D.backward(d_real, real_ctx, need_dx=False)
        D.backward(d_fake, fake_ctx, need_dx=False)
        loss = loss + self._shrink()
        norm = self.descend("D", loss)
        return {"loss_D": loss, **self.objective.report(real, fake), "grad_norm_D": norm}

    def _shrink(self) -> Value:
        """l2 / 2 |W|^2 of D's last layer, whose gradient l2 W is added."""
        head = self.D.layers[-1]
        assert isinstance(head, Dense)
        total: Any = 0
        for p in head.own_params.values():
            of = p.data.dtype.type
            p.grad += of(self.l2) * p.data
            total = total + of(self.l2 / 2) * (p.data * p.data).sum()
        return scalar(total)

    # --- samples ----------------------------------------------------------------------------------

    def sample(self, n: int, rng: np.random.Generator) -> Array:
        """n sentences, int64 (n, T), on the host.

        Raises NonFiniteError where the weights have run away.
        """
        self.finite(self.G.flat.data, "a weight of G")
        noise = _OnDevice(rng, self.device)
        return to_host(policy.draw_sentences(self.G, n, self.length, noise, self.ends))

    def log_likelihood(self, y: Array) -> Array:
        """log G(y_t | Y_{1:t-1}), the mean over each sentence of y (N, T), on the host."""
        given = to_device(y, self.device)
        logits, _ = policy.logits_of(self.G, given)
        going = policy.said(given, self.ends, logits.dtype)
        total = (going * token_log_likelihood(logits, given)).sum(1)
        return to_host(total / going.sum(1))


@dataclass(frozen=True)
class _OnDevice:
    """Numbers of the host's generator on a device."""

    rng: np.random.Generator
    device: str

    def uniform(self, low: float, high: float, size: Any) -> Array:
        return to_device(self.rng.uniform(low, high, size), self.device)

    def standard_normal(self, size: Any) -> Array:
        return to_device(self.rng.standard_normal(size), self.device)


@dataclass(frozen=True, kw_only=True)
class Options(OptimizerOptions):
    """The paper's g-steps 1, d-steps 5 and k 3; all else as in the authors' code.

    Adam at 0.01 for G and 1e-4 for D, gradients of G no longer than 5; N = 16 roll-outs; LSTM and
    embedding of 32, D's of 64 with 12 widths of windows, dropout 0.25, L2 of 0.2.
    """

    lr: float = option(0.01, "learning rate of G")
    lr_policy: float | None = option(None, "that of G in stage 3 (default: --lr)")
    lr_D: float = option(1e-4, "learning rate of D")
    clip_norm: float | None = option(5.0, "longest gradient that is not scaled down")
    words: int | None = option(None, "words of --data oracle (default: 5000)")
    length: int | None = option(
        None, "words of a sentence (default: 20 of the oracle, the longest of other data)"
    )
    pretrain_G: int = option(0, "iterations of maximum likelihood first (0: half of the run)")
    pretrain_D: int = option(0, "iterations of D alone after these (0: a tenth of the run)")
    g_steps: int = option(1, "steps of the policy gradient in an iteration")
    d_steps: int = option(5, "sets of sentences that D learns from in an iteration")
    k: int = option(3, "times that D goes over each of these sets")
    rollouts: int = option(16, "N, sentences that a beginning is completed to")
    rollout_lag: float = option(0.8, "share of the roll-out policy that stays in an iteration")
    embedding: int = option(32, "numbers that G knows a word by")
    hidden: int = option(32, "units of G's LSTM")
    embedding_D: int = option(64, "numbers that D knows a word by")
    windows: tuple[int, ...] = option(WINDOWS, "words that D's filters see, wider ones left out")
    filters: tuple[int, ...] = option(FILTERS, "how many filters of each of these widths")
    dropout: float = option(0.25, "share of D's features that a pass leaves out")
    l2: float = option(0.2, "weight of the squares of D's last layer, halved")


def build(options: Options, task: Task, streams: Streams) -> SeqGAN:
    """Its networks for sentences of the task's words. Raises OptionError for impossible values."""
    if task.kind != "sentences" or task.words is None:
        raise OptionError(
            "seqgan learns from sentences: give --data oracle or captions, or a text file of a "
            "sentence a line"
        )
    check_clip_norm(options)
    check_weights(options, "l2")
    check_counts(options, "pretrain_G", "pretrain_D", least=0)
    check_counts(options, "g_steps", "d_steps", "k", "rollouts")
    check_counts(options, "embedding", "hidden", "embedding_D")
    if not 0 <= options.rollout_lag < 1:
        raise OptionError(f"--rollout-lag {options.rollout_lag} must lie in [0, 1)")
    (length,) = task.shape
    G, rollout = (
        sentence_generator(
            task.words, embedding=options.embedding, hidden=options.hidden, rng=streams.weights
        )
        for _ in range(2)
    )
    D = sentence_discriminator(
        task.words,
        length,
        embedding=options.embedding_D,
        windows=options.windows,
        filters=options.filters,
        dropout=options.dropout,
        rng=streams.weights,
    )
    each = options.d_steps
    return SeqGAN(
        G,
        D,
        rollout,
        optimizer_likelihood=options.build_optimizer(G.flat, task, k=each),
        optimizer_G=options.build_optimizer(G.flat, task, lr=options.lr_policy, k=options.g_steps),
        optimizer_D=options.build_optimizer(D.flat, task, lr=options.lr_D, k=each * options.k),
        length=length,
        ends=task.ends,
        pretrain_G=options.pretrain_G or max(1, task.steps // 2),
        pretrain_D=options.pretrain_D or max(1, task.steps // 10),
        g_steps=options.g_steps,
        d_steps=each,
        k=options.k,
        rollouts=options.rollouts,
        rollout_lag=options.rollout_lag,
        l2=options.l2,
        max_grad_norm=np.inf if options.clip_norm is None else options.clip_norm,
        rng=streams.noise,
    )
