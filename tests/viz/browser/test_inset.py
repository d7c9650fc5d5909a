"""The picture of a notebook cell and the SVG that moves, in a real browser."""

import pytest

from viz.drawing import draw
from viz.offline import animated, framed, inline

pytestmark = pytest.mark.slow
DOCUMENT = "<!doctype html><meta charset=utf-8><link rel=icon href='data:,'><body>{}"
RINGS = "all => all.map(g => g.querySelectorAll('.gg-now').length)"


def test_two_pictures_on_one_page_play_on_their_own(opened, graphs):
    one, two = draw(graphs["mlp"]()), draw(graphs["mlp"](), direction="backward", theme="dark")
    found = opened(DOCUMENT.format(inline(one) + inline(two) + inline(one)), "[data-alive]")
    assert found.page.eval_on_selector_all("input[type=range]", "all => all.length") == 3
    sliders = found.page.query_selector_all("input[type=range]")
    sliders[1].fill("2")
    assert found.page.eval_on_selector_all("svg[role=group]", RINGS) == [0, 1, 0]
    sliders[2].fill("1")
    assert found.page.eval_on_selector_all("svg[role=group]", RINGS) == [0, 1, 1]
    assert found.page.eval_on_selector_all("[role=status]", "all => all.map(e => e.textContent.split(':')[0])") == [
        "", "step 2/7", "step 1/7"]
    assert found.errors == [] and found.requests == []


def test_arrows_travel_and_twins_light_up(opened, maker):
    m = maker()
    w = m.parameter("shared", (8, 8), grad=0.1)
    h = m.op("matmul", (m.input(), w), (16, 8), "linear", 0.1)
    h = m.op("matmul", (h, w), (16, 8), "linear", 0.1)
    found = opened(DOCUMENT.format(inline(draw(m.graph()))), "[data-alive]")
    found.page.focus('[data-id="n1"]')
    found.page.keyboard.press("ArrowDown")
    found.page.keyboard.press("ArrowDown")
    assert found.page.evaluate("document.activeElement.dataset.id") == f"n{h}"
    assert found.page.eval_on_selector_all(".gg-ring", "all => all.length") == 1
    found.page.hover("[data-leaf]", force=True)
    assert found.page.eval_on_selector_all(".gg-twin", "all => all.length") == 2


def test_the_whole_page_works_in_a_frame(opened, graphs):
    found = opened(DOCUMENT.format(framed(draw(graphs["residual"](6)), height=500)), "iframe")
    frame = found.page.query_selector("iframe").content_frame()
    frame.wait_for_selector("html[data-ready]", state="attached")
    frame.click("#unfold")
    assert len(frame.query_selector_all("#stage .op")) == 41
    frame.fill("#slider", "3")
    assert frame.inner_text("#title").startswith("step 3/41")
    assert found.errors == [] and found.requests == []


def test_without_scripts_the_picture_stays(chromium, graphs, tmp_path):
    file = tmp_path / "still.html"
    file.write_text(DOCUMENT.format(inline(draw(graphs["mlp"]()))), encoding="utf-8")
    context = chromium.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(file.as_uri())
    assert page.is_visible("svg") and not page.query_selector_all("input, button")
    context.close()


def test_the_svg_fades_and_comes_back(chromium, graphs, tmp_path):
    file = tmp_path / "moving.svg"
    file.write_text(animated(draw(graphs["mlp"]())), encoding="utf-8")
    seen = {}
    for motion in ("no-preference", "reduce"):
        context = chromium.new_context(reduced_motion=motion)
        page = context.new_page()
        page.goto(file.as_uri())
        measure = """() => {
            for (const animation of document.getAnimations()) animation.currentTime = 4000;
            const value = (e) => Number(getComputedStyle(e).opacity);
            const values = (all) => [...document.querySelectorAll(all)].map(value);
            return [values(".node"), values(".ring"), document.getAnimations().length];
        }"""
        seen[motion] = page.evaluate(measure)
        context.close()
    cards, rings, running = seen["no-preference"]
    assert running and min(cards) < 0.5 and max(cards) == 1 and sum(rings) == 1
    cards, rings, running = seen["reduce"]
    assert not running and set(cards) == {1} and set(rings) == {0}
