"""The page in a real browser: opened from a file with the network off, and used."""

import re
import time
from html import unescape
from types import SimpleNamespace

import pytest

from viz.drawing import draw
from viz.offline import page

pytestmark = pytest.mark.slow                   # a second each, where nothing else runs

SEEN = "all => all.map(e => e.textContent)"


def position(found, key):
    """Where a card stands in the picture."""
    text = found.page.get_attribute(f'[data-key="{key}"]', "transform")
    return tuple(float(n) for n in re.findall(r"-?[\d.]+", text))


@pytest.mark.parametrize("name", ["mlp", "scalars", "residual", "chain"])
def test_cards_stand_where_the_python_layout_puts_them(opened, graphs, name):
    graph = graphs[name](*{"residual": [5], "chain": [30]}.get(name, []))
    drawing = draw(graph)
    assert not any(item.kind == "repeat" for item in drawing.view.items)
    found = opened(page(drawing))
    assert sorted(found.cards()) == sorted(drawing.placed.cards)
    for key, (x, y) in drawing.placed.cards.items():
        assert position(found, key) == pytest.approx((x, y), abs=0.11), key


def test_a_card_looks_as_in_the_svg(opened, graphs):
    drawing = draw(graphs["mlp"]())
    words = [unescape(word) for word in re.findall(r"<text[^>]*>([^<]+)</text>", drawing.svg)]
    found = opened(page(drawing))
    shown = found.page.eval_on_selector_all("#stage text, #legend text", SEEN)
    assert set(words) <= set(shown) and set(shown) - set(words) <= {"module"}       # which can be folded here
    for role, colour in (("linear", "rgb(215, 232, 247)"), ("parameter", "rgb(255, 232, 194)")):
        assert found.page.eval_on_selector(f"#stage .f-{role}", "e => getComputedStyle(e).fill") == colour


def test_a_fold_keeps_what_was_clicked_in_place(opened, graphs):
    found = opened(page(draw(graphs["residual"](6))))
    key = next(k for k in found.cards() if k.startswith("u"))
    before = found.page.locator(f'[data-key="{key}"]').bounding_box()
    found.page.click(f'[data-key="{key}"]')
    after = found.page.locator(f'[data-key="f{key[1:]}"]').bounding_box()
    assert abs(before["x"] - after["x"]) < 30 and abs(before["y"] - after["y"]) < 30


def test_search_finds_jumps_and_unfolds(opened, graphs):
    found = opened(page(draw(graphs["residual"](6))))
    assert "n30" not in found.cards()
    found.page.keyboard.press("/")
    assert found.focused() == "search"
    found.page.keyboard.type("BLOCKS.3 relu")
    assert found.page.eval_on_selector_all("#hits [role=option]", "all => all.length") == 1
    found.page.keyboard.press("Enter")
    key = found.focused()
    assert key in found.cards() and "relu" in found.page.inner_text("#panel h2")
    assert "blocks.3.act" in found.page.inner_text("#panel")
    box = found.page.locator(f'[data-key="{key}"]').bounding_box()
    assert 0 < box["x"] < 1000 and 0 < box["y"] < 780
    found.page.fill("#search", "no such thing")
    assert "nothing found" in found.page.inner_text("#hits")
    found.page.fill("#search", "blocks.1.fc2.weight")       # a leaf is a row: its op is shown
    found.page.keyboard.press("Enter")
    assert "matmul" in found.page.inner_text("#panel h2")


def test_tab_goes_in_topological_order_and_arrows_along_the_wires(opened, graphs):
    graph = graphs["mlp"]()
    found = opened(page(draw(graph)))
    cards = found.cards()
    place = {key: k for k, key in enumerate(cards)}
    for node in graph.nodes:
        for a in node.inputs:
            if f"n{a}" in place and f"n{node.id}" in place:
                assert place[f"n{a}"] < place[f"n{node.id}"]
    found.page.focus('[data-key="n0"]')                     # the input
    walked = ["n0"]
    for _ in range(len(cards) - 1):
        found.page.keyboard.press("ArrowDown")
        walked.append(found.focused())
    assert walked == cards
    found.page.keyboard.press("ArrowUp")
    assert found.focused() == cards[-2]
    assert found.page.evaluate("document.activeElement.matches(':focus-visible')")
    before = found.focused()
    found.page.keyboard.press("Backspace")                  # folds what is around
    if before in found.cards():
        found.page.focus('#stage .head')
        found.page.keyboard.press("Enter")
    assert any(k.startswith("u") for k in found.cards())


def test_saved_memory_falls_and_gradients_add_up(opened, maker):
    m = maker()
    x = m.leaf("input", "x", value=3.0, grad=7.0, requires_grad=True)
    y = m.op("multiply", (x, x), (), value=9.0, grad=1.0, saved=("x", "y"), saved_bytes=16, formula=("g * y", "g * x"))
    z = m.op("add", (y, x), (), value=12.0, grad=1.0, formula=("g", "g"))
    found = opened(page(draw(m.graph(z))))
    assert found.page.inner_text("#memory") == "saved 16 B of 16 B"
    found.page.fill("#slider", "2")
    numbers = found.page.inner_text("#numbers")
    assert "x.grad += gx: 1.0 + 3.0 = 4.0" in numbers and "x.grad += gy: 4.0 + 3.0 = 7.0" in numbers
    assert "frees x, y: 16 B" in numbers
    assert found.page.inner_text("#memory") == "saved 0 B of 16 B"
    assert found.page.get_attribute("#curve", "d").startswith("M0 40L0.0 2.0")


def test_space_plays_and_pauses(opened, graphs):
    found = opened(page(draw(graphs["residual"](6))))
    found.page.keyboard.press("Space")
    limit = time.monotonic() + 5
    while int(found.page.input_value("#slider")) < 2:
        assert time.monotonic() < limit
        found.page.wait_for_timeout(50)
    found.page.keyboard.press("Space")
    at = found.page.input_value("#slider")
    found.page.wait_for_timeout(900)
    assert found.page.input_value("#slider") == at
    assert found.page.inner_text("#play") == "▶ play"


def test_themes(opened, graphs):
    text = page(draw(graphs["mlp"]()))
    ground = "getComputedStyle(document.body).backgroundColor"
    found = opened(text, color_scheme="dark")
    assert found.page.evaluate(ground) == "rgb(13, 17, 23)"             # as the system asks
    for theme, colour in (("light", "rgb(255, 255, 255)"), ("contrast", "rgb(0, 0, 0)"), ("auto", "rgb(13, 17, 23)")):
        found.page.select_option("#theme", theme)
        assert found.page.evaluate(ground) == colour
    found.page.emulate_media(media="print")
    assert found.page.evaluate(ground) == "rgb(255, 255, 255)"
    assert opened(page(draw(graphs["mlp"](), theme="dark")), color_scheme="light").page.evaluate(ground) \
        == "rgb(13, 17, 23)"


def test_twins_light_up_together(opened, maker):
    m = maker()
    w = m.parameter("shared", (8, 8), grad=0.1)
    h = m.op("matmul", (m.input(), w), (16, 8), "linear", 0.1)
    m.op("matmul", (h, w), (16, 8), "linear", 0.1)
    found = opened(page(draw(m.graph())))
    found.page.hover("#stage [data-leaf]", force=True)
    assert found.page.eval_on_selector_all("#stage .twin", "all => all.length") == 2


def test_the_first_bad_value_is_one_click_away(opened, maker):
    m = maker()
    h = m.linear("fc1", m.input())
    m.modules["act"] = "Log"
    summary = m.op("exp", (h,), value=1.0, module="act")
    bad = m.nodes[summary].value._replace(nans=3, size=128, item=None)
    h = m.op("log", (summary,), module="act")
    m.nodes[h] = m.nodes[h]._replace(value=bad)
    m.op("mean", (h,), (), "reduction")
    found = opened(page(draw(m.graph(), depth=0)))
    assert found.page.is_visible("#bad")
    found.page.click("#bad")
    assert found.focused() == f"n{h}"
    assert "3 NaN of 128" in found.page.inner_text("#panel")
    other = maker()
    other.op("exp", (other.input(),), value=1.0)
    assert not opened(page(draw(other.graph()))).page.is_visible("#bad")


def test_hostile_labels_are_only_text(opened, maker):
    m = maker()
    nasty = ["</script><script>document.title='gone'</script>", "<img src=x onerror=document.title='gone'>",
             "\"'&{}<>|\\ `${1}`", "😀 👩‍👩‍👧", "עברית العربية", "x" * 10_000, "<!--", "]]>", "&lt;b&gt;",
             "\"><img src=x onerror=document.title='gone'>"]
    h = m.input("<b>x</b>")
    for k, name in enumerate(nasty):
        m.modules[name] = name
        w = m.parameter(f"{name}.weight", (8, 8), grad=0.1, data=None)
        h = m.op(("matmul", name)[k % 2], (h, w), (16, 8), "linear", 0.1, name=name, module=name, line=name,
                 formula=(name, name), saved=(name,))
    found = opened(page(draw(m.graph()), title="</title><script>document.title='gone'</script>"))
    found.page.click("#unfold")
    for key in found.all_keys():
        found.page.focus(f'[data-key="{key}"]')
    for k in range(len(nasty) + 1):
        found.page.fill("#slider", str(k))
    found.page.fill("#search", "<img")
    assert found.page.title() == "</title><script>document.title='gone'</script>"       # or a script has run
    labels = " ".join(found.page.eval_on_selector_all("#stage .op", "all => all.map(g => g.ariaLabel)"))
    assert all(name in labels for name in nasty if len(name) < 60)
    assert found.page.eval_on_selector_all("img", "all => all.length") == 0
    assert found.page.eval_on_selector_all("script", "all => all.length") == 2
    assert found.errors == [] and found.requests == []


def test_scissors_where_the_gradient_is_cut(opened, maker):
    m = maker()
    x = m.leaf("input", "x", (4,), requires_grad=True)
    cut = m.op("detach", (x,), (4,), "shape", requires_grad=False)
    drawing = draw(m.graph(m.op("add", (m.op("exp", (x,), (4,)), cut), (4,))))
    assert [(wire.source, wire.target) for wire in drawing.scene.wires if wire.sign == "cut"] == [("n0", f"n{cut}")]
    found = opened(page(drawing))
    assert found.page.eval_on_selector_all("#stage .wire g", "all => all.length") == 1


def test_nothing_moves_for_who_asked_for_that(opened, graphs):
    text = page(draw(graphs["scalars"]()))
    for motion, name in (("reduce", "none"), ("no-preference", "march")):
        found = opened(text, reduced_motion=motion)
        found.page.keyboard.press(".")
        assert found.page.eval_on_selector(".current .ring", "e => getComputedStyle(e).animationName") == name


def test_a_small_window_has_everything(opened, graphs):
    found = opened(page(draw(graphs["residual"](6))))
    found.page.set_viewport_size({"width": 700, "height": 500})
    for name in ("search", "fold", "unfold", "fit", "theme", "help", "play", "slider"):
        box = found.page.locator(f"#{name}").bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 700 and box["y"] + box["height"] <= 500, name
    assert found.page.evaluate("document.documentElement.scrollWidth") <= 700
    assert not found.page.is_visible("#panel")
    found.page.click("#stage .node")
    assert found.page.is_visible("#panel")


def test_it_turns_and_keeps_its_cards(opened, graphs):
    found = opened(page(draw(graphs["mlp"]())))
    cards = found.cards()
    wide, high = (found.page.evaluate(f"document.getElementById('stage').getBBox().{d}") for d in ("width", "height"))
    found.page.click("#turn")
    assert found.cards() == cards
    assert found.page.evaluate("document.getElementById('stage').getBBox().width") > wide
    assert found.page.evaluate("document.getElementById('stage').getBBox().height") < high


def test_on_paper_the_whole_picture_is_seen(opened, graphs):
    found = opened(page(draw(graphs["residual"](6))))
    found.page.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    wide, high = (float(n) for n in found.page.get_attribute("#picture", "viewBox").split()[2:])
    left, top, right, bottom = found.page.evaluate(
        "(b => [b.x, b.y, b.x + b.width, b.y + b.height])(document.getElementById('stage').getBBox())")
    assert left >= 0 and top >= 0 and right <= wide and bottom <= high
    found.page.evaluate("window.dispatchEvent(new Event('afterprint'))")
    assert found.page.get_attribute("#picture", "viewBox") is None


def test_a_page_without_a_gradient_has_no_player(opened, maker):
    m = maker()
    m.op("exp", (m.input(),))
    found = opened(page(draw(m.graph())))
    assert not found.page.is_visible("#player") and found.errors == []


def test_a_large_net_opens_and_folds_fast(opened, maker):
    """The limits of the benchmark, loosened fivefold: this machine may be busy."""
    m = maker()
    h = m.input()
    for k in range(300):
        h = m.linear(f"layers.{k}", h, grad=0.1)
        m.modules[f"layers.{k}"] = "Linear"
        h = m.op("relu", (h,), category="activation", grad=0.1)
    text = page(draw(m.graph()))
    assert len(text) < 500_000
    found = opened(text)
    found.page.click("#stage .unit")
    assert found.measured("open")[0] < 5000 and max(found.measured("draw")) < 1500
    found.page.click("#unfold")
    assert 100 < len(found.cards()) <= 800
    assert found.errors == []


def test_words_of_the_graph_where_no_script_runs(chromium, graphs, tmp_path):
    file = SimpleNamespace(path=tmp_path / "page.html")
    file.path.write_text(page(draw(graphs["mlp"]())), encoding="utf-8")
    context = chromium.new_context(java_script_enabled=False)
    opened_page = context.new_page()
    opened_page.goto(file.path.as_uri())
    assert "matmul" in opened_page.inner_text("noscript")
    context.close()
