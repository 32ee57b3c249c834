"""A card to measure on, where there is none: ours is the pretended one, the peer stays on the CPU.

The workers live in the test's own process.
"""

import json
import time
from contextlib import contextmanager
from types import SimpleNamespace
from typing import ClassVar

from bench.cards import Memory
from bench.where import CPU
from bench.worker import Server

FACTS = {"card": "A Card", "driver": "1.2, CUDA 13.0", "CUDA runtime": "13.2", "cupy": "14.2"}


class ClockCard:
    """A card whose events are times of the host."""

    def synchronize(self):
        pass

    def event(self):
        event = SimpleNamespace(at=None)
        event.record = lambda: setattr(event, "at", time.perf_counter())
        return event

    def elapsed_ms(self, start, end):
        return 1e3 * (end.at - start.at)

    def facts(self):
        return FACTS

    def held(self):
        return 1 << 30

    @contextmanager
    def metered(self):
        memory = Memory()
        yield memory
        memory.peak, memory.reserved = 3 << 20, 5 << 20


class NearWorker:
    """A worker without a process."""

    asked: ClassVar[list] = []

    def __init__(self, side, threads, where=CPU):
        self.side = side
        self.server = Server(side, threads, where if side == "ours" else CPU)

    def ask(self, do, **given):
        self.asked.append((self.side, do, given))
        answer = getattr(self.server, do)(**json.loads(json.dumps(given)))
        return json.loads(json.dumps(answer))

    def seconds(self, calls):
        return self.ask("seconds", calls=calls)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass
