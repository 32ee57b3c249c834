"""WAV files: one channel of sound as float32 in [-1, 1], and back as 16 bits."""

from __future__ import annotations

import io
import struct
import warnings
from pathlib import Path

import numpy as np
from scipy.io import wavfile

from minigan.errors import DataError

# What numbers of each kind are divided by, and where silence lies; 24 bits come as the upper ones
# of 32.
SCALES: dict[str, tuple[float, float]] = {
    "uint8": (128.0, 128.0),
    "int16": (32768.0, 0.0),
    "int32": (2147483648.0, 0.0),
    "float32": (1.0, 0.0),
    "float64": (1.0, 0.0),
}
LOUDEST = 32767


def read_wav(file: Path) -> tuple[int, np.ndarray]:
    """Samples a second, and the samples, float32 (T,), of a file of one channel.

    Raises DataError for what is no WAV file, for one in a compressed or unknown format, with
    several channels, or without a sample.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", wavfile.WavFileWarning)  # chunks that are no sound
            rate, x = wavfile.read(file)
    except FileNotFoundError:
        raise DataError(f"{file}: there is no such file") from None
    except (ValueError, EOFError, OSError, struct.error) as error:
        raise DataError(
            f"{file} cannot be read as WAV ({error}); give PCM of 8, 16, 24 or 32 bits or floats, "
            f"as `sox {file.name} -e signed -b 16 OUT.wav` writes it"
        ) from error
    if x.dtype.name not in SCALES:
        raise DataError(f"{file} holds numbers of type {x.dtype}; give PCM of 8 to 32 bits")
    if x.ndim != 1:
        raise DataError(
            f"{file} has {x.shape[1]} channels; sounds of one are read: mix it down with "
            f"`sox {file.name} -c 1 OUT.wav`"
        )
    if not x.size:
        raise DataError(f"{file} holds no sound: it has 0 samples")
    scale, zero = SCALES[x.dtype.name]
    sound = ((x.astype(np.float64) - zero) / scale).astype(np.float32)
    if not np.isfinite(sound).all():
        raise DataError(f"{file} holds samples that are not finite")
    return int(rate), sound


def wav_bytes(x: np.ndarray, rate: int) -> bytes:
    """A file of the samples (T,), rounded to 16 bits; what lies beyond [-1, 1] is cut off."""
    pcm = np.clip(np.rint(np.asarray(x, np.float64) * 32768), -32768, LOUDEST).astype(np.int16)
    buffer = io.BytesIO()
    wavfile.write(buffer, rate, pcm)
    return buffer.getvalue()


def wav_files(folder: Path) -> list[Path]:
    """The WAV files in a folder and all below it, sorted; hidden ones are left out."""
    found = (f for f in folder.rglob("*") if f.suffix.lower() == ".wav" and f.is_file())
    return sorted(
        f for f in found if not any(part.startswith(".") for part in f.relative_to(folder).parts)
    )
