"""A real browser for tests: the system's Chromium, driven by Playwright, and what it complains about."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
DESKTOP = {"viewport": {"width": 1440, "height": 1000}}
PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
SERIOUS = ("serious", "critical")


@dataclass  # no slots: Playwright keeps notes of its own on whose methods it calls
class Browser:
    """A running Chromium. complaints: what any of its pages wrote to the console as an error, or failed to load."""

    chromium: Any
    complaints: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def _hear(self, said: Any) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(said.text)

    @contextmanager
    def page(self, address: str, **settings: Any) -> Iterator[Any]:
        """Open a page in a context of its own and wait until all its data are loaded."""
        context = self.chromium.new_context(**{**DESKTOP, **settings})
        page = context.new_page()
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("requestfailed", lambda request: self.complaints.append(f"{request.url}: {request.failure}"))
        page.on("request", lambda request: self.requests.append(request.url))
        try:
            page.goto(address)
            page.wait_for_selector("html[data-ready]")
            yield page
        finally:
            context.close()


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start Chromium. It lives as long as a module's tests: beside it no other test may run an event loop."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is missing: pip install -e '.[dev]'")
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        pytest.skip("no Chromium: apt-get install chromium")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=program, args=ARGUMENTS)
        try:
            yield Browser(chromium)
        finally:
            chromium.close()


def find_faults(page: Any) -> list[str]:
    """Return the serious and critical faults of accessibility that axe-core finds in a page as it stands."""
    package = pytest.importorskip("axe_playwright_python", reason="axe-core is missing: pip install -e '.[dev]'")
    page.evaluate((Path(package.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("async () => (await axe.run({ resultTypes: ['violations'] })).violations")
    return [
        f"{each['id']}: {node['html'][:200]} {node.get('failureSummary', '')[:200]}"
        for each in found
        if each["impact"] in SERIOUS
        for node in each["nodes"]
    ]
