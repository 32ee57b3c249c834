"""`minigan report`: runs read from their folders, a page of them written."""

from __future__ import annotations

import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from minigan.errors import OptionError
from minigan.report.page import encoded, page
from minigan.report.run import Run, read
from minigan.report.server import Server
from minigan.report.walk import stored_walk
from minigan.training.files import write_atomically

NAME = "report.html"
COMPARISON = "comparison.html"


def write_report(folders: Sequence[Path], out: Path | None = None) -> Path:
    """Write the report of one run, or of two beside one another; returns where it is.

    Unless given, `out` is report.html in the run's folder, for two runs comparison.html here.
    Raises OptionError, CheckpointError for a folder that holds no run, OSError.
    """
    if out is not None and out.suffix not in (".html", ".htm"):
        raise OptionError(f"--out {out}: a report is one .html page")
    runs = read_runs(folders)
    found = [stored_walk(run) for run in runs]
    notes = [note for _, note in found if note]
    html = page(runs, walks=[picture for picture, _ in found], notes=notes)
    path = out or (folders[0] / NAME if len(folders) == 1 else Path(COMPARISON))
    write_atomically(path, encoded(html))
    return path


def serve_report(folders: Sequence[Path], port: int) -> None:
    """Serve the report, which grows as the runs do, until Ctrl-C. Raises what `write_report` does,
    and OptionError for a port that is taken."""
    read_runs(folders)
    server = Server(folders, port)
    server.start()
    print(f"look at {server.url}; Ctrl-C ends it", file=sys.stderr, flush=True)
    try:
        threading.Event().wait()
    except KeyboardInterrupt:
        pass
    finally:
        server.close()


def read_runs(folders: Sequence[Path]) -> list[Run]:
    """The runs. Raises OptionError unless there are one or two, CheckpointError."""
    if len(folders) not in (1, 2):
        raise OptionError(f"a report is of one run or two beside one another, not {len(folders)}")
    return [read(folder) for folder in folders]
