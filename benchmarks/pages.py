"""The offline page in headless Chromium: its size, and the times it takes to open and to fold, measured by itself.

Each row is the best of a few runs; where there is no Chromium, or no playwright to drive it, the row says so.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

import nn
import viz
from autograd import Tensor, record
from viz.offline import page

from .table import Row, duration

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
             "--disable-component-update", "--disable-sync"]
LAYERS, LARGE = 1125, 12_500                   # of two ops and two parameters: 4,500 nodes, and 50,000
RUNS = 5
BYTES, OPEN, FOLD = 1.5e6, 1.0, 0.3            # the limits: seconds, but for the first


def net(layers: int) -> str:
    """The page of a net of Linear and ReLU in blocks of 25, recorded with its backward pass."""
    blocks = [nn.Sequential(*[part for _ in range(25) for part in (nn.Linear(8, 8), nn.ReLU())])
              for _ in range(layers // 25)]
    model = nn.Sequential(*blocks)
    x = Tensor(np.linspace(-1, 1, 32, dtype=np.float32).reshape(4, 8))
    with record():
        loss = (model(x) ** 2).mean()
        loss.backward()
    return page(viz.draw(loss))


def measured(browser: Any, file: Path) -> tuple[list[float], list[float]]:
    """Seconds of opening the page, and of the slowest fold or unfold in it, of each of several runs."""
    opened, folds = [], []
    for _ in range(RUNS):
        context = browser.new_context(viewport={"width": 1400, "height": 900})
        tab = context.new_page()
        tab.goto(file.as_uri())
        tab.wait_for_selector("html[data-ready]", state="attached")
        tab.click("#stage .unit")              # a block, and then the repeat inside it
        tab.click("#stage .unit")
        tab.keyboard.press("Enter")
        tab.click("#unfold")
        tab.click("#fold")
        _, *rest = tab.evaluate("performance.getEntriesByName('draw').map(e => e.duration / 1000)")
        opened += tab.evaluate("performance.getEntriesByName('open').map(e => e.duration / 1000)")
        folds.append(max(rest))
        context.close()
    return opened, folds


def rows() -> Iterator[Row]:
    """4,500 nodes against the limits of the design; 50,000 without a limit."""
    start = perf_counter()
    small = net(LAYERS)
    made = perf_counter() - start
    size = len(small.encode())
    yield Row("offline page of 4,500 nodes, bytes", f"<= {BYTES / 1e6:g} MB", f"{size / 1e6:.2f} MB", duration(made),
              "-", size <= BYTES)
    program = next((found for name in PROGRAMS if (found := shutil.which(name))), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        program = None
    if program is None:
        yield Row("offline page in a browser", f"<= {OPEN:g} s", "no Chromium, or no playwright", "-", "-", None)
        return
    with sync_playwright() as playwright, TemporaryDirectory() as folder:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        file = Path(folder) / "page.html"
        file.write_text(small, encoding="utf-8")
        opened, folds = measured(browser, file)
        yield _row("offline page of 4,500 nodes: opens", OPEN, opened)
        yield _row("offline page of 4,500 nodes: slowest fold or unfold", FOLD, folds)
        start = perf_counter()
        file.write_text(net(LARGE), encoding="utf-8")
        made = perf_counter() - start
        opened, folds = measured(browser, file)
        yield Row("offline page of 50,000 nodes: opens", "opens",
                  f"{duration(min(opened))} / {duration(median(opened))}; folds in {duration(max(folds))}; "
                  f"{file.stat().st_size / 1e6:.1f} MB", duration(made), "-", None)
        browser.close()


def _row(what: str, limit: float, seconds: list[float]) -> Row:
    return Row(what, f"<= {duration(limit)}", f"{duration(min(seconds))} / {duration(median(seconds))}",
               duration(min(seconds)), "-", median(seconds) <= limit)


if __name__ == "__main__":
    for row in rows():
        print(*row, sep=" | ")
