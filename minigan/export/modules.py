"""What PyTorch has no module for: the source of each, for the file that `torch.py` writes.

Each takes and gives channels first, as PyTorch does, unless it says otherwise.
"""

from __future__ import annotations

MODULES: dict[str, str] = {
    "ChannelsFirst": '''\
class ChannelsFirst(nn.Module):
    """(N, ..., C) -> (N, C, ...)."""

    def forward(self, x):
        return x.movedim(-1, 1)
''',
    "ChannelsLast": '''\
class ChannelsLast(nn.Module):
    """(N, C, ...) -> (N, ..., C)."""

    def forward(self, x):
        return x.movedim(1, -1)
''',
    "Residual": """\
class Residual(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x):
        return self.body(x) + self.shortcut(x)
""",
    "Scale": """\
class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x
""",
    "Concat": '''\
class Concat(nn.Sequential):
    """Every branch sees x; their channels are joined."""

    def forward(self, x):
        return torch.cat([branch(x) for branch in self], 1)
''',
    "Parallel": '''\
class Parallel(nn.Sequential):
    """Branch i sees input i; their channels are joined."""

    def forward(self, *xs):
        return torch.cat([branch(x) for branch, x in zip(self, xs)], 1)
''',
    "Chain": '''\
class Chain(nn.Sequential):
    """nn.Sequential whose first module takes several inputs."""

    def forward(self, *xs):
        for module in self:
            xs = (module(*xs),)
        return xs[0]
''',
    "GaussianNoise": '''\
class GaussianNoise(nn.Module):
    """Normal noise on everything, in training mode."""

    def __init__(self, std):
        super().__init__()
        self.std = std

    def forward(self, x):
        return x + self.std * torch.randn_like(x) if self.training else x
''',
    "Maxout": '''\
class Maxout(nn.Module):
    """The largest of `pieces` neighbouring features."""

    def __init__(self, pieces):
        super().__init__()
        self.pieces = pieces

    def forward(self, x):
        return x.unflatten(1, (-1, self.pieces)).amax(2)
''',
    "Pack": '''\
class Pack(nn.Module):
    """m neighbours of the batch, joined along the channels."""

    def __init__(self, m):
        super().__init__()
        self.m = m

    def forward(self, x):
        return x.reshape(-1, self.m * x.shape[1], *x.shape[2:])
''',
    "MinibatchStdDev": '''\
class MinibatchStdDev(nn.Module):
    """One more channel: how much the examples of a group, or of the batch, differ."""

    def __init__(self, group, eps):
        super().__init__()
        self.group, self.eps = group, eps

    def forward(self, x):
        size = min(self.group or len(x), len(x))
        groups = x.reshape(size, len(x) // size, -1)
        s = (groups.var(0, unbiased=False) + self.eps).sqrt().mean(1)
        column = s.repeat(size).reshape(-1, *[1] * (x.ndim - 1))
        return torch.cat([x, column.expand_as(x[:, :1])], 1)
''',
    "MinibatchDiscrimination": '''\
class MinibatchDiscrimination(nn.Module):
    """Closeness to the rest of the batch, joined to the features."""

    def __init__(self, features, kernels, dim):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(features, kernels, dim))

    def forward(self, x):
        M = torch.einsum("na,abc->nbc", x, self.weight)
        near = (-(M[:, None] - M).abs().sum(3)).exp()
        return torch.cat([x, near.sum(1)], 1)
''',
    "GlobalPool": '''\
class GlobalPool(nn.Module):
    """Over all places: (N, C, ...) -> (N, C)."""

    def __init__(self, kind):
        super().__init__()
        self.pool = getattr(torch, kind)

    def forward(self, x):
        return self.pool(x.flatten(2), 2)
''',
    "VirtualBatchNorm": '''\
class VirtualBatchNorm(nn.Module):
    """Rows after the first `size` are normalised over these and themselves."""

    def __init__(self, features, size, eps, affine):
        super().__init__()
        self.size, self.eps = size, eps
        self.weight = nn.Parameter(torch.ones(features)) if affine else None
        self.bias = nn.Parameter(torch.zeros(features)) if affine else None

    def forward(self, x):
        rows = x.flatten(2) if x.ndim > 2 else x[:, :, None]
        reference, own = rows[: self.size], rows[self.size :]
        m_0 = reference.mean((0, 2), keepdim=True)
        v_0 = (reference - m_0).square().mean((0, 2), keepdim=True)
        m = own.mean(2, keepdim=True)
        w = (own - m).square().mean(2, keepdim=True)
        a, b = self.size / (self.size + 1), 1 / (self.size + 1)
        mean = m_0 + b * (m - m_0)
        var = a * v_0 + b * w + a * b * (m - m_0).square()
        y = torch.cat(
            [(reference - m_0) / (v_0 + self.eps).sqrt(), (own - mean) / (var + self.eps).sqrt()]
        )
        if self.weight is not None:
            y = y * self.weight[:, None] + self.bias[:, None]
        return y.reshape(x.shape)
''',
    "ReferenceBatch": '''\
class ReferenceBatch(nn.Module):
    """A network that runs a fixed batch in front of every minibatch, and drops it after."""

    def __init__(self, net, shape):
        super().__init__()
        self.net = net
        self.register_buffer("reference", torch.empty(shape))

    def forward(self, x):
        return self.net(torch.cat([self.reference, x]))[len(self.reference) :]
''',
    "ReconstructionError": '''\
class ReconstructionError(nn.Module):
    """The energy of x: the mean of |decoder(encoder(x)) - x| ** power over its numbers."""

    def __init__(self, encoder, decoder, power):
        super().__init__()
        self.encoder, self.decoder, self.power = encoder, decoder, power

    def forward(self, x):
        apart = (self.decoder(self.encoder(x)) - x).abs() ** self.power
        return apart.flatten(1).mean(1, keepdim=True)
''',
}
