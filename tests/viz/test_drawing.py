"""`viz.draw`: what it takes, what it refuses, how it shows itself, what it costs to import."""

import subprocess
import sys

import pytest

import viz
from autograd import Tensor
from autograd.graph import graph


def loss():
    x = Tensor(2.0, requires_grad=True, name="x")
    y = x * x + 3.0
    y.backward()
    return y


def test_a_tensor():
    y = loss()
    drawing = viz.draw(y)
    assert drawing.graph == graph(y)
    assert drawing.scene.rankdir == "LR" and "x" in drawing.text


def test_several_tensors():
    y = loss()
    assert len(viz.draw([y, y * 2]).graph.outputs) == 2


def test_a_function_with_inputs():
    drawing = viz.draw(lambda a, b: (a * b).tanh(), 2.0, -3.0)
    assert [n.op for n in drawing.graph.nodes if n.kind == "op"] == ["multiply", "tanh"]


def test_a_graph(graphs):
    given = graphs["mlp"]()
    assert viz.draw(given).graph is given


def test_options_reach_the_picture(graphs):
    given = graphs["residual"](12)
    assert viz.draw(given, rankdir="LR").width > viz.draw(given).width
    assert "#0D1117" in viz.draw(given, theme="dark").svg
    assert viz.draw(given, depth=0).svg.count('class="node folder') == 3
    assert viz.draw(given, params="node").svg.count('class="node pill') == 8       # two of each linear
    assert viz.draw(given, direction="backward").scene.title == "Backward graph of 77 operations"


@pytest.mark.parametrize(("options", "words"), [
    ({"direction": "up"}, "draw: expected direction='forward' or 'backward' or 'both' or 'second'; got 'up'"),
    ({"theme": "blue"}, "draw: expected theme='light' or 'dark' or 'print' or 'contrast' or 'auto'; "
     "got 'blue'"),
    ({"params": "chip"}, "draw: expected params='row' or 'node'; got 'chip'"),
    ({"rankdir": "BT"}, "draw: expected rankdir='TB' or 'LR'; got 'BT'"),
    ({"engine": "neato"}, "draw: expected engine='built-in' or 'dot'; got 'neato'"),
    ({"values": "all"}, "draw: expected values=True or False or 'auto'; got 'all'"),
    ({"gradients": 1}, "draw: expected gradients=True or False or 'auto'; got 1"),
    ({"depth": -1}, "draw: expected depth to be an int of at least 0, or None; got -1"),
    ({"depth": True}, "draw: expected depth to be an int of at least 0, or None; got True"),
    ({"budget": 0}, "draw: expected budget to be an int of at least 1, or None; got 0"),
    ({"budget": 1.5}, "draw: expected budget to be an int of at least 1, or None; got 1.5")])
def test_unknown_options(graphs, options, words):
    with pytest.raises(ValueError) as error:
        viz.draw(graphs["mlp"](), **options)
    assert str(error.value) == words


@pytest.mark.parametrize(("target", "kind"), [
    (3.0, "float"), ("model", "str"), ([], "an empty list"), ([1, "a"], "int, str")])
def test_what_has_no_graph(target, kind):
    with pytest.raises(TypeError) as error:
        viz.draw(target)
    assert str(error.value) == (
        f"draw: expected a Tensor, a Module or function with example inputs, or a Graph; got {kind}; make it a "
        "Tensor(..., requires_grad=True) and draw what is computed with that")


def test_inputs_without_a_function(graphs):
    for target, kind in ((loss(), "Tensor"), (graphs["mlp"](), "Graph")):
        with pytest.raises(TypeError) as error:
            viz.draw(target, 1.0)
        assert str(error.value) == ("draw: expected example inputs only after a Module or function; got 1 after a "
                                    f"{kind}; leave them out")


def test_a_module_without_inputs():
    class Net:
        def forward(self, x):
            return x

        __call__ = forward
    with pytest.raises(TypeError) as error:
        viz.draw(Net())
    assert str(error.value) == ("draw: expected example inputs to call the Net with; got none; "
                                "give what you would call it with: draw(model, x)")


def test_it_shows_itself_in_a_notebook_and_in_a_terminal(graphs):
    drawing = viz.draw(graphs["mlp"]())
    bundle = drawing._repr_mimebundle_()
    assert set(bundle) == {"text/html", "image/svg+xml", "text/plain"}
    page, _, script = bundle["text/html"].partition("<script>")
    assert page.startswith("<div") and "<?xml" not in page and "</svg>" in page
    assert script.count("</script>") == 1 and len(script) < 10_020
    assert "<metadata" not in bundle["text/html"] and "<metadata" not in bundle["image/svg+xml"]       # kept small
    assert bundle["text/plain"] == repr(drawing) == drawing.text


def test_unknown_names_are_told():
    with pytest.raises(AttributeError, match="module 'viz' has no attribute 'plot'; it has draw, Drawing"):
        _ = viz.plot
    assert {"draw", "Drawing", "backends", "BackendError"} <= set(dir(viz))


def run(code, seed="0"):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60,
                          cwd=viz.__path__[0] + "/..", env={"PYTHONHASHSEED": seed, "PATH": ""}).stdout


def test_importing_loads_nothing_heavy():
    loaded = run("import sys, numpy; before = set(sys.modules); import viz; print(*sorted(set(sys.modules) - before))")
    assert loaded.split() == ["viz"]
    heavy = run("import sys, autograd; before = set(sys.modules); import viz; viz.draw; "
                "print(*sorted({m.split('.')[0] for m in set(sys.modules) - before}))").split()
    assert not {"graphviz", "subprocess", "tempfile", "json", "html", "xml", "shutil", "matplotlib"} & set(heavy)


def test_the_bytes_do_not_depend_on_the_process():
    code = ("import autograd, viz; x = autograd.Tensor([1.0, 2.0], requires_grad=True, name='x'); "
            "d = viz.draw((x.exp() * x).sum()); print(d.svg, d.source, d.text)")
    assert run(code, "1") == run(code, "2")
