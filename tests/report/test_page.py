"""The page in a real browser: hostile texts stay texts, nothing is asked of a network, everybody can use it."""

import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.browser import DESKTOP, PHONE, Browser, find_faults
from tests.report.conftest import SCRIPT, TAG, Made

LOOKS = {
    "light": DESKTOP,
    "dark": {**DESKTOP, "color_scheme": "dark"},
    "phone": PHONE,
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def key_of(page: Any, path: str) -> str:
    found: str = page.evaluate("async (path) => (await mobius.provider.query({ q: path }, 0, 1)).samples[0].key", path)
    return found


def test_hostile_texts_stay_texts(made: Made, browser: Browser) -> None:
    browser.complaints.clear()
    with browser.page(made.index.as_uri()) as page:
        for path in ("red.gif", "blue.gif", "navy.gif", "page.gif"):
            page.evaluate("(key) => { location.hash = key }", key_of(page, path))
            page.wait_for_selector("dialog[open] .sample-body")
        assert TAG in page.locator("#tiles").inner_text()
        assert SCRIPT in page.locator("#label-table").inner_text()
        page.evaluate("(key) => { location.hash = key }", key_of(page, "green.gif"))
        page.wait_for_function("(tag) => document.querySelector('#sample-title').textContent === tag", arg=TAG)
        assert "<img src=x" in page.locator("dialog .captions").inner_text()
        assert TAG in page.locator("dialog .pairs").inner_text()
        assert page.locator("img:not([src^='media/'])").count() == 0
        assert "mobius report" in page.title()
    assert browser.complaints == []


def test_nothing_is_asked_of_a_network(made: Made, browser: Browser) -> None:
    browser.requests.clear()
    with browser.page(made.index.as_uri()) as page:
        page.evaluate("fetch('http://127.0.0.1:9/').catch(() => { window.refused = true })")
        page.wait_for_function("() => window.refused")
        browser.complaints.clear()
    assert {address.split(":")[0] for address in browser.requests} == {"file"}


def test_the_same_folder_works_from_a_web_server(made: Made, browser: Browser) -> None:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(made.index.parent)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    browser.complaints.clear()
    try:
        with browser.page(f"http://127.0.0.1:{server.server_port}/") as page:
            assert page.locator("#tiles .tile").count() == 10
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert [each for each in browser.complaints if "favicon" not in each and "404" not in each] == []


@pytest.mark.parametrize("look", LOOKS)
def test_no_serious_fault_of_accessibility(made: Made, browser: Browser, look: str) -> None:
    with browser.page(made.index.as_uri(), **LOOKS[look]) as page:
        assert find_faults(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing sticks out"
        page.evaluate("(key) => { location.hash = key }", key_of(page, "green.gif"))
        page.wait_for_selector("dialog[open] .sample-body")
        assert find_faults(page) == []


def test_the_keyboard_goes_everywhere(made: Made, browser: Browser) -> None:
    with browser.page(made.index.as_uri()) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the report"
        page.locator("#tiles .tile").first.focus()
        page.keyboard.press("ArrowRight")
        here = page.evaluate("document.activeElement.dataset.key")
        assert here == page.locator("#tiles .tile").nth(1).get_attribute("data-key")
        page.keyboard.press("Enter")
        page.wait_for_selector("dialog[open] .sample-body")
        assert here in page.url
        page.keyboard.press("ArrowRight")
        page.wait_for_selector(f'dialog:not([data-key="{here}"])')
        page.keyboard.press("Escape")
        page.wait_for_selector("dialog", state="hidden")
        other = page.evaluate("document.activeElement.dataset.key")
        assert other == page.locator("#tiles .tile").nth(2).get_attribute("data-key"), "back where it was opened"


def test_who_wants_less_motion_sees_stills_until_play(made: Made, browser: Browser) -> None:
    with browser.page(made.index.as_uri(), reduced_motion="reduce") as page:
        images = page.locator("#tiles img")
        assert images.count() > 5
        assert all(".still." in (image.get_attribute("src") or "") for image in images.all())
        page.get_by_role("button", name="Play all animations").first.click()
        assert all((image.get_attribute("src") or "").endswith(".gif") for image in images.all())


def test_the_theme_is_chosen_and_kept(made: Made, browser: Browser) -> None:
    with browser.page(made.index.as_uri()) as page:
        background = "getComputedStyle(document.body).backgroundColor"
        light = page.evaluate(background)
        page.locator("#theme").click()
        page.locator("#theme").click()
        assert page.evaluate(background) != light
        page.reload()
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_a_filter_chosen_while_samples_arrive_is_kept(made: Made, browser: Browser) -> None:
    with browser.page(made.index.as_uri()) as page:
        page.evaluate(
            """() => {
              const select = document.querySelector("select[name=outcome]");
              select.value = "quarantined";
              select.dispatchEvent(new Event("input", { bubbles: true }));
              mobius.receive("samples", []);
            }"""
        )
        page.wait_for_function("() => document.querySelector('#found').textContent === '2 files match'")
        assert page.locator("select[name=outcome]").input_value() == "quarantined"


def test_a_link_to_a_file_that_is_not_shown_says_so(made: Made, browser: Browser) -> None:
    with browser.page(f"{made.index.as_uri()}#{'0' * 32}") as page:
        page.wait_for_selector("#missing:has-text('is not among those on this page')")
        assert page.locator("dialog[open]").count() == 0


def test_the_sweep_answers(made: Made, browser: Browser) -> None:
    with browser.page(made.index.as_uri()) as page:
        assert page.locator("#sweep-result b").inner_text() == "2", "the two whose label is seen twice"
        page.get_by_role("slider", name="Label seen at least").press("Home")
        assert page.locator("#sweep-result b").inner_text() == "5"
        assert "+3" in page.locator("#sweep-result").inner_text()
