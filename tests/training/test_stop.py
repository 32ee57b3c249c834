"""Ctrl-C, SIGTERM, SIGHUP and a full disk, on the real command; the handlers of StopRequest."""

import resource
import signal
import threading
from pathlib import Path

import pytest

from minigan.training.stop import SIGNALS, StopRequest
from tests.training.support import (
    DCGAN,
    contents,
    error_line,
    finish,
    numbers,
    records,
    run,
    start,
    wait,
)

ENDLESS = ["train", *DCGAN, "--steps", 10**6, "--log-every", 1, "--checkpoint-every", 10]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_finishes_the_step_and_saves(number: int, code: int, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = start(*ENDLESS, "--out", folder)
    assert wait(process, lambda: len(numbers(folder, "checkpoints/*.json")) >= 2)
    process.send_signal(number)
    result = finish(process)
    assert result.code == code
    step = numbers(folder, "checkpoints/*.json")[-1]
    assert records(folder)[-1]["step"] == step
    name = signal.Signals(number).name
    assert result.err.splitlines() == [
        f"stopped by {name} after step {step}, which is saved; go on with: minigan resume {folder}"
    ]
    assert {"config.json", "samples.gif", "curves.png"} <= contents(folder).keys()
    resumed = start("resume", folder)
    assert wait(resumed, lambda: numbers(folder, "checkpoints/*.json")[-1] > step)
    resumed.send_signal(signal.SIGINT)
    assert finish(resumed).code == 130


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    process = start(*ENDLESS, "--out", folder)
    assert wait(process, lambda: len(numbers(folder, "checkpoints/*.json")) >= 2)
    # No file of this process may grow beyond a few bytes from now on, as if no block were free.
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (100, 100))
    result = finish(process)
    assert result.code == 1
    message = error_line(result.err)
    assert message.startswith(f"{folder}/")
    assert (
        "File too large; free some space and try again; a training goes on with `minigan resume`"
        in message
    )
    assert list(folder.rglob("*.unfinished")) == []
    step = numbers(folder, "checkpoints/*.json")[-1]
    resumed = start("resume", folder)
    assert wait(resumed, lambda: numbers(folder, "checkpoints/*.json")[-1] > step)
    resumed.send_signal(signal.SIGTERM)
    assert finish(resumed).code == 143


def test_debug_shows_where_it_was(tmp_path: Path) -> None:
    for arguments in (["--debug", "resume", tmp_path], ["resume", tmp_path, "--debug"]):
        result = run(*arguments)
        assert result.code == 1
        assert result.err.startswith("Traceback (most recent call last)")
        assert "CheckpointError" in result.err.splitlines()[-1]


def test_the_handlers_come_back() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with StopRequest() as stop:
        assert stop.signal is None
        assert [signal.getsignal(number) for number in SIGNALS] != before
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_the_first_signal_asks_and_the_second_interrupts() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    with StopRequest() as stop:
        signal.raise_signal(signal.SIGTERM)
        assert stop.signal == signal.SIGTERM
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        assert stop.signal == signal.SIGTERM
    assert [signal.getsignal(number) for number in SIGNALS] == before


def test_nohup_is_heeded() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with StopRequest() as stop:
            signal.raise_signal(signal.SIGHUP)
            assert stop.signal is None
        assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_outside_the_main_thread_nothing_is_touched() -> None:
    before = [signal.getsignal(number) for number in SIGNALS]
    seen = []

    def work() -> None:
        with StopRequest() as stop:
            seen.append((stop.signal, [signal.getsignal(number) for number in SIGNALS]))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [(None, before)]
