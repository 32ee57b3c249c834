"""The live page: who is answered, with what, and that it follows a run."""

import html
import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from minigan.errors import OptionError
from minigan.report.server import Server
from tests.report.conftest import PATIENCE, Open
from tests.report.support import write_picture, write_run
from tests.report.test_browser import reach

EVERY = 2000  # milliseconds between two questions of a live page


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_picture(tmp_path / "step_000000.png", shade=1)  # beside the run: not to be had
    (tmp_path / "secret.png").write_text("secret")
    return write_run(tmp_path / "run", reconstructions=True)


@pytest.fixture
def server(folder: Path) -> Iterator[Server]:
    server = Server([folder], 0)
    server.start()
    yield server
    server.close()


def ask(
    server: Server, path: str, method: str = "GET", **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name.replace("_", "-"), value)
    connection.endheaders()
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer, content


def test_what_is_served(server: Server, folder: Path) -> None:
    answer, content = ask(server, "/")
    assert (answer.status, answer.getheader("Content-Type")) == (200, "text/html; charset=utf-8")
    assert "connect-src 'self'" in html.unescape(content.decode())
    assert b"data:image" not in content
    answer, content = ask(server, "/data.json")
    assert (answer.status, answer.getheader("Content-Type")) == (200, "application/json")
    frames = json.loads(content)["runs"][0]["frames"]
    assert frames[1] == {
        "step": 10,
        "pictures": {
            "samples": "/0/step_000010.png",
            "reconstruction": "/0/reconstruction_step_000010.png",
        },
    }
    for path in frames[1]["pictures"].values():
        answer, content = ask(server, path)
        assert (answer.status, answer.getheader("Content-Type")) == (200, "image/png")
        assert content == (folder / "samples" / path.removeprefix("/0/")).read_bytes()
    assert ask(server, "/0/samples.gif")[1] == (folder / "samples.gif").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        *("/config.json", "/0/config.json", "/0/log.jsonl", "/0", "/0/", "/samples", "/x"),
        *("/0/../step_000000.png", "/0/..%2fstep_000000.png", "/0/%2e%2e/step_000000.png"),
        *(
            "/../secret.png",
            "/0/../../secret.png",
            "/0//etc/passwd",
            "/etc/passwd",
            "/1/samples.gif",
        ),
        *("/0/step_000010.png/", "/0/step_000010.png?x", "/0/step_000999.png", "/data.json/.."),
        *("/0/samples.gif/../config.json", "/0/step_000010.png%00", "/report.html"),
    ],
)
def test_nothing_else_is_served(server: Server, path: str) -> None:
    answer, content = ask(server, path)
    assert answer.status == 404
    assert b"secret" not in content
    assert b"algorithm" not in content


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_it_is_read_only(server: Server, method: str) -> None:
    answer, _ = ask(server, "/", method)
    assert (answer.status, answer.getheader("Allow")) == (405, "GET, HEAD")


def test_an_unheard_of_method(server: Server) -> None:
    assert ask(server, "/", "BREW")[0].status == 501


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "", "localhost"]
)
@pytest.mark.parametrize("path", ["/", "/data.json", "/0/step_000010.png"])
def test_a_name_from_elsewhere_is_refused(server: Server, host: str, path: str) -> None:
    answer, content = ask(server, path, Host=host.format(port=server.port))
    assert answer.status == 403
    assert b"kittens" not in content


def test_both_own_names_are_answered(server: Server) -> None:
    for host in ("127.0.0.1", "localhost"):
        assert ask(server, "/", Host=f"{host}:{server.port}")[0].status == 200


def test_head_has_no_content(server: Server) -> None:
    answer, content = ask(server, "/data.json", "HEAD")
    assert (answer.status, content) == (200, b"")
    assert int(answer.getheader("Content-Length") or 0) == len(ask(server, "/data.json")[1])


def test_headers_keep_others_out(server: Server) -> None:
    for path in ("/", "/data.json", "/nothing"):
        answer, _ = ask(server, path)
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        assert answer.getheader("X-Frame-Options") == "DENY"
        assert answer.getheader("Cross-Origin-Resource-Policy") == "same-origin"
        assert answer.getheader("Access-Control-Allow-Origin") is None


def test_only_this_machine_is_listened_to(server: Server) -> None:
    assert server._http.server_address[0] == "127.0.0.1"
    with pytest.raises(OSError, match="refused"):  # another loopback address of this machine
        socket.create_connection(("127.0.0.2", server.port), timeout=60)


def test_the_same_data_are_not_sent_twice(server: Server, folder: Path) -> None:
    first, content = ask(server, "/data.json")
    tag = first.getheader("ETag") or ""
    again, nothing = ask(server, "/data.json", If_None_Match=tag)
    assert (again.status, nothing) == (304, b"")
    with open(folder / "log.jsonl", "a") as file:
        file.write('{"step": 45, "loss_D": 0.5}\n{"step": 50, "lo')
    later, changed = ask(server, "/data.json", If_None_Match=tag)
    assert later.status == 200
    assert json.loads(content)["runs"][0]["curves"]["loss_D"][-1][0] == 40
    assert json.loads(changed)["runs"][0]["curves"]["loss_D"][-1] == [45, 0.5]


def test_a_run_that_has_not_begun(tmp_path: Path) -> None:
    server = Server([tmp_path / "later"], 0)
    server.start()
    try:
        assert ask(server, "/")[0].status == 200
        assert json.loads(ask(server, "/data.json")[1])["runs"][0]["frames"] == []
    finally:
        server.close()


@pytest.mark.parametrize("port", [-1, 70_000])
def test_a_port_that_cannot_be(tmp_path: Path, port: int) -> None:
    with pytest.raises(
        OptionError, match=f"port {port} of 127.0.0.1 cannot be used .*--serve=PORT"
    ):
        Server([tmp_path], port)


def test_a_port_that_is_taken(server: Server, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=f"port {server.port} of 127.0.0.1 is taken; choose"):
        Server([tmp_path], server.port)


def test_the_port_is_free_afterwards(tmp_path: Path) -> None:
    server = Server([tmp_path], 0)
    server.start()
    server.close()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", server.port), timeout=60)


def test_the_page_follows_the_run(server: Server, folder: Path, open_page: Open) -> None:
    opened = open_page(server.url, stopped=True)  # it asks when the test lets it
    reach(opened, "step 40")
    write_picture(folder / "samples/step_000050.png", shade=77)
    with open(folder / "log.jsonl", "a") as file:
        file.write('{"step": 50, "loss_D": 0.5, "brand_new": 3}\n')
        file.write('{"step": 50, "warning": "<b>look</b>"}\n')
    opened.wait(EVERY)
    reach(opened, "step 50")  # it stood at the end, and goes along
    assert opened.picture == f"{server.url}0/step_000050.png"
    text = opened.page.inner_text("body")
    assert "brand_new 3" in " ".join(text.split())
    assert "<b>look</b>" in text
    assert "50 of 40 steps" in text
    assert opened.said == []
    assert {url for url in opened.requests if not url.startswith((server.url, "data:"))} == set()
    assert opened.page.inner_text("#live") == "live"
    server.close()
    opened.wait(EVERY)
    opened.page.locator("#live.over").wait_for(timeout=PATIENCE)
    assert "no answer" in opened.page.inner_text("#live")
