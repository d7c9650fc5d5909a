"""The graph in its picture: there and back, and nothing else gets in."""

import base64
import json
import re
import zlib

import numpy as np
import pytest

import viz
import viz.embed
from autograd import Tensor, trace
from autograd.graph import Graph
from viz.embed import element, load, thin

WORDS = "load: expected an .svg or .json file that a picture was saved to; got"


@pytest.mark.parametrize("name", ["scalars", "mlp", "residual", "chain"])
def test_there_and_back(graphs, name, tmp_path):
    graph = graphs[name](*([30] if name == "chain" else []))
    for suffix in ("svg", "json"):
        for theme in ("light", "auto"):
            viz.draw(graph, theme=theme).save(tmp_path / f"g.{suffix}")
            assert load(tmp_path / f"g.{suffix}") == graph
    assert viz.draw(load(str(tmp_path / "g.svg"))).svg == viz.draw(graph).svg


def test_it_is_read_as_plain_text_too(graphs, maker, tmp_path):
    m = maker()
    graph = m.graph(m.op("tanh", (m.input("a<b&c>\"'&lt;"),), name="&amp;"))
    path = tmp_path / "g.svg"
    path.write_text(packed(graph.to_json().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), "text"))
    assert load(path) == graph
    made = element(graphs["residual"]())
    assert made.count("<") == 2 and 'data-encoding="zlib+base64"' in made and len(made) < len(graph.to_json()) * 10


def test_large_arrays_stay_behind_and_small_ones_come_along(tmp_path):
    w, b = Tensor(np.ones((50, 40)), requires_grad=True), Tensor(np.arange(40.0), requires_grad=True)
    graph = trace(lambda x: (x @ w + b).sum())(np.ones((3, 50)))
    viz.draw(graph).save(tmp_path / "g.svg")
    back = load(tmp_path / "g.svg")
    assert back == thin(graph)
    data = {n.name: n.data for n in back.nodes}
    assert data["w"] is None and np.array_equal(data["b"], np.arange(40.0))
    assert back.nodes[back.parameters["w"]].value.rms == 1.0
    x = np.ones((3, 50))
    assert back(x, w=w.value) == graph(x)
    viz.draw(graph).save(tmp_path / "g.json")
    assert load(tmp_path / "g.json") == graph


def test_a_graph_that_has_no_text_is_drawn_without(maker):
    m = maker()
    x = m.input()
    drawing = viz.draw(m.graph(m.op("odd", (x,), attrs={"what": object()})))
    assert "<metadata" not in drawing.svg and drawing.svg.endswith("</svg>\n")


def packed(text, encoding="zlib+base64"):
    data = base64.b64encode(zlib.compress(text.encode())).decode() if encoding == "zlib+base64" else text
    return (f'<svg><metadata class="glassgrad-graph" data-format="glassgrad.graph/2" data-encoding="{encoding}">{data}'
            "</metadata></svg>")


BOMB = ('<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "' + "ha" * 99 + '"><!ENTITY b "' + "&a;" * 99
        + '">]><svg>&b;</svg>')


@pytest.mark.parametrize(("text", "why"), [
    ("", "it is neither an SVG nor JSON"),
    ("hello", "it is neither an SVG nor JSON"),
    ("<svg xmlns='http://www.w3.org/2000/svg'></svg>", "it is an SVG without a graph in it"),
    (BOMB, "it is an SVG without a graph in it"),
    ("{}", "it names no format"),
    ('{"format":"glassgrad.graph/2"}', "'nodes' is missing"),
    ('{"format":"other/9"}', "its format is 'other/9'"),
    ("{" * 100_000, "it"), ('{"a":' + "[" * 200_000, ""),
    (packed("{}"), "it names no format"),
    (packed("[1]"), ""),
    (packed("{}").replace("zlib+base64", "gzip"), "its graph is written as 'gzip'"),
    (packed("{}").split("</metadata>")[0], "it ends in the middle of its graph"),
    (re.sub(r'">.{9}', '">AAAA=AAAA', packed("x" * 99)), "its graph is damaged"),
    (packed("&lol;&#65;{}", "text"), ""),
], ids=range(15))
def test_what_is_no_picture_of_ours_is_refused(text, why, tmp_path):
    path = tmp_path / "g.svg"
    path.write_text(text)
    with pytest.raises(ValueError) as error:
        load(path)
    assert str(error.value).startswith(f"{WORDS} {str(path)!r}, and ") and why in str(error.value)


def test_a_text_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "g.svg"
    path.write_text(packed('{"format":"' + "a" * 1_000_000 + '"}'))
    monkeypatch.setattr(viz.embed, "MOST_BYTES", 100_000)
    with pytest.raises(ValueError, match="its graph is larger than it may be"):
        load(path)
    path.write_text(" " * 200_000)
    with pytest.raises(ValueError, match="it is larger than"):
        load(path)


def test_cut_short_anywhere_it_is_an_error_and_never_another_graph(graphs, tmp_path):
    text = viz.draw(graphs["mlp"]()).svg
    path = tmp_path / "g.svg"
    start, end = text.index("<metadata"), text.index("</metadata>")
    for stop in [*range(start, end, 97), end, end + 5]:
        path.write_text(text[:stop])
        with pytest.raises(ValueError, match="load: expected"):
            load(path)


def test_damaged_bytes_give_an_error_or_a_graph(graphs, tmp_path):
    text = viz.draw(graphs["scalars"]()).svg
    path = tmp_path / "g.svg"
    rng = np.random.default_rng(0)
    low, high = text.index("<metadata"), text.index("</metadata>")
    for _ in range(120):
        at = int(rng.integers(low, high))
        path.write_text(text[:at] + chr(int(rng.integers(33, 127))) + text[at + 1:])
        try:
            assert isinstance(load(path), Graph)
        except ValueError as error:
            assert str(error).startswith(WORDS)


def test_other_files_say_what_they_are(tmp_path):
    (tmp_path / "g.png").write_bytes(b"\x89PNG\r\n\x1a\n\xff\xfe")
    with pytest.raises(ValueError, match="it is no text: a PNG or PDF holds no graph"):
        load(tmp_path / "g.png")
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "none.svg")
    with pytest.raises(IsADirectoryError):
        load(tmp_path)


ODD = [None, True, -1, 10**400, {"float": "nan"}, "", "</script>", [], {}, [[]],
       {"tuple": [1]}, {"dict": [[1, 2]]}, ["a"]]


def mutated(x, rng):
    """The data with one part of it, somewhere, made something else."""
    if not isinstance(x, (dict, list)) or not x or rng.random() < 0.1:
        return ODD[int(rng.integers(len(ODD)))]
    made = dict(x) if isinstance(x, dict) else list(x)
    k = list(x)[int(rng.integers(len(x)))] if isinstance(x, dict) else int(rng.integers(len(x)))
    made[k] = mutated(x[k], rng)
    return made


def test_a_wrong_graph_is_refused_or_can_be_drawn(graphs):
    drawn = 0
    for seed in range(120):
        rng = np.random.default_rng(seed)
        data = json.loads(graphs[("scalars", "mlp")[seed % 2]]().to_json())
        data["nodes"] = mutated(data["nodes"], rng)
        try:
            graph = Graph.from_json(json.dumps(data))
        except ValueError:
            continue
        for direction in ("forward", "both"):
            try:
                drawing = viz.draw(graph, direction=direction, values=True)
            except ValueError as error:
                assert str(error).startswith("draw: expected")
                continue
            assert drawing.svg and drawing.text and drawing.source and drawing.tex and drawing.mermaid
            drawn += 1
    assert drawn > 10
