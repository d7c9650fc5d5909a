"""The SVG: well-formed, safe, readable without sight, themed by roles."""

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

import nn
import viz
import viz.theme

SVG = "{http://www.w3.org/2000/svg}"
ALLOWED = {"svg", "g", "path", "rect", "text", "title", "desc", "style", "metadata"}
HOSTILE = [
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", '"><svg onload=alert(1)>', "]]><!--",
    "{a|b}<c>\\d\"e&f'", "a\nb\r\nc", "😀 \ud83d \x00 \x1b[0m", "</style><style>*{display:none}", "&lt;&#60;",
    "%s %d {0}", "x" * 10_000, "\u202egnirts",
]


def hostile_graph(maker, text):
    m = maker()
    m.modules.update({f"mod{text}": f"Cls{text}"})
    x = m.input(text)
    w = m.parameter(f"{text}.w")
    c = m.leaf("constant", text, (3,))
    h = m.op(text, (x, w), category="linear", module=f"mod{text}", line=text, attrs={text: text}, saved=(text,),
             formula=(text, text), symbol=text)
    h = m.op("add", (h, c), module=f"mod{text}", dtype=text)
    return m.graph(m.op(text, (h,), (), "no such category", name=text, value=1.0))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
def test_no_label_becomes_markup(maker, text, direction):
    drawing = viz.draw(hostile_graph(maker, text), direction=direction)
    for document in (drawing.svg, drawing._repr_mimebundle_()["text/html"].split("<script>")[0]):
        root = ET.fromstring(document.encode())
        tags = {element.tag.removeprefix(SVG) for element in root.iter()} - {"div"}
        assert tags <= ALLOWED
        for element in root.iter():
            assert not [a for a in element.attrib if a.lower().startswith("on")]
            assert not element.tag.endswith("style") or "display" not in (element.text or "")
    assert len(drawing.svg) < 200_000


def test_what_is_shown_is_what_was_said(maker):
    m = maker()
    x = m.input("a<b&c")
    svg = viz.draw(m.graph(m.op("tanh", (x,)))).svg
    assert "a<b&c" in [t.text for t in ET.fromstring(svg.encode()).iter(SVG + "text")]


def test_it_stands_alone_and_speaks(graphs):
    drawing = viz.draw(graphs["residual"](2))
    root = ET.fromstring(drawing.svg.encode())
    assert root.get("role") == "img"
    ids = root.get("aria-labelledby").split()
    title, desc = root.find(SVG + "title"), root.find(SVG + "desc")
    assert [title.get("id"), desc.get("id")] == ids
    assert title.text == "Computation graph of 17 operations"
    assert desc.text.startswith("Computation graph of 17 operations: 12 parameters with 432 numbers; inputs x, target;")
    nodes = [g for g in root.iter(SVG + "g") if g.get("class").startswith("node")]
    assert [g.get("data-id") for g in nodes] == [card.key for card in drawing.scene.cards]
    for node in nodes:
        assert node.find(SVG + "title").text
    assert "http" not in drawing.svg.replace("http://www.w3.org/2000/svg", "")         # nothing is fetched


def test_colours_are_roles_with_a_plain_fallback(graphs):
    svg = viz.draw(graphs["mlp"]()).svg
    assert re.search(r"\.f-linear\{fill:var\(--linear,#D7E8F7\)\}", svg)
    assert 'class="f-linear" fill="#D7E8F7"' in svg
    dark = viz.draw(graphs["mlp"](), theme="dark").svg
    assert "#0D1117" in dark and "#FFFFFF" not in re.sub(r"<style>.*</style>", "", dark).replace('fill="#FFFFFF"', "")


def test_styles_of_two_drawings_do_not_meet(graphs):
    a, b = (ET.fromstring(viz.draw(graphs[n]()).svg.encode()) for n in ("mlp", "scalars"))
    assert a.get("id") != b.get("id")
    for root in (a, b):
        rules = root.find(SVG + "style").text
        assert all(rule.startswith(f"#{root.get('id')}") for rule in rules.split("}") if rule)


def test_gradients_are_numbers_colours_and_words(maker):
    m = maker()
    x = m.parameter("w", (4,), grad=0.5)
    a = m.op("zero", (x,), (4,), grad=0.0)
    b = m.op("bad", (a,), (4,), grad=1.0)
    m.nodes[b] = m.nodes[b]._replace(grad=m.nodes[b].grad._replace(nans=1))
    c = m.op("waiting", (b,), (4,))
    d = m.op("frozen", (m.input("x", (4,)),), (4,))
    svg = viz.draw(m.graph(m.op("add", (c, d), (4,), grad=1.0))).svg
    words = [t.text for t in ET.fromstring(svg.encode()).iter(SVG + "text")]
    assert {"0.5", "0", "NaN", "pending", "no grad", "0 NaN ∞"} <= set(words)
    assert svg.count('class="f-alarm"') >= 3 and "stroke-dasharray" in svg


def test_no_gradient_at_all_leaves_no_empty_column(graphs):
    svg = viz.draw(graphs["chain"](3)).svg
    assert "gradients: pending, no backward pass yet" in svg and "ramp" not in svg
    assert svg.count("pending") == svg.count("gradient pending") + 1       # in tooltips and in the note, not in cards


def test_the_same_graph_gives_the_same_bytes(graphs):
    for name in ("mlp", "residual", "scalars"):
        a, b = viz.draw(graphs[name]()), viz.draw(graphs[name]())
        assert (a.svg, a.source, a.text) == (b.svg, b.source, b.text)


def test_twins_carry_the_id_of_their_leaf(maker):
    m = maker()
    w, h = m.parameter("w"), m.input()
    for _ in range(2):
        h = m.op("matmul", (h, w))
    assert viz.draw(m.graph(h)).svg.count(f'data-leaf="{w}"') == 2


def test_auto_follows_the_readers_system(graphs):
    drawing = viz.draw(graphs["mlp"](), theme="auto")
    light = viz.draw(graphs["mlp"]()).svg
    style = re.search(r"<style>(.*)</style>", drawing.svg)[1]
    dark = re.search(r"@media\(prefers-color-scheme:dark\)\{(.*)\}$", style)[1]
    roles = [set(re.findall(r"\.([fs]-[\w-]+)\{", part)) for part in (dark, style.split("@media")[0])]
    assert roles[0] == roles[1]
    assert "fill:var(--linear,#12314F)" in dark and "fill:var(--linear,#D7E8F7)" in style
    assert drawing.svg.replace(style, "") == light.replace(re.search(r"<style>(.*)</style>", light)[1], "")
    assert "prefers-color-scheme" not in light


@pytest.mark.parametrize("theme", ["print", "contrast"])
def test_every_theme_is_painted_in_its_own_colours(graphs, theme):
    for direction in ("forward", "backward", "both"):
        svg = viz.draw(graphs["residual"](), theme=theme, direction=direction).svg
        body = re.sub(r"<metadata.*", "", svg)
        assert set(re.findall(r"#[0-9A-F]{6}\b", body)) <= set(viz.theme.THEMES[theme].values())


def test_the_whole_band_of_a_parameter_answers_with_its_tooltip():
    drawn = viz.draw(nn.Linear(3, 2), np.ones((1, 3), np.float32)).svg
    rows = re.findall(r'<g class="row leaf"[^>]*><title>[^<]*</title>\n?(<(?:rect|path) [^>]*>)', drawn)
    assert len(rows) == 2 and all("parameter" in band for band in rows)
