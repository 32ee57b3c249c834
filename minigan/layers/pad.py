"""Padding with the picture itself."""

from __future__ import annotations

from minigan.backend import Array
from minigan.errors import OptionError, ShapeError
from minigan.layers.shape import Linear
from minigan.ops.reflect import reflect, reflect_dx


class ReflectionPad2d(Linear):
    """Images (N, H, W, C) mirrored at their borders, which are not repeated.

    padding: pixels on every side, or (left, right, top, bottom) as in PyTorch; each below the size
    of the image along its axis. A convolution behind it sees no border of zeros, which would show
    in what a generator draws (Zhu et al. 2017, arXiv:1703.10593, section 7.2).
    """

    def __init__(self, padding: int | tuple[int, int, int, int]) -> None:
        super().__init__()
        sides = (padding,) * 4 if isinstance(padding, int) else tuple(padding)
        if len(sides) != 4 or any(not isinstance(side, int) or side < 0 for side in sides):
            raise OptionError(
                f"padding={padding!r}: wanted an int or (left, right, top, bottom), each at least 0"
            )
        self.left, self.right, self.top, self.bottom = sides

    @property
    def padding(self) -> tuple[int, int, int, int]:
        """Left, right, top and bottom."""
        return self.left, self.right, self.top, self.bottom

    def describe(self) -> str:
        return str(self.padding if len(set(self.padding)) > 1 else self.left)

    def apply(self, x: Array) -> Array:
        self.check_images(x)
        tall, wide = max(self.top, self.bottom), max(self.left, self.right)
        if x.shape[1] <= tall or x.shape[2] <= wide:
            raise ShapeError(
                f"{self!r} wanted images of at least {tall + 1}x{wide + 1}, got shape {x.shape}: "
                "a mirror shows no more than there is"
            )
        return reflect(x, self.padding)

    def adjoint(self, dy: Array, x_shape: tuple[int, ...]) -> Array:
        return reflect_dx(dy, self.padding)
