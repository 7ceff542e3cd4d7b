"""The report of the 531 real files in a real browser: all of them can be reached, GIFs move, filters work."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.browser import Browser, open_browser
from tests.flows.mobius import Mobius


@pytest.fixture(scope="module")
def index(mobius: Mobius, curated_sample: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("report") / "look"
    said = mobius.ok("report", str(curated_sample), "--out", str(out))
    assert f"{out / 'index.html'}: all samples" in said
    return out / "index.html"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as opened:
        yield opened


def found(page: Any) -> str:
    text: str = page.locator("#found").inner_text()
    return text


def test_all_531_can_be_reached_and_nothing_complains(index: Path, browser: Browser) -> None:
    browser.complaints.clear()
    with browser.page(index.as_uri(), reduced_motion="reduce") as page:
        assert found(page) == "1–48 of 531 files"
        keys: set[str] = set()
        while True:
            keys.update(page.locator("#tiles .tile").evaluate_all("tiles => tiles.map((tile) => tile.dataset.key)"))
            forward = page.get_by_role("button", name="Next")
            if forward.is_disabled():
                break
            first = page.locator("#tiles .tile").first.get_attribute("data-key")
            forward.click()
            page.wait_for_function("(key) => document.querySelector('#tiles .tile').dataset.key !== key", arg=first)
        assert len(keys) == 531
    assert browser.complaints == []


def test_the_numbers_are_those_of_status(index: Path, browser: Browser, mobius: Mobius, curated_sample: Path) -> None:
    ledger = mobius.json("status", str(curated_sample))
    with browser.page(index.as_uri(), reduced_motion="reduce") as page:
        funnels = page.locator("#funnel table")
        for number, count in enumerate(ledger["sets"].values()):
            rows = funnels.nth(number).locator("tbody tr").all()
            cells = [(row.locator("th").inner_text(), row.locator("td.num").inner_text()) for row in rows]
            assert cells[0] == ("Came in", "531")
            assert cells[-1] == ("Exported", str(count["exported"]))
            losses = {name.lower().replace(" ", "_"): -int(num.replace("−", "-")) for name, num in cells if "−" in num}
            assert losses == count["rejected"]


def test_filters_find_what_the_account_says(index: Path, browser: Browser, curated_sample: Path) -> None:
    fates = pq.read_table(curated_sample / "fates.parquet").to_pylist()
    num_few = sum(row["t2v_reason"] == "few_frames" for row in fates)
    num_party = sum(row["label"] == "party" for row in fates)
    with browser.page(index.as_uri(), reduced_motion="reduce") as page:
        page.locator("#funnel a", has_text="few frames").click()
        page.wait_for_function("() => document.querySelector('#found').textContent.endsWith('match')")
        assert found(page) == f"{num_few} files match"
        page.get_by_role("button", name="Clear filters").click()
        page.get_by_label("Label", exact=True).fill("party")
        page.wait_for_function("() => location.hash.includes('label=party')")
        page.wait_for_function("() => document.querySelectorAll('#tiles .tile').length < 48")
        assert found(page) == f"{num_party} files match"
        assert set(page.locator("#tiles .name").all_inner_texts()) == {"party"}
        page.get_by_label("Search").fill("no such thing")
        page.wait_for_function("() => document.querySelector('#found').textContent === 'No file matches.'")


def test_gifs_move(index: Path, browser: Browser) -> None:
    """Looked at again and again: only an animation gives two different pictures."""
    with browser.page(f"{index.as_uri()}#gallery?outcome=both&sort=motion") as page:
        image = page.locator("#tiles img").first
        assert (image.get_attribute("src") or "").endswith(".gif")
        image.scroll_into_view_if_needed()
        first = image.screenshot()
        for _ in range(40):
            page.wait_for_timeout(100)
            if image.screenshot() != first:
                return
    pytest.fail("the first GIF of the gallery stood still for four seconds")


def test_a_link_opens_one_sample_before_and_after(index: Path, browser: Browser) -> None:
    with browser.page(f"{index.as_uri()}#gallery?clean=cleaned") as page:
        key = page.locator("#tiles .tile").first.get_attribute("data-key")
    with browser.page(f"{index.as_uri()}#{key}") as page:
        assert page.locator("dialog[open] .pane").count() == 3
        images = page.locator("dialog[open] .pane img").all()
        assert all(image.evaluate("(image) => image.decode().then(() => image.naturalWidth)") > 0 for image in images)
        assert page.locator("dialog .captions p[lang='zh-Hans']").count() >= 1
        page.keyboard.press("Escape")
        assert page.locator("dialog[open]").count() == 0
