"""Ctrl-C, SIGTERM and a terminal that is closed, as a request to finish the step and save."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StopRequest:
    """Within the block, `signal` is the number of the first signal that came, or None.

    A second Ctrl-C interrupts at once, as usual. A SIGHUP that the caller has the process ignore
    (nohup) stays ignored. Outside the main thread, where Python cannot handle signals, it does
    nothing.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():
            listened = [s for s in SIGNALS if not _is_nohup(s)]
            self._before = {s: signal.signal(s, self._handle) for s in listened}
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.signal = number
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _is_nohup(number: int) -> bool:
    return number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN
