"""LaTeX: complete, within TeX's limits, and no label becomes a command."""

import re
import shutil
import subprocess

import pytest

import viz
from viz.tikz import MOST, escape

from .test_svg import HOSTILE, hostile_graph

KNOWN = {
    "textbackslash", "textasciitilde", "textasciicircum", "textless", "textgreater", "textbar", "textquotedblright",
    "textasciigrave", "ldots", "ggcode", "times", "cdot", "to", "nabla", "Sigma", "pm", "infty",
}


@pytest.mark.parametrize("options", [{}, {"direction": "backward", "theme": "dark"}, {"direction": "both"},
                                     {"theme": "print", "rankdir": "LR"}])
def test_positions_are_those_of_the_svg(graphs, options):
    drawing = viz.draw(graphs["mlp"](), **options)
    tex = drawing.tex
    assert f"\\useasboundingbox (0,0) rectangle ({drawing.width:.2f},{drawing.height:.2f});" in tex
    for command in (r"\usepackage", r"\documentclass"):
        assert tex.count(command) == 1
    for mark in drawing.sheet.marks:
        if type(mark).__name__ == "Text":
            assert f"at ({mark.x:.2f},{mark.y:.2f}) {{\\ggtext" in tex
    used = set(re.findall(r"(?:fill|draw|text)=(gg-[\w-]+)", tex))
    assert used <= set(re.findall(r"\\definecolor\{(gg-[\w-]+)\}\{HTML\}\{[0-9A-F]{6}\}", tex))


def test_a_long_picture_stays_within_what_tex_can_say(graphs):
    drawing = viz.draw(graphs["chain"](400), budget=None)
    assert drawing.height > MOST
    assert max(float(n) for n in re.findall(r"-?\d+\.\d+", drawing.tex)) <= MOST + 1


@pytest.mark.parametrize(("text", "tex"), [
    ("a_b{c}%", r"a\_b\{c\}\%"), (r"\input{x}", r"\textbackslash{}input\{x\}"),
    ("$x^2$ & #1 ~", r"\$x\textasciicircum{}2\$ \& \#1 \textasciitilde{}"),
    ("--", "{-}{-}"), ("16×8 ∇…", r"16$\times$8 $\nabla$\ldots{}"),
    ("éñç", r"\'{e}\~{n}\c{c}"), ("αΩ", r"$\alpha$$\Omega$"), ("日", r"\ggcode{65E5}"), ("\x07", r"\ggcode{7}")])
def test_characters(text, tex):
    assert escape(text) == tex


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_label_becomes_a_command(maker, text):
    plain = set(re.findall(r"\\([A-Za-z]+)", viz.draw(hostile_graph(maker, "a"), direction="both").tex))
    tex = viz.draw(hostile_graph(maker, text), direction="both").tex
    assert set(re.findall(r"\\([A-Za-z]+)", tex)) <= plain | KNOWN
    assert tex.isascii() and len(tex) < 200_000
    body = re.sub(r"\\[{}%\\]", "", tex)
    assert body.count("{") == body.count("}")


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize("text", ["a", *HOSTILE], ids=range(len(HOSTILE) + 1))
def test_it_compiles(maker, text, tmp_path):
    viz.draw(hostile_graph(maker, text)).save(tmp_path / "g.tex")
    subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "g.tex"], cwd=tmp_path, check=True,
                   capture_output=True, timeout=60)
    assert "Missing character" not in (tmp_path / "g.log").read_text(errors="replace")
