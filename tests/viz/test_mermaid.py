"""Mermaid: complete, and no label becomes anything but a label."""

import html
import re

import pytest

import viz
from viz.mermaid import escape

from .test_svg import HOSTILE, hostile_graph

NODE = re.compile(r'^\s+(\w+)(?:\(\["|\[\["|\{\{"|\[\\"|>"|\[")(.*)(?:"\]\)|"\]\]|"\}\}|"/\]|"\])$')
EDGE = re.compile(r'^  (\w+) (?:-->|==>|-\.->)(?:\|"[^"|]*"\|)? (\w+)$')
OTHER = re.compile(
    r'^\s+(?:end|subgraph frame_\w+\["[^"]*"\]|linkStyle \d+ stroke:#\w{6},stroke-width:[\d.]+px|%% [^\n{}"]*'
    r"|classDef \w+ [\w:#,. -]+|class [\w,]+ \w+|style frame_\w+ [\w:#,]+|acc(?:Title|Descr): [^{}\"#;]+)$")


def parsed(text):
    """Labels by id, and edges; fails on a line that is neither."""
    head, *lines = text.splitlines()
    assert head in ("flowchart TB", "flowchart LR")
    labels, edges = {}, []
    for line in lines:
        if found := EDGE.match(line):
            edges.append(found.groups())
        elif not OTHER.match(line):
            found = NODE.match(line)
            assert found, line
            assert not set(re.sub(r"<br/>|#\d+;", "", found[2])) & set("<>\"`{}|&%#;\\[]"), line
            labels[found[1]] = html.unescape(found[2].replace("#", "&#").replace("<br/>", "\n"))
    return labels, edges


@pytest.mark.parametrize("options", [
    {}, {"direction": "backward", "theme": "dark"}, {"direction": "both"}, {"depth": 0}])
def test_every_card_and_wire_is_there(graphs, options):
    drawing = viz.draw(graphs["residual"](), **options)
    labels, edges = parsed(drawing.mermaid)
    assert sorted(labels) == sorted(card.key.replace(".", "_") for card in drawing.scene.cards)
    assert len(edges) == len(drawing.scene.wires) and {e for pair in edges for e in pair} <= set(labels)
    assert drawing.mermaid.count("subgraph") == len(drawing.scene.frames) == drawing.mermaid.count("  end\n")


def test_what_is_shown_is_what_was_said(maker):
    m = maker()
    x = m.input('a<b>&"c"#d`|{e}\\n%%')
    labels, _ = parsed(viz.draw(m.graph(m.op("tanh", (x,)))).mermaid)
    assert 'a<b>&"c"#d`|{e}\\n%%' in labels["n0"]


@pytest.mark.parametrize("text", [*HOSTILE, "end", "%%{init: {}}%%", "`code`", "click n0 href x", "#quot;", "--> x"],
                         ids=range(len(HOSTILE) + 6))
def test_no_label_becomes_mermaid(maker, text):
    drawing = viz.draw(hostile_graph(maker, text), direction="both")
    labels, edges = parsed(drawing.mermaid)
    assert len(labels) == len(drawing.scene.cards) and len(edges) == len(drawing.scene.wires)
    assert len(drawing.mermaid) < 50_000


def test_marks_are_shown(maker):
    m = maker()
    w = m.parameter("w", marks=("hook",))
    h = m.op("tanh", (w,), requires_grad=False, formula=("g",))
    bad = m.op("log", (h,))
    m.nodes[bad] = m.nodes[bad]._replace(value=m.nodes[h].value)
    text = viz.draw(m.graph(bad), params="node").mermaid
    assert "⚓" in text and "✂" in text and "-.->" in text


def test_numbers_are_not_broken_at_their_signs():
    assert escape("-1.7e-3") == "#8209;1.7e#8209;3"
