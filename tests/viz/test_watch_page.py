"""The page, the panel, the notebook of `viz.watch`, and the numbers behind them."""

import json
import math
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from viz.live.page import page
from viz.live.panel import panel, style
from viz.live.probe import Seen
from viz.live.record import MOST_FRAMES, MOST_POINTS, Curve, Record
from viz.live.screens import Notebook, screens
from viz.live.statistics import MOST, Spread, bad, sample, spread
from viz.live.table import line, table
from viz.theme import DARK, LIGHT, contrast

RNG = np.random.default_rng(0)


def seen(name: str, ratio: float | None = 1e-3, kind: str = "Linear", nans: int = 0) -> Seen:
    return Seen(name, kind, (32, 8), 1, 1, 72, spread([RNG.standard_normal(64)], nans),
                spread([RNG.standard_normal(72)]), ratio, RNG.random(8) > 0.3)


def record(layers: int = 3, frames: int = 20, state: str = "live", name: str = "Net") -> Record:
    made = Record(name)
    made.state = state
    for k in range(frames):
        made.step += 1
        made.add_loss(made.step, 2.0 / (k + 1))
        made.add(made.step, [seen(f"layer{i}", 10.0 ** RNG.uniform(-5, -1)) for i in range(layers)])
    return made


def test_a_sample_is_small_evenly_spread_and_sees_every_column() -> None:
    big = np.tile(np.arange(64.0), (4096, 1))
    taken = sample(big)
    assert MOST // 2 < taken.size <= MOST and taken.dtype == np.float64
    assert set(taken.tolist()) == set(range(64)) and abs(taken.mean() - 31.5) < 0.1
    small = RNG.standard_normal((5, 6, 7))
    assert sorted(sample(small.transpose(2, 0, 1)).tolist()) == sorted(small.ravel().tolist())
    taken[:] = -1
    assert big.min() == 0                                  # it is a copy
    assert sample(np.array([3 + 4j])).tolist() == [5.0]


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_statistics_of_a_sample(dtype: str) -> None:
    x = RNG.standard_normal(500).astype(dtype)
    found = spread([sample(x)])
    flat = x.astype(float)
    assert np.allclose(found[:5], [flat.mean(), flat.std(), np.sqrt((flat ** 2).mean()), flat.min(), flat.max()])
    assert found.bins == tuple(np.histogram(flat, 24)[0].tolist()) and found.sound
    x[3], x[7], x[9] = np.nan, np.inf, -np.inf
    assert bad(x) == (1, 2)
    broken = spread([sample(x)], *bad(x))
    assert math.isfinite(broken.std) and not broken.sound and sum(broken.bins) == 497
    assert bad(np.full(9, np.finfo(dtype).max, dtype)) == (0, 0)               # its sum overflows, it is finite
    assert spread([np.full(4, np.nan)], 4).bins == () and spread([np.zeros(4)]).bins == ()


def test_the_record_is_bounded_and_keeps_the_whole_run() -> None:
    made = record(2, 1000)
    assert len(made.steps) <= MOST_FRAMES and made.steps[0] < 20 and made.steps[-1] > 980
    assert all(len(t) == len(made.steps) for track in made.tracks.values() for t in track.trails.values())
    curve = Curve()
    for k in range(10_001):
        curve.add(k + 1, float(k))
    points = curve.all()
    assert len(points) <= MOST_POINTS and points[-1][0] == 10_001
    assert all(abs(v - (s - 1)) <= curve.width for s, v in points)             # means of their neighbourhood


def test_a_layer_that_comes_later_or_pauses_keeps_its_place() -> None:
    made = Record("Net")
    for step, names in enumerate(["a", "ab", "b", "ab"]):
        made.add(step, [seen(n) for n in names])
    assert [v is None for v in made.tracks["a"].trails["ratio"]] == [False, False, True, False]
    assert [v is None for v in made.tracks["b"].trails["ratio"]] == [True, False, False, False]


@pytest.mark.parametrize("state", ["waiting", "live", "finished", "stopped"])
def test_the_page_is_one_file_without_script_or_network(state: str) -> None:
    text = page(record(3, 0 if state == "waiting" else 5, state))
    assert "default-src 'none'" in text and ("http-equiv=\"refresh\"" in text) == (state in ("waiting", "live"))
    assert not re.search(r"""https?://|\bsrc=|\bhref=|@import|url\(""", text)
    assert re.findall(r"<script[^>]*>", text) == ['<script type="application/json" id="glassgrad-watch">']
    data = json.loads(re.search(r'id="glassgrad-watch">(.*?)</script>', text, re.S)[1])
    assert data["state"] == state and len(data["layers"]) == (0 if state == "waiting" else 3)


def test_hostile_names_do_not_break_out() -> None:
    evil = "</script><img onerror=x>\"'&{}" + "é\u202e" * 30
    made = record(1, 2, name=evil)
    made.add(3, [seen(evil, kind=evil)])
    made.state, made.why = "stopped", evil
    text = page(made)
    assert "<img" not in text and text.count("</script>") == 1 and "\u202e" not in panel(made)


def test_extreme_numbers_are_drawn() -> None:
    made = record(0, 0)
    tiny = Spread(1e-320, 1e-320, 1e-320, -1e-320, 1e-320, (1, 2), 0, 0)
    for step, ratio in enumerate([0.0, math.inf, math.nan, 1e-300, 1e300, None]):
        made.add_loss(step, [1e300, -1e300, math.nan, math.inf, 0.0, 1e-320][step])
        made.add(step, [Seen("x", "X", None, 0, 0, 1, tiny, None, ratio, None), seen("y", ratio, nans=3)])
        text = panel(made)
        assert 'd="' in text and not re.search(r'(?:d|style)="[^"]*(?:nan|inf)', text)
        assert table(made) and line(made)
        json.dumps(made.to_dict(), allow_nan=False)


def test_many_layers_have_low_rows_and_verdicts_have_signs() -> None:
    assert '"small"' in panel(record(60, 2)) and '"large"' in panel(record(3, 2))
    made = record(0, 0)
    made.add(1, [seen("a", 1e-5), seen("b", 1e-3), seen("c", 0.5), seen("d", 0.0)])
    text = panel(made)
    assert "◂" in text and "▸" in text and 'class="slow"' in text and 'class="fast"' in text and "stand still" in text


def test_words_can_be_read_in_both_themes() -> None:
    rules = style()
    for theme in (LIGHT, DARK):
        for ink, ground in (("ink", "page"), ("sub", "page"), ("activation-ink", "activation"), ("loss-ink", "page"),
                            ("parameter-ink", "parameter"), ("alarm-ink", "alarm"), ("input-ink", "page")):
            assert f"--{ink}:{theme[ink]}" in rules
            assert contrast(theme[ink], theme[ground]) >= 4.5


class Shown:
    """What a notebook was told to show."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.first: list[dict[str, str]] = []
        self.updates: list[dict[str, str]] = []
        pytest.importorskip("IPython")
        monkeypatch.setattr("IPython.display.display", self.display)
        monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(execution_count=7, kernel=1))

    def display(self, data: dict[str, str], raw: bool, display_id: bool) -> "Shown":
        self.first.append(data)
        return self

    def update(self, data: dict[str, str], raw: bool) -> None:
        self.updates.append(data)


def test_a_notebook_without_anywidget_updates_its_display(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    shown = Shown(monkeypatch)
    made = record()
    assert [type(s) for s in screens(None, "auto", None, 0.2)] == [Notebook]
    screen = Notebook("dark", 0.2)
    screen.show(made, False)
    assert screen.again(made) and len(shown.first) == 1    # the same cell: it stands there already
    screen.show(made, False)
    made.state = "finished"
    screen.show(made, True)
    assert len(shown.updates) == 2 and 'data-theme="dark"' in shown.first[0]["text/html"]
    assert "finished" in shown.updates[-1]["text/html"] and "finished" in shown.updates[-1]["text/plain"]


def test_a_notebook_with_anywidget_ends_as_plain_html(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("anywidget")
    shown = Shown(monkeypatch)
    screen = Notebook("auto", 0.2)
    made = record()
    screen.show(made, False)
    assert "application/vnd.jupyter.widget-view+json" in shown.first[0] and "<table" in shown.first[0]["text/html"]
    made.step += 1
    screen.show(made, False)
    assert f"step {made.step:,}" in screen.widget.html and not shown.updates
    assert len(screen.widget._esm) < 30_000
    screen.show(made, True)
    assert screen.widget is None and list(shown.updates[-1]) == ["text/html", "text/plain"]


@pytest.mark.slow
def test_the_page_in_a_browser(tmp_path: Path, chromium: Any) -> None:
    file = tmp_path / "run.html"
    made = record(40, 30)
    file.write_text(page(made), encoding="utf-8")
    tab = chromium.new_page(viewport={"width": 700, "height": 900})
    said: list[str] = []
    asked: list[str] = []
    tab.on("console", lambda m: said.append(m.text))
    tab.on("pageerror", lambda e: said.append(str(e)))
    tab.on("request", lambda r: asked.append(r.url))
    tab.goto(file.as_uri())
    assert tab.locator("tbody tr").count() == 40
    for width in (700, 1400):
        tab.set_viewport_size({"width": width, "height": 900})
        assert tab.evaluate("document.documentElement.scrollWidth <= innerWidth")
    light = tab.evaluate("getComputedStyle(document.querySelector('.gw')).backgroundColor")
    tab.emulate_media(color_scheme="dark")
    assert light != tab.evaluate("getComputedStyle(document.querySelector('.gw')).backgroundColor")
    made.state = "finished"                            # the open page sees the end of the run by itself
    file.write_text(page(made), encoding="utf-8")
    tab.get_by_text("finished").wait_for(timeout=8000)
    assert not said and set(asked) == {file.as_uri()}
    tab.close()
