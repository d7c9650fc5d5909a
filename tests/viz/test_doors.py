"""What a drawing does besides being shown: it moves, opens as a page in a notebook, follows training; options stay."""

import re

import numpy as np
import pytest

import nn
import viz
from autograd import Tensor
from viz.backend import available

X = np.ones((2, 3), np.float32)


def loss_of(model):
    return (model(Tensor(X)) ** 2).mean()


def test_animate_writes_a_moving_svg(tmp_path):
    loss = loss_of(nn.Linear(3, 1))
    viz.draw(loss).animate(tmp_path / "steps.svg")
    text = (tmp_path / "steps.svg").read_text(encoding="utf-8")
    assert "@keyframes" in text and "<script" not in text and "prefers-reduced-motion" in text
    with pytest.raises(ValueError, match=r"ends in \.svg"):
        viz.draw(loss).animate(tmp_path / "steps.gif")


def test_page_is_shown_in_a_frame_that_runs_nothing_else():
    shown = viz.draw(loss_of(nn.Linear(3, 1))).page(height=420)._repr_html_()
    assert shown.startswith("<iframe") and 'sandbox="allow-scripts"' in shown and "height:420px" in shown
    for wrong in (0, 3.5, True, "tall"):
        with pytest.raises(ValueError, match="page: expected height"):
            viz.draw(loss_of(nn.Linear(3, 1))).page(height=wrong)


def test_a_widget_draws_again_with_the_same_options():
    pytest.importorskip("anywidget")
    model = nn.Linear(3, 1)
    loss = loss_of(model)
    loss.backward()
    shown = viz.draw(loss, theme="dark", gradients=True).widget()
    before = shown.html
    assert "<svg" in before and viz.theme.THEMES["dark"]["page"] in before
    model.weight.grad = model.weight.grad * 1000
    again = shown.update(loss)
    assert again.options == shown.drawing.options and again.theme == "dark"
    assert shown.html != before and "<script" not in shown.html
    with pytest.raises(TypeError, match="expected a Tensor"):
        shown.update("no graph")
    assert shown.drawing is again                               # what was there stays


def test_without_anywidget_one_line_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "anywidget", None)
    with pytest.raises(ImportError, match=r'pip install "glassgrad\[live\]"'):
        viz.draw(loss_of(nn.Linear(3, 1))).widget()


@pytest.mark.parametrize("name", ["animate", "page", "widget"])
def test_a_difference_says_that_it_has_none_of_these(name):
    found = viz.diff((nn.ReLU(), X), (nn.Tanh(), X))
    with pytest.raises(TypeError, match=r"^diff: "):
        getattr(found, name)(*(["x.svg"] if name == "animate" else []))


def test_the_page_shows_the_numbers_that_were_asked_for():
    import autograd
    with autograd.record():
        loss = loss_of(nn.Linear(3, 1))
        loss.backward()
    from viz.offline.record import record

    def pieces(**options):
        drawing = viz.draw(loss, **options)
        asked = [drawing.options[k] for k in ("values", "gradients")]
        return "".join(record(drawing.view, drawing.scene, *asked)["pieces"])

    assert "±" in pieces(values=True) and "±" not in pieces(values=False)
    assert "ramp" in pieces(gradients=True) and "ramp" not in pieces(gradients=False)
    page = {v: viz.draw(loss, values=v).html for v in (True, False)}
    data = [re.search(r'>([A-Za-z0-9+/=]{200,})<', text)[1] for text in page.values()]
    assert data[0] != data[1]


@pytest.mark.skipif(not available(), reason="needs Graphviz")
def test_an_explanation_is_saved_as_a_png_and_a_pdf(tmp_path):
    w = Tensor(2.0, requires_grad=True, name="w")
    import autograd
    with autograd.record():
        y = (w * 3).tanh()
    told = viz.explain(y, w)
    told.save(tmp_path / "e.png", dpi=72)
    told.save(tmp_path / "e.pdf")
    assert (tmp_path / "e.png").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "e.pdf").read_bytes().startswith(b"%PDF")
    with pytest.raises(ValueError, match="dpi to be a positive number"):
        told.save(tmp_path / "f.png", dpi=0)
    assert not (tmp_path / "f.png").exists()
