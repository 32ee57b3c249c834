"""A browser for the tests of reports: the machine's own Chromium, driven by Playwright."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
PATIENCE = 60_000  # milliseconds for what a busy machine may do slowly
Open = Callable[..., "Opened"]


class Opened:
    """A page in the browser, and what it did: requests it made, what it said on the console."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.requests: list[str] = []
        self.said: list[str] = []
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("console", lambda message: self.said.append(message.text))
        page.on("pageerror", lambda error: self.said.append(str(error)))

    def __call__(self, script: str) -> Any:
        """The value of an expression in the page."""
        return self.page.evaluate(script)

    def wait(self, milliseconds: int) -> None:
        """Let a stopped clock go on, with every timer that is due until then."""
        self.page.clock.run_for(milliseconds)

    @property
    def picture(self) -> str:
        """The address of the first picture."""
        return str(self("document.querySelector('.pictures img').src"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    found = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if found is None:
        pytest.skip(
            "no Chromium on this machine: apt-get install chromium-headless-shell, or another of "
            + ", ".join(CHROMIUM)
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser) -> Iterator[Open]:
    """Opens a file or an address; keywords go to the browser's context.

    With stopped=True the page's clock stands; `wait` of what is opened lets it go on, so that
    a player is met where it is however busy this machine may be.
    """
    with ExitStack() as stack:

        def open(where: Path | str, *, stopped: bool = False, **how: Any) -> Opened:
            context = stack.enter_context(
                chromium.new_context(
                    viewport=how.pop("viewport", {"width": 1280, "height": 900}), **how
                )
            )
            opened = Opened(context.new_page())
            if stopped:
                opened.page.clock.install(time=0)
            opened.page.goto(where if isinstance(where, str) else where.resolve().as_uri())
            if stopped:
                opened.page.clock.pause_at(3600)
            return opened

        yield open
