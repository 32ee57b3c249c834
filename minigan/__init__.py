"""minigan: generative adversarial networks from scratch, every gradient by hand."""

from minigan.version import __version__

__all__ = ["__version__"]
