"""DOT: the same text everywhere, and nothing in a label becomes DOT or HTML."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import viz
from viz.dot import answer, escape, quoted, request
from viz.layout import layout

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = ['{a|b}<c>\\d"e&f\'', "a\nb", "</TABLE>>];", '"]; evil [label="', "😀", "x" * 10_000, "\\N\\G\\", "&lt;",
           "<B>"]
dot = pytest.mark.skipif(shutil.which("dot") is None, reason="needs the dot program")


def run(form, text):
    return subprocess.run(["dot", f"-T{form}"], input=text.encode(), capture_output=True, timeout=10, check=True)


@pytest.mark.parametrize(("name", "options"), [
    ("mlp", {}), ("mlp", {"direction": "backward", "theme": "dark"}), ("scalars", {}), ("residual", {"depth": 1})])
def test_golden(graphs, name, options, request):
    """To write them anew after a change that is meant: delete the files and run the test once."""
    source = viz.draw(graphs[name](*([12] if name == "residual" else [])), **options).source
    path = GOLDEN / f"{name}{''.join(f'_{v}' for v in options.values())}.dot"
    if not path.exists():
        path.write_text(source, encoding="utf-8")
        pytest.fail(f"{path.name} was written; look at it and run again")
    assert source == path.read_text(encoding="utf-8")


@dot
@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_label_becomes_dot(maker, text):
    m = maker()
    m.modules[f"mod{text}"] = f"Cls{text}"
    h = m.op(text, (m.input(text), m.parameter(text)), module=f"mod{text}", name=text, symbol=text[:1],
             formula=(text, text))
    graph = m.graph(m.op("add", (h, h), module=f"mod{text}"))
    for direction in ("forward", "backward"):
        drawing = viz.draw(graph, direction=direction)
        said = run("plain", drawing.source)
        assert b"syntax error" not in said.stderr
        nodes = {line.split()[1] for line in said.stdout.decode().splitlines() if line.startswith("node ")}
        assert nodes == {card.key for card in drawing.scene.cards}


@dot
@pytest.mark.parametrize("rankdir", ["TB", "LR"])
@pytest.mark.parametrize("direction", ["forward", "backward"])
def test_graphviz_sees_the_sizes_that_were_measured(graphs, rankdir, direction):
    for name in ("mlp", "scalars", "residual"):
        scene = viz.draw(graphs[name](), rankdir=rankdir, direction=direction).scene
        said = run("json0", request(scene))
        assert said.stderr == b""
        placed = answer(scene, said.stdout)
        assert set(placed.cards) == {card.key for card in scene.cards}
        for card in scene.cards:
            x, y = placed.cards[card.key]
            assert x >= 0 and y >= 0 and x + card.width <= placed.width and y + card.height <= placed.height
        assert len(placed.wires) == len(scene.wires) and all(len(w) % 3 == 1 for w in placed.wires)


def test_an_incomplete_answer_is_refused(graphs):
    scene = viz.draw(graphs["mlp"]()).scene
    with pytest.raises(ValueError, match="Graphviz left something out"):
        answer(scene, '{"bb": "0,0,10,10"}')


def test_cells_have_the_sizes_of_the_scene(graphs):
    drawing = viz.draw(graphs["mlp"]())
    assert all(int(w) >= 0 for w in re.findall(r'WIDTH="(-?\d+)"', drawing.source))
    assert drawing.source.count("FIXEDSIZE") > 30
    assert layout(drawing.scene).engine == "built-in"


def test_quoting():
    assert quoted('a"b\\c\n') == '"a\\"b\\\\c\\n"'
    assert escape('<a & "b">') == "&lt;a &amp; &quot;b&quot;&gt;"


def test_digraph_is_the_same_text(graphs):
    graphviz = pytest.importorskip("graphviz")
    drawing = viz.draw(graphs["residual"]())
    digraph = drawing.digraph
    assert isinstance(digraph, graphviz.Digraph)
    assert digraph.source == drawing.source
