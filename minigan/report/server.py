"""The report of a growing run, in the browser of this machine: `--serve`.

It listens on 127.0.0.1 alone and answers GET and HEAD for the page, its data and the pictures that
these name; nothing else of the disk can be asked for, nothing can be changed. A request whose Host
is not this address is refused: a page from elsewhere could otherwise have its own name resolved to
127.0.0.1 and read along. It reads the run's files and touches nothing of the training.
"""

from __future__ import annotations

import errno
import hashlib
import json
import threading
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from minigan.errors import CheckpointError, OptionError
from minigan.report.page import data, encoded, page
from minigan.report.run import PICTURE, Run, read

HOST = "127.0.0.1"
PORT = 8765
PATIENCE = 10  # seconds for a request to arrive


class Answer(NamedTuple):
    """What a path is answered with."""

    content: bytes
    kind: str


class Server:
    """Serves the report of one run or two until `close`; `url` is where.

    Raises OptionError where the port is taken. Port 0 is any free one.
    """

    def __init__(self, folders: Sequence[Path], port: int = PORT) -> None:
        self._folders = list(folders)
        self._known: tuple[object, bytes] | None = None
        handler = partial(_Handler, self)
        try:
            self._http = _HTTPServer((HOST, port), handler)
        except (OSError, OverflowError) as error:
            taken = isinstance(error, OSError) and error.errno == errno.EADDRINUSE
            why = "is taken" if taken else f"cannot be used ({error})"
            raise OptionError(
                f"port {port} of {HOST} {why}; choose another one with --serve=PORT, "
                "or --serve=0 for any free one"
            ) from error
        self.port = self._http.server_address[1]
        self.url = f"http://{HOST}:{self.port}/"
        self.hosts = {f"{HOST}:{self.port}", f"localhost:{self.port}"}
        self._thread = threading.Thread(target=self._http.serve_forever, daemon=True)

    def start(self) -> None:
        """Answer from now on, in a thread that ends with the process."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering, and let go of the port."""
        if self._thread.is_alive():
            self._http.shutdown()
        self._http.server_close()

    def answer(self, path: str) -> Answer | None:
        """What stands at a path; None where nothing does."""
        if path == "/":
            addresses = [partial(_address, i) for i in range(len(self._folders))]
            html = page(self._runs(), addresses=addresses)
            return Answer(encoded(html), "text/html; charset=utf-8")
        if path == "/data.json":
            return Answer(self._data(), "application/json")
        return self._picture(path)

    def _runs(self) -> list[Run]:
        return [_read_or_new(folder) for folder in self._folders]

    def _data(self) -> bytes:
        """The page's data; made again only when a file of a run has changed."""
        state = [_state(folder) for folder in self._folders]
        if self._known is None or self._known[0] != state:
            addresses = [partial(_address, i) for i in range(len(self._folders))]
            self._known = state, json.dumps(data(self._runs(), addresses)).encode()
        return self._known[1]

    def _picture(self, path: str) -> Answer | None:
        """A picture by the address that the page has for it; the name is compared, never joined."""
        for i, folder in enumerate(self._folders):
            if path == f"/{i}/samples.gif":
                return _file(folder / "samples.gif", "image/gif")
            for picture in (folder / "samples").glob("*.png"):
                if PICTURE.fullmatch(picture.name) and path == _address(i, picture):
                    return _file(picture, "image/png")
        return None


def _address(run: int, path: Path) -> str:
    """The path of a picture on the server."""
    return f"/{run}/{path.name}"


def _file(path: Path, kind: str) -> Answer | None:
    try:
        return Answer(path.read_bytes(), kind)
    except OSError:
        return None


def _read_or_new(folder: Path) -> Run:
    """The run; an empty one where it has not written its first file yet."""
    try:
        return read(folder)
    except CheckpointError:
        return Run(folder, {}, [], [], None, [], None, ())


def _state(folder: Path) -> list[tuple[str, int, int]]:
    """What tells that a run has gone on: its files with their sizes and times."""
    found = []
    for name in ("config.json", "log.jsonl", "samples", "samples.gif"):
        try:
            stat = (folder / name).stat()
        except OSError:
            continue
        found.append((name, stat.st_size, stat.st_mtime_ns))
    return found


class _HTTPServer(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True  # a port just let go of; one that is listened on stays taken

    def handle_error(self, request: object, client_address: object) -> None:
        """A browser that went away in the middle of an answer is nothing to print of."""


class _Handler(BaseHTTPRequestHandler):
    timeout = PATIENCE
    server_version = "minigan"
    sys_version = ""

    def __init__(self, server: Server, *rest: object) -> None:
        self._run = server
        super().__init__(*rest)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._answer(with_content=True)

    def do_HEAD(self) -> None:
        self._answer(with_content=False)

    def _refuse(self) -> None:
        self.send_response(HTTPStatus.METHOD_NOT_ALLOWED)
        self.send_header("Allow", "GET, HEAD")
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _refuse

    def _answer(self, *, with_content: bool) -> None:
        if self.headers.get("Host") not in self._run.hosts:
            self.send_error(HTTPStatus.FORBIDDEN, f"this is {self._run.url} and nothing else")
            return
        answer = self._run.answer(self.path)
        if answer is None:
            self.send_error(HTTPStatus.NOT_FOUND)
            return
        tag = f'"{hashlib.sha256(answer.content).hexdigest()[:32]}"'
        same = self.headers.get("If-None-Match") == tag
        self.send_response(HTTPStatus.NOT_MODIFIED if same else HTTPStatus.OK)
        self.send_header("ETag", tag)
        if not same:
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.content)))
        self.end_headers()
        if with_content and not same:
            self.wfile.write(answer.content)

    def end_headers(self) -> None:
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("X-Frame-Options", "DENY")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Referrer-Policy", "no-referrer")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: standard error is the run's."""
