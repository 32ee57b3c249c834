"""The process behind `support.Disturbed`: reads orders from standard input, answers with results.

Each order is run in a fork, which has the package imported already.
"""

import json
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import minigan.report.watching
import minigan.training.sampling  # noqa: F401  # imported once, for every fork
from minigan.cli import main
from minigan.report import equations
from minigan.training import pictures, trainer

# What takes time and is none of the matter: a plot, which is one more file written like all others,
# large pictures, and waiting for the disk, which a killed process's files reach without it.
trainer.write_curves = lambda records, path: None
pictures.GRID_WIDTH = 1
os.fsync = lambda file: None
equations.of_run({"algorithm": "gan"})  # read from the source once, for every fork


def disturb(folder: Path, at: list[int], what: int, answer: Path) -> None:
    """Count the operations on files below `folder`, and act just before some of them."""
    count = 0
    prefix = str(folder)

    def hook(event: str, args: tuple[Any, ...]) -> None:
        nonlocal count
        if event not in ("open", "os.rename", "os.remove", "os.mkdir"):
            return
        if not str(args[0]).startswith(prefix):
            return
        if event == "open" and not args[2] & (os.O_WRONLY | os.O_RDWR):
            return
        if event == "os.mkdir" and os.path.isdir(args[0]):
            return  # changes nothing
        count += 1
        answer.write_text(str(count))
        if count in at:
            if what < 0:
                raise OSError(-what, os.strerror(-what), str(args[0]))
            os.kill(os.getpid(), what)

    sys.addaudithook(hook)


def child(order: dict[str, Any], answer: Path, errors: Path) -> None:
    """One command, in the fork."""
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT), 2)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    disturb(Path(order["folder"]), order["at"], order["what"], answer)
    code = 70
    try:
        main(order["arguments"])
    except SystemExit as exit:
        code = int(exit.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def serve() -> None:
    """Answer each order until there are no more."""
    with tempfile.TemporaryDirectory() as scratch:
        for line in sys.stdin:
            answer, errors = Path(scratch, "answer"), Path(scratch, "errors")
            answer.write_text("0")
            errors.write_text("")
            pid = os.fork()
            if pid == 0:
                child(json.loads(line), answer, errors)
            _, status = os.waitpid(pid, 0)
            result = {
                "code": os.waitstatus_to_exitcode(status),
                "operations": int(answer.read_text()),
                "err": errors.read_text(),
            }
            print(json.dumps(result), flush=True)


serve()
