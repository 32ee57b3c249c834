"""Features from any ONNX network that the user names, run by onnxruntime (the extra `onnx`).

The file's only input takes pictures, channels first or last, of a fixed size or any; its first
output, flattened, is the features. "FILE.onnx" must hold the network up to the layer that is
wanted, for pictures in [-1, 1].
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from minigan.backend import Array
from minigan.data.pictures import fit_all, to_float
from minigan.errors import DataError, OptionError

CHUNK = 64  # pictures at a time, where the network takes any number


class OnnxExtractor:
    """The first output of an ONNX file's network.

    Raises OptionError where onnxruntime is missing, DataError for a file that is no network of
    pictures.
    """

    def __init__(self, path: Path) -> None:
        runtime = _runtime()
        try:
            data = path.read_bytes()
            self._session = runtime.InferenceSession(data, providers=["CPUExecutionProvider"])
        except OSError as error:
            raise DataError(f"--extractor {path} cannot be read: {error.strerror}") from error
        except Exception as error:  # onnxruntime's errors have no public base
            raise DataError(f"--extractor {path} is no ONNX network: {_first(error)}") from error
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            named = ", ".join(repr(one.name) for one in inputs)
            raise DataError(
                f"--extractor {path} has {len(inputs)} inputs ({named}); wanted one, for pictures"
            )
        (given,) = inputs
        if given.type != "tensor(float)" or len(given.shape) != 4:
            raise DataError(
                f"--extractor {path}: its input {given.name!r} is {given.type} {given.shape}; "
                "wanted float pictures, (N, C, H, W) or (N, H, W, C)"
            )
        self._input, self._shape = (
            given.name,
            [n if isinstance(n, int) else None for n in given.shape],
        )
        digest = hashlib.sha256(data).hexdigest()[:8]
        self.name = f"{path.name} (sha256 {digest}...), output {self._output!r}"

    @property
    def _output(self) -> str:
        return str(self._session.get_outputs()[0].name)

    def features(self, x: Array) -> Array:
        """The first output for pictures (N, H, W, C), resized to the network's size: (N, F)."""
        step = self._shape[0] or CHUNK
        rows = [self._rows(x[i : i + step], step) for i in range(0, len(x), step)]
        return np.concatenate(rows)

    def probabilities(self, x: Array) -> dict[str, Array]:
        """The features as class probabilities, where they are such. Raises DataError elsewhere."""
        p = self.features(x).astype(np.float64)
        if not ((p >= -1e-6).all() and np.allclose(p.sum(1), 1, atol=1e-3)):
            raise DataError(f"{self.name} gives no class probabilities: end the network in softmax")
        return {"class": np.maximum(p, 0) / np.maximum(p, 0).sum(1, keepdims=True)}

    def _rows(self, x: Array, step: int) -> Array:
        """The features of at most `step` pictures; a network of fixed number gets zeros too."""
        pictures = self._fitted(x)
        if self._shape[0] is not None:
            missing = [(0, step - len(x))] + [(0, 0)] * 3
            pictures = np.pad(pictures, missing)
        try:
            (found,) = self._session.run([self._output], {self._input: pictures})
            return np.asarray(found).reshape(len(pictures), -1)[: len(x)]
        except Exception as error:  # onnxruntime's, or an output without a row for each picture
            raise DataError(
                f"{self.name} has no features of pictures {pictures.shape}: {_first(error)}"
            ) from error

    def _fitted(self, x: Array) -> Array:
        """Pictures of the network's layout, size and number of channels, float32."""
        first = self._channels_first(x.shape[3])
        _, *rest = self._shape
        channels, height, width = rest if first else (rest[2], *rest[:2])
        size = (height or x.shape[1], width or x.shape[2])
        wanted = channels or x.shape[3]
        if (*size, wanted) != x.shape[1:]:
            pixels = np.rint((np.clip(x, -1, 1) + 1) * 127.5).astype(np.uint8)
            x = to_float(fit_all(pixels, size, wanted))
        x = x.astype(np.float32, copy=False)
        return np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if first else x

    def _channels_first(self, channels: int) -> bool:
        """Whether the second axis holds channels: it says 1 or 3, or the last one does not."""
        return self._shape[1] in (1, 3) or self._shape[3] not in (1, 3)


def _runtime() -> Any:
    try:
        import onnxruntime
    except ImportError:
        raise OptionError(
            "an ONNX extractor needs onnxruntime, which is not installed; "
            "pip install 'minigan[onnx]', or use an extractor that ships with minigan"
        ) from None
    return onnxruntime


def _first(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
