"""Options that the restorations share.

A restoration is a translation of degraded pictures x into the pictures y that they were made of
(data/degraded.py), so that any pictures are data for it.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from minigan.algorithms.pair_options import VariedOptions
from minigan.algorithms.translation.shared_options import TranslatingOptions


@dataclass(frozen=True, kw_only=True)
class RestorationOptions(VariedOptions, TranslatingOptions):
    """How pictures are degraded, beside what every translation has.

    degradation: a name of data.DEGRADATIONS.
    """

    degradation: ClassVar[str]
    wanted: ClassVar[str] = "degraded pictures beside whole ones: see data.open_degraded"
    way_back: ClassVar[str] = "what was lost is not made again; leave out --reverse"

    @property
    @abstractmethod
    def degraded_by(self) -> dict[str, Any]:
        """The settings of the degradation."""

    @property
    def noisy(self) -> bool:
        """A picture is restored with running statistics: it has one answer."""
        return False

    def picture_channels(self, channels: tuple[int, int], name: str) -> int:
        """Those of whole pictures: x is made of one."""
        return channels[1]
