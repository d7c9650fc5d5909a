"""Graphviz on this machine: there, missing, failing, too slow."""

import os
import shutil
import stat
import sys
import time

import pytest

import viz
from viz import backend

FAKE_PACKAGE = """
import time
class AGraph:
    def __init__(self, string):
        self.text, self.graph_attr = string, {{}}
    def draw(self, format, prog):
        {body}
"""


@pytest.fixture
def no_graphviz(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(backend, "_package", lambda: False)


@pytest.fixture
def fake_dot(monkeypatch, tmp_path):
    """A `dot` that runs the given shell lines, in place of all others."""
    def make(script):
        path = tmp_path / "dot"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IEXEC)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}/bin{os.pathsep}/usr/bin")
    return make


@pytest.fixture
def fake_package(monkeypatch, tmp_path):
    """A pygraphviz in which `AGraph.draw` does what is given, and no `dot` program."""
    def make(body):
        (tmp_path / "pygraphviz.py").write_text(FAKE_PACKAGE.format(body=body))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        monkeypatch.syspath_prepend(str(tmp_path))
        monkeypatch.setenv("PATH", "")
    return make


@pytest.mark.usefixtures("no_graphviz")
def test_without_graphviz_there_is_still_a_picture(graphs, tmp_path):
    drawing = viz.draw(graphs["mlp"]())
    assert drawing.svg.startswith("<?xml") and drawing.source.startswith("digraph")
    for suffix in (".svg", ".dot", ".json", ".txt"):
        drawing.save(tmp_path / f"g{suffix}")
        assert (tmp_path / f"g{suffix}").stat().st_size > 100
    drawing = viz.draw(graphs["mlp"](), engine="dot")
    assert drawing.svg == drawing.svg and drawing.placed.engine == "built-in"
    assert drawing.notes == ("Graphviz is not at hand: laid out by the built-in engine",)


@pytest.mark.skipif(shutil.which("dot") is None, reason="no dot on this machine")
def test_without_any_font_a_picture_is_the_same_size(graphs, monkeypatch, tmp_path):
    """Sizes come from a table of our own: what a machine has for letters changes nothing but the letters."""
    with_fonts = viz.draw(graphs["mlp"]())
    with_fonts.save(tmp_path / "with.png")
    (tmp_path / "none.conf").write_text("<fontconfig></fontconfig>")
    monkeypatch.setenv("FONTCONFIG_FILE", str(tmp_path / "none.conf"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    without = viz.draw(graphs["mlp"]())
    without.save(tmp_path / "without.png")
    assert without.svg == with_fonts.svg
    sizes = [(tmp_path / name).read_bytes()[:24] for name in ("with.png", "without.png")]      # its head ends with them
    assert sizes[0] == sizes[1] and sizes[0].startswith(b"\x89PNG")
    without.save(tmp_path / "without.pdf")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(viz.BackendError, match=r"expected a font.*apt-get install fonts-liberation"):
        without.save(tmp_path / "none.png")
    assert not (tmp_path / "none.png").exists()


@pytest.mark.usefixtures("no_graphviz")
@pytest.mark.parametrize("suffix", [".png", ".pdf"])
def test_without_graphviz_png_and_pdf_say_what_to_install(graphs, tmp_path, suffix):
    with pytest.raises(viz.BackendError) as error:
        viz.draw(graphs["mlp"]()).save(tmp_path / f"g{suffix}")
    assert str(error.value) == (
        f"save: expected Graphviz, for a {suffix} file; got a machine with neither the `dot` program nor pygraphviz; "
        'pip install "glassgrad[viz]"  or  apt-get install graphviz; or save as .svg, which needs nothing')
    assert not any(p.name.startswith("g") for p in tmp_path.iterdir())


@pytest.mark.usefixtures("no_graphviz")
def test_backends_tells_what_is_missing():
    found = viz.backends()
    assert [(b.name, b.works) for b in found] == [("dot", False), ("pygraphviz", False), ("built-in", True)]
    assert 'pip install "glassgrad[viz]"' in repr(found) and "apt-get install graphviz" in repr(found)


def test_backends_tells_the_version(fake_dot):
    fake_dot("echo 'dot - graphviz version 99.1' >&2")
    assert viz.backends()[0].works and "graphviz version 99.1" in viz.backends()[0].detail


def test_a_slow_layout_is_stopped_and_the_picture_says_so(graphs, fake_dot, monkeypatch):
    fake_dot("exec sleep 30")
    monkeypatch.setattr(backend, "TIME_LIMIT", 0.2)
    start = time.perf_counter()
    drawing = viz.draw(graphs["mlp"](), engine="dot")
    assert "Graphviz took over 0.2 s: laid out by the built-in engine" in drawing.svg
    assert time.perf_counter() - start < 3


def test_a_slow_painter_is_stopped_with_an_error(graphs, fake_dot, monkeypatch, tmp_path):
    fake_dot("exec sleep 30")
    monkeypatch.setattr(backend, "TIME_LIMIT", 0.2)
    with pytest.raises(backend.TimeLimit) as error:
        viz.draw(graphs["mlp"]()).save(tmp_path / "g.png")
    assert str(error.value) == ("expected Graphviz to finish within 0.2 s; it was stopped; draw less (a smaller budget "
                                "or depth), or save as .svg, which needs nothing")
    assert [p.name for p in tmp_path.iterdir()] == ["dot"]


@pytest.mark.parametrize("script", ["exit 3", "echo nonsense", "echo '{}'", 'echo \'{"bb": "0,0,1,1"}\'', "kill -9 $$"])
def test_a_graphviz_that_fails_does_not_keep_the_picture(graphs, fake_dot, script):
    fake_dot(script)
    drawing = viz.draw(graphs["mlp"](), engine="dot")
    assert "laid out by the built-in engine" in drawing.svg


def test_a_failing_painter_says_why(graphs, fake_dot, tmp_path):
    fake_dot("echo 'Error: no fonts' >&2; exit 1")
    with pytest.raises(viz.BackendError) as error:
        viz.draw(graphs["mlp"]()).save(tmp_path / "g.pdf")
    assert "it failed: Error: no fonts; save as .svg, which needs nothing" in str(error.value)
    assert [p.name for p in tmp_path.iterdir()] == ["dot"]


def test_no_shell_sees_the_text(maker, fake_dot, tmp_path):
    fake_dot(f'cat > "{tmp_path}/said"; echo "$@" > "{tmp_path}/args"; exit 1')
    m = maker()
    name = "$(touch pwned); `touch pwned` | touch pwned"
    assert viz.draw(m.graph(m.op(name, (m.input(name),))), engine="dot").svg
    assert (tmp_path / "args").read_text().split() == ["-Kdot", "-Tjson0"]
    assert not (tmp_path / "pwned").exists()


def test_more_cards_than_graphviz_can_take_are_not_given_to_it(graphs, fake_dot):
    fake_dot("exec sleep 30")
    drawing = viz.draw(graphs["chain"](900), budget=None, engine="dot")
    assert drawing.placed.engine == "built-in"
    assert "902 cards: laid out by the built-in engine; Graphviz is asked for up to 800" in drawing.svg


def test_pygraphviz_works_in_a_process_of_its_own(graphs, fake_package, tmp_path):
    probe = "b'<text x=\"0\" y=\"-2\">'"
    fake_package(f"return {probe} if format == 'svg' else f'{{format}} {{prog}} {{self.graph_attr}}'.encode()")
    viz.draw(graphs["mlp"]()).save(tmp_path / "g.png", dpi=100)
    assert (tmp_path / "g.png").read_bytes() == b"png nop2 {'dpi': '100.00'}"
    assert "pygraphviz" not in sys.modules


def test_a_hanging_pygraphviz_is_killed(graphs, fake_package, monkeypatch):
    fake_package("time.sleep(30)")
    monkeypatch.setattr(backend, "TIME_LIMIT", 0.5)
    start = time.perf_counter()
    assert "Graphviz took over 0.5 s" in viz.draw(graphs["mlp"](), engine="dot").svg
    assert time.perf_counter() - start < 4


def test_without_any_graphviz_the_error_names_both(monkeypatch, no_graphviz):
    with pytest.raises(viz.BackendError) as error:
        backend.graphviz("digraph{}", "dot", "png")
    assert str(error.value) == ("expected Graphviz; there is neither a `dot` program nor pygraphviz here; "
                                'pip install "glassgrad[viz]"  or  apt-get install graphviz')
