"""The source of PyTorch modules for conditions, words, attention and styles, as in modules.py."""

from __future__ import annotations

MODULES: dict[str, str] = {
    "Conditioned": '''\
class Conditioned(nn.Sequential):
    """Modules one after another; those with these numbers see the condition c too."""

    def __init__(self, *modules, conditional):
        super().__init__(*modules)
        self.conditional = conditional

    def forward(self, x, c):
        for i, module in enumerate(self):
            x = module(x, c) if i in self.conditional else module(x)
        return x
''',
    "ConditionedConcat": '''\
class ConditionedConcat(nn.Sequential):
    """Branches of one x, joined along the channels; those with these numbers see c too."""

    def __init__(self, *modules, conditional):
        super().__init__(*modules)
        self.conditional = conditional

    def forward(self, x, c):
        parts = [m(x, c) if i in self.conditional else m(x) for i, m in enumerate(self)]
        return torch.cat(parts, 1)
''',
    "Embedded": '''\
class Embedded(nn.Module):
    """net(x, embed(c))."""

    def __init__(self, embed, net):
        super().__init__()
        self.embed, self.net = embed, net

    def forward(self, x, c):
        return self.net(x, self.embed(c))
''',
    "JoinCondition": '''\
class JoinCondition(nn.Module):
    """embed(c) at every place, or with places of its own, beside x's channels."""

    def __init__(self, embed):
        super().__init__()
        self.embed = embed

    def forward(self, x, c):
        e = self.embed(c)
        if e.ndim == x.ndim:
            return torch.cat([x, e], 1)
        planes = e.reshape(*e.shape, *[1] * (x.ndim - 2)).expand(*e.shape, *x.shape[2:])
        return torch.cat([x, planes], 1)
''',
    "Modulation": '''\
class Modulation(nn.Module):
    """(1 + scale(c)) x + shift(c)."""

    def __init__(self, scale, shift):
        super().__init__()
        self.scale, self.shift = scale, shift

    def forward(self, x, c):
        s, t = (v.reshape(*v.shape, *[1] * (x.ndim - 2)) for v in (self.scale(c), self.shift(c)))
        return (1 + s) * x + t
''',
    "Projection": '''\
class Projection(nn.Module):
    """embed(c) . x + score(x)."""

    def __init__(self, embed, score):
        super().__init__()
        self.embed, self.score = embed, score

    def forward(self, x, c):
        return (self.embed(c) * x).sum(1, keepdim=True) + self.score(x)
''',
    "ConditionalResidual": """\
class ConditionalResidual(nn.Module):
    def __init__(self, body, shortcut):
        super().__init__()
        self.body, self.shortcut = body, shortcut

    def forward(self, x, c):
        return self.body(x, c) + self.shortcut(x)
""",
    "SkipZ": '''\
class SkipZ(nn.Module):
    """Each block sees e beside its own chunk of z; `chunks` says which, None for no condition."""

    def __init__(self, first, stages, chunk, chunks):
        super().__init__()
        self.first, self.stages, self.chunk, self.chunks = first, stages, chunk, chunks

    def forward(self, z, e):
        x = self.first(z[:, : self.chunk])
        for module, i in zip(self.stages, self.chunks):
            if i is None:
                x = module(x)
            else:
                own = z[:, i * self.chunk : (i + 1) * self.chunk]
                x = module(x, torch.cat([e, own], 1))
        return x
''',
    "Columns": '''\
class Columns(nn.Module):
    """Some of the channels."""

    def __init__(self, start, stop):
        super().__init__()
        self.start, self.stop = start, stop

    def forward(self, x):
        return x[:, self.start : self.stop]
''',
    "InnerProduct": """\
class InnerProduct(nn.Module):
    def forward(self, x):
        a, b = x.chunk(2, 1)
        return (a * b).sum(1, keepdim=True)
""",
    "LogSumExp": """\
class LogSumExp(nn.Module):
    def forward(self, x):
        return x.logsumexp(1, keepdim=True)
""",
    "SelfAttention": '''\
class SelfAttention(nn.Module):
    """x + gamma out(softmax(query key) value) over all places."""

    def __init__(self, query, key, value, out):
        super().__init__()
        self.query, self.key, self.value, self.out = query, key, value, out
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        q, k, v = (part(x).flatten(2) for part in (self.query, self.key, self.value))
        weights = torch.einsum("ncj,nci->nji", q, k).softmax(2)
        found = torch.einsum("nji,nci->ncj", weights, v).unflatten(2, x.shape[2:])
        return x + self.gamma * self.out(found)
''',
    "GRU": '''\
class GRU(nn.Module):
    """The states of all steps: (N, C, T) -> (N, H, T)."""

    def __init__(self, inputs, units):
        super().__init__()
        self.gru = nn.GRU(inputs, units, batch_first=True)

    def forward(self, x):
        return self.gru(x.movedim(1, 2))[0].movedim(2, 1)
''',
    "LSTM": '''\
class LSTM(nn.Module):
    """The states of all steps: (N, C, T) -> (N, H, T)."""

    def __init__(self, inputs, units):
        super().__init__()
        self.lstm = nn.LSTM(inputs, units, batch_first=True)

    def forward(self, x):
        return self.lstm(x.movedim(1, 2))[0].movedim(2, 1)
''',
    "Highway": '''\
class Highway(nn.Module):
    """A gate t says how much of x is transformed."""

    def __init__(self, transform, gate):
        super().__init__()
        self.transform, self.gate = transform, gate

    def forward(self, x):
        t = self.gate(x).sigmoid()
        return t * self.transform(x).relu() + (1 - t) * x
''',
    "RecurrentEncoder": '''\
class RecurrentEncoder(nn.Module):
    """Word numbers (N, T), 0 behind the last, -> the state at each row's last word."""

    def __init__(self, words, width, units):
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.gru = nn.GRU(width, units, batch_first=True)

    def forward(self, text):
        states = self.gru(self.embedding(text))[0]
        lengths = (text > 0).sum(1)
        last = states[torch.arange(len(text)), (lengths - 1).clamp(min=0)]
        return last * (lengths > 0)[:, None]
''',
    "ConvolutionalEncoder": '''\
class ConvolutionalEncoder(nn.Module):
    """Word numbers (N, T), 0 behind the last, -> the largest of each feature."""

    def __init__(self, words, width, units):
        super().__init__()
        self.embedding = nn.Embedding(words, width)
        self.conv1 = nn.Conv1d(width, units, 3, padding=1)
        self.conv2 = nn.Conv1d(units, units, 3, padding=1)

    def forward(self, text):
        words = (text > 0)[:, None].float()
        x = self.embedding(text).movedim(2, 1)
        for conv in (self.conv1, self.conv2):
            x = conv(x * words).relu()
        return (x * words).amax(2)
''',
    "ChannelwiseDense": """\
class ChannelwiseDense(nn.Module):
    def __init__(self, channels, places):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, places, places))

    def forward(self, x):
        y = torch.bmm(x.flatten(2).transpose(0, 1), self.weight)
        return y.transpose(0, 1).reshape(x.shape)
""",
    "PixelNorm": """\
class PixelNorm(nn.Module):
    def __init__(self, eps):
        super().__init__()
        self.eps = eps

    def forward(self, x):
        return x / (x.square().mean(1, keepdim=True) + self.eps).sqrt()
""",
    "AddNoise": """\
class AddNoise(nn.Module):
    def __init__(self):
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(1))

    def forward(self, x, noise):
        return x + self.strength * noise
""",
    "ModulatedConv2d": '''\
class ModulatedConv2d(nn.Module):
    """A convolution whose kernel a style s (N, inputs) scales; each output's back to length 1."""

    def __init__(self, inputs, outputs, size, gain, eps, demodulate):
        super().__init__()
        self.gain, self.eps, self.demodulate = gain, eps, demodulate
        self.weight = nn.Parameter(torch.empty(outputs, inputs, size, size))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x, s):
        half = self.weight.shape[2] // 2
        y = nn.functional.conv2d(s[:, :, None, None] * x, self.weight, padding=half)
        if self.demodulate:
            q = s.square() @ self.weight.square().sum((2, 3)).T
            y = y / (q + self.eps).sqrt()[:, :, None, None]
        return self.gain * y + self.bias[:, None, None]
''',
    "Styled": """\
class Styled(nn.Module):
    def __init__(self, style, conv):
        super().__init__()
        self.style, self.conv = style, conv

    def forward(self, x, w):
        return self.conv(x, self.style(w))
""",
    "StyledConv": """\
class StyledConv(nn.Module):
    def __init__(self, styled, up, noise, act):
        super().__init__()
        self.styled, self.up, self.noise, self.act = styled, up, noise, act

    def forward(self, x, w, n):
        return self.act(self.noise(self.up(self.styled(x, w)), n))
""",
    "Synthesis": '''\
class Synthesis(nn.Module):
    """Styles (N, w, styles), noise (N, pixels) -> pictures; counts: convolutions by size."""

    def __init__(self, convs, rgbs, up, counts, sizes, shape):
        super().__init__()
        self.convs, self.rgbs, self.up = convs, rgbs, up
        self.counts, self.sizes = counts, sizes
        self.const = nn.Parameter(torch.empty(shape))

    def forward(self, ws, noise):
        x, rgb = self.const.expand(len(ws), *self.const.shape), None
        convs, style, place = iter(self.convs), 0, 0
        for count, (h, w), to_rgb in zip(self.counts, self.sizes, self.rgbs):
            for _ in range(count):
                n = noise[:, place : place + h * w].reshape(-1, 1, h, w)
                x = next(convs)(x, ws[:, :, style], n)
                style, place = style + 1, place + h * w
            colours = to_rgb(x, ws[:, :, style])
            rgb = colours if rgb is None else self.up(rgb) + colours
        return rgb
''',
    "StyleGenerator": '''\
class StyleGenerator(nn.Module):
    """z and noise (N, pixels) -> pictures; w_avg is the mean of w, for truncation."""

    def __init__(self, mapping, synthesis, styles, w_dim, pixels):
        super().__init__()
        self.mapping, self.synthesis, self.styles = mapping, synthesis, styles
        self.register_buffer("w_avg", torch.zeros(w_dim))
        self.register_buffer("noise", torch.zeros(pixels))

    def forward(self, z, noise=None):
        noise = self.noise.expand(len(z), -1) if noise is None else noise
        return self.synthesis(self.mapping(z)[:, :, None].expand(-1, -1, self.styles), noise)
''',
    "LocalEnhancer": """\
class LocalEnhancer(nn.Module):
    def __init__(self, front, back):
        super().__init__()
        self.front, self.back = front, back

    def forward(self, x, coarse):
        return self.back(self.front(x) + coarse)
""",
    "CoarseToFine": '''\
class CoarseToFine(nn.Module):
    """G2(x, the features that G1 finds in x at half its size)."""

    def __init__(self, G1, G2):
        super().__init__()
        self.G1, self.G2 = G1, G2

    def forward(self, x):
        return self.G2(x, self.G1(nn.functional.avg_pool2d(x, 2)))
''',
    "FramePyramid": '''\
class FramePyramid(nn.Sequential):
    """The next frame at several sizes, the coarsest first; each changes the one before."""

    def forward(self, x):
        frames = [x]
        while len(frames) < len(self):
            frames.insert(0, nn.functional.avg_pool2d(frames[0], 2))
        y = torch.tanh(self[0](frames[0]))
        for part, own in list(zip(self, frames))[1:]:
            guess = nn.functional.interpolate(y, scale_factor=2)
            y = torch.tanh(guess + part(torch.cat([own, guess], 1)))
        return y
''',
}
