"""Report: what `mobius report` costs on many samples, and how soon its page can be used.

    python -m benchmarks.report                       100,000 samples
    python -m benchmarks.report --samples 1000000     as many as you like

The root is that of benchmarks.scale: real rows of tiny GIFs, answers that are drawn, not computed. The report is made
by the command as a process. Then its page is opened from the disk in Chromium, if it and Playwright are there: the
seconds until the first pictures of the gallery are there and a filter has an answer, and until all samples are loaded.
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.scale import (
    Cost,
    account,
    decide,
    draw,
    draw_exports,
    in_a_process,
    ingest,
    report,
    run_mobius,
    scale_config,
    write_source,
)
from pipeline.plan import plan_stages
from pipeline.select import MEASURES

# Choose an outcome as a person does, and wait until the gallery says how many there are: milliseconds from the start.
FILTER = """
async () => {
  const select = document.querySelector("select[name=outcome]");
  const found = document.querySelector("#found");
  select.value = "rejected";
  select.dispatchEvent(new Event("input", { bubbles: true }));
  while (!found.textContent.includes("match")) await new Promise((resolve) => setTimeout(resolve, 5));
  return performance.now();
}
"""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, nargs="+", default=[100_000])
    parser.add_argument("--shown", type=int, default=3000)
    parser.add_argument("--folder", type=Path, help="where the roots are made and removed; default the temporary one")
    settings = parser.parse_args()
    print(f"{'samples':>10} {'step':<28} {'seconds':>9} {'cpu s':>8} {'cpu us/sample':>13} {'peak MB':>8}")
    for num_samples in settings.samples:
        folder = Path(tempfile.mkdtemp(prefix="mobius-report-", dir=settings.folder))
        try:
            measure(folder, num_samples, settings.shown)
        finally:
            shutil.rmtree(folder)


def measure(folder: Path, num_samples: int, num_shown: int) -> None:
    """Make a root, a report of it, and open the report."""
    config = scale_config(folder)
    write_source(folder / "source", num_samples)
    later = [draw(name) for name in plan_stages(config) if name not in MEASURES]
    for step in (ingest, draw("probe"), decide, draw("text"), decide, *later, draw_exports, account):
        in_a_process(step, config)
    cost: Cost = run_mobius(folder, config, ["report", config.root, "--samples", str(num_shown)])
    report(num_samples, "mobius report", cost)
    made = Path(config.root) / "report"
    sizes = {path: path.stat().st_size for path in made.rglob("*") if path.is_file()}
    first = sum(size for path, size in sizes.items() if path.parent.name != "media" and not _is_later(path))
    print(f"{num_samples:>10,} {len(sizes):,} files, {sum(sizes.values()) / 1e6:,.1f} MB; first {first / 1e6:.2f} MB")
    open_page(made / "index.html", num_samples)


def _is_later(path: Path) -> bool:
    """True for the files of samples that are loaded once the page can be used."""
    return path.parent.name == "data" and path.name not in ("page.js", "samples-0.js")


def open_page(index: Path, num_samples: int) -> None:
    """Time the page in a browser."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        browser = None
    if browser is None:
        sys.stderr.write("no Chromium or no Playwright: the page was not opened\n")
        return
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=browser, args=["--no-sandbox", "--disable-gpu"])
        page = opened.new_page()
        page.goto(index.as_uri(), wait_until="commit")
        page.wait_for_selector("#tiles .tile", state="attached")
        usable = page.evaluate(FILTER)
        page.wait_for_selector("html[data-ready]")
        complete = page.evaluate("performance.now()")
        opened.close()
    seconds = f"first filter answered after {usable / 1000:.2f} s, all loaded after {complete / 1000:.2f} s"
    print(f"{num_samples:>10,} {seconds}")


if __name__ == "__main__":
    main()
