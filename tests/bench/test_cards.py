"""What each library is asked about its card, with libraries that are made up."""

from types import SimpleNamespace

import pytest
import torch

from bench import cards
from bench.cards import CupyCard, TorchCard
from bench.peers import card as torch_card
from minigan import backend

MB = 1 << 20


@pytest.fixture
def cupy(monkeypatch):
    """As much of CuPy as is asked."""

    class Hook:
        def __enter__(self):
            cuda.hooks.append(self)

        def __exit__(self, *error):
            cuda.hooks.remove(self)

    properties = {"name": b"A Card", "major": 9, "minor": 0}
    runtime = SimpleNamespace(
        getDeviceProperties=lambda number: properties,
        driverGetVersion=lambda: 13010,
        runtimeGetVersion=lambda: 13020,
        memGetInfo=lambda: (3 * MB, 10 * MB),
    )
    cuda = SimpleNamespace(
        Device=lambda: SimpleNamespace(id=0),
        runtime=runtime,
        MemoryHook=Hook,
        hooks=[],
        get_elapsed_time=lambda start, end: end - start,
    )
    module = SimpleNamespace(cuda=cuda, __version__="14.2")
    monkeypatch.setattr(backend, "load_cupy", lambda: module)
    monkeypatch.setattr(backend, "require_device", lambda name: name)
    monkeypatch.setattr(cards, "_driver", lambda: "580.1.2")
    return module


def test_cupys_facts(cupy):
    assert CupyCard().facts() == {
        "card": "A Card",
        "capability": "9.0",
        "driver": "580.1.2, CUDA 13.1",
        "CUDA runtime": "13.2",
        "cupy": "14.2",
    }


def test_cupys_memory_is_metered_inside_the_block_alone(cupy):
    card = CupyCard()
    with card.metered() as memory:
        (hook,) = cupy.cuda.hooks
        hook.malloc_postprocess(device_id=0, size=1, mem_size=512, mem_ptr=1, pmem_id=1)
    assert not cupy.cuda.hooks
    assert memory.peak == 512
    assert card.held() == 7 * MB
    assert card.elapsed_ms(2.0, 5.5) == 3.5


def test_pytorchs_memory_is_what_the_block_added(monkeypatch):
    asked = []
    given = {
        "is_available": True,
        "synchronize": None,
        "reset_peak_memory_stats": None,
        "memory_allocated": 2 * MB,
        "memory_reserved": 4 * MB,
        "max_memory_allocated": 7 * MB,
        "max_memory_reserved": 20 * MB,
    }
    for name, value in given.items():
        monkeypatch.setattr(torch.cuda, name, lambda n=name, v=value: asked.append(n) or v)
    with TorchCard().metered() as memory:
        assert asked[-1] != "max_memory_allocated"
        assert "reset_peak_memory_stats" in asked
    assert (memory.peak, memory.reserved) == (5 * MB, 16 * MB)


def test_pytorchs_graph_is_recorded_after_a_warm_up_on_the_same_stream(monkeypatch):
    happened = []

    class Stream:
        def wait_stream(self, other):
            happened.append("wait")

    class Inside:
        def __init__(self, what, stream):
            self.what = what
            assert stream is aside

        def __enter__(self):
            happened.append(f"{self.what} begins")

        def __exit__(self, *error):
            happened.append(f"{self.what} ends")

    aside = Stream()
    graph = SimpleNamespace(replay=lambda: happened.append("replay"))
    monkeypatch.setattr(torch.cuda, "current_stream", Stream)
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: Inside("stream", stream))
    monkeypatch.setattr(torch.cuda, "CUDAGraph", lambda: graph)
    monkeypatch.setattr(torch.cuda, "graph", lambda g, stream: Inside("graph", stream))
    replay = torch_card.captured(lambda: happened.append("call") or len(happened), aside)
    warm = ["wait", "stream begins", *["call"] * torch_card.WARM_UP, "stream ends", "wait"]
    recorded = [*warm, "graph begins", "call", "graph ends"]
    assert happened == recorded
    assert replay() == replay() == len(recorded) - 1
    assert happened == [*recorded, "replay", "replay"]
