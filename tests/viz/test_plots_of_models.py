"""Plots for which a model is run: what they show, and that they leave nothing behind."""

import random

import numpy as np
import pytest

import autograd
import nn
import optim
from viz import plots
from viz.plots import boundary, directions, distributions, trajectory

RNG = np.random.default_rng(1)
X, Y = RNG.normal(size=(12, 2)).astype("float32"), RNG.integers(0, 3, 12)
LOSS = nn.CrossEntropyLoss()


def drawn(figure):
    figure.draw_without_rendering()
    return figure


def network(**last):
    autograd.manual_seed(0)
    return nn.Sequential(nn.Linear(2, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(0.5), nn.Linear(5, 3))


def noisy(output, target):
    """A loss that draws random numbers of every kind."""
    return LOSS(output + 0.0 * autograd.randn(*output.shape) + random.random() * 0 + np.random.rand() * 0, target)


def path(n=4):
    model = network()
    return [{name: w + 0.1 * k * (k + 1) for name, w in plots.snapshot(model).items()} for k in range(n)]


PATH = path()
RUNS = {
    "histograms": lambda m: plots.histograms(m, X, Y, noisy),
    "histograms without a loss": lambda m: plots.histograms(m, X),
    "decision_boundary": lambda m: plots.decision_boundary(m, X, Y, steps=9),
    "feature_maps": lambda m: plots.feature_maps(m, X, "0"),
    "loss_slice": lambda m: plots.loss_slice(m, X, Y, noisy, steps=5, training=True),
    "loss_slice down": lambda m: plots.loss_slice(m, X, Y, noisy, "gradient", steps=5, training=True),
    "loss_plane": lambda m: plots.loss_plane(m, X, Y, noisy, steps=3, trajectory=PATH, training=True),
    "weight_trajectory": lambda m: plots.weight_trajectory(PATH, m, X, Y, noisy, steps=3, training=True),
}


def state(model):
    """Everything a plot could change."""
    return {
        "weights": {name: (id(p), id(p.value), p.value.tobytes()) for name, p in model.named_parameters()},
        "buffers": {name: np.array(b.value).tobytes() for name, b in model.named_buffers()},
        "gradients": {name: None if p.grad is None else (id(p.grad), p.grad.value.tobytes())
                      for name, p in model.named_parameters()},
        "modes": [m.training for m in model.modules()],
        "hooks": [m._hooks for m in model.modules()],
        "requires": [p.requires_grad for p in model.parameters()],
        "random": (repr(autograd.default_rng().bit_generator.state), np.random.get_state()[1].tobytes(),
                   np.random.get_state()[2], random.getstate()),
    }


@pytest.mark.parametrize("name", RUNS)
def test_the_model_and_the_generators_are_as_before(name):
    model = network()
    LOSS(model(autograd.Tensor(X)), autograd.Tensor(Y)).backward()       # gradients that must stay
    model[3].eval()                                                      # and a mode of its own
    before = state(model)
    figure = drawn(RUNS[name](model))
    assert state(model) == before and figure.axes


@pytest.mark.parametrize("name", RUNS)
def test_also_when_it_fails(name):
    class Fails(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = network()

        def forward(self, x):
            self.inner(x)
            autograd.randn(3)
            raise RuntimeError("half way")

    model = Fails()
    before = state(model)
    with pytest.raises((RuntimeError, ValueError)):
        RUNS[name](model)
    assert state(model) == before


# histograms

def test_histograms_gather_what_flowed():
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3))
    found = distributions.gathered("", model, X, Y, LOSS)
    assert list(found) == ["0 Linear", "1 ReLU", "2 Linear"] and set(found["1 ReLU"]) == {"activations"}
    hidden = model[0](autograd.Tensor(X)).relu()
    np.testing.assert_allclose(found["1 ReLU"]["activations"], hidden.detach().numpy().ravel(), rtol=1e-6)
    LOSS(model(autograd.Tensor(X)), autograd.Tensor(Y)).backward()
    np.testing.assert_allclose(found["2 Linear"]["gradients"], np.concatenate(
        [p.grad.numpy().ravel() for p in model[2].parameters()]), rtol=1e-5)
    np.testing.assert_allclose(found["0 Linear"]["weights"], np.concatenate(
        [p.detach().numpy().ravel() for p in model[0].parameters()]))


def test_histograms_name_what_is_dead_constant_or_broken():
    def said(model, **options):
        figure = drawn(plots.histograms(model, X, Y, LOSS, **options))
        return " ".join(t.get_text() for ax in figure.axes for t in ax.texts)
    model = nn.Sequential(nn.Linear(2, 4), nn.ReLU(), nn.Linear(4, 3))
    assert "dead" not in said(model)
    model[0].bias.value = np.full(4, -1e3, "float32")
    assert said(model).count("dead") == 2                # the output of the ReLU, the gradient of what is before it
    model[2].bias.value = np.full(3, np.nan, "float32")
    assert "36 of 36 not finite" in said(model, show="activations")


@pytest.mark.slow
def test_histograms_of_deep_and_odd_models():
    deep = nn.Sequential(*[nn.Linear(2, 2) for _ in range(40)])
    figure = plots.histograms(deep, X, most=5)
    labels = [ax.get_ylabel() for ax in figure.axes if ax.get_ylabel()]
    assert len(labels) == 5 and labels[0].startswith("0 ") and labels[-1].startswith("39 ")
    drawn(plots.histograms(nn.Linear(2, 2), X))
    own = nn.Linear(2, 1)
    own.extra = autograd.Parameter(autograd.Tensor([3.0]))
    drawn(plots.histograms(own, X, Y.astype("float32")[:, None], nn.MSELoss()))
    for wrong in ({"show": "weight"}, {"show": []}, {"show": "gradients"}, {"most": 0}, {"bins": 1}):
        with pytest.raises(ValueError, match="histograms: expected"):
            plots.histograms(deep, X, **wrong)
    with pytest.raises(TypeError, match="one number"):
        plots.histograms(deep, X, None, lambda out: out)
    for wrong in (nn.Linear, lambda x: x):
        with pytest.raises(TypeError, match=r"expected model to be an nn\.Module"):
            plots.histograms(wrong, X)
    with pytest.raises(ValueError, match="has no shape yet"):
        plots.histograms(nn.LazyLinear(3), X)


# decision boundaries

def test_probabilities_of_every_kind_of_output():
    points = RNG.normal(size=(7, 2))
    z = points @ np.array([1.0, -3.0]) * 2
    p = 1 / (1 + np.exp(-z))
    for out in (p, z, np.stack([1 - p, p], 1), np.stack([0 * z, z], 1), z[:, None]):
        shares, classes = boundary.scores("", lambda q, out=out: out, points, None)
        np.testing.assert_allclose(shares, np.stack([1 - p, p], 1), atol=1e-7)
        assert classes == [0, 1]
    shares, classes = boundary.scores("", lambda q: np.where(z > 0, "yes", "no"), points, ["no", "yes"])
    np.testing.assert_array_equal(shares[:, 1], z > 0)
    linear = nn.Linear(2, 3)
    shares, _ = boundary.scores("", linear, points, None)
    np.testing.assert_allclose(shares, linear(autograd.Tensor(points.astype("float32"))).softmax(1).detach().numpy(),
                               rtol=1e-5)


@pytest.mark.slow
def test_boundaries_of_scikit_learns_estimators():
    from sklearn.linear_model import LogisticRegression, Perceptron
    names = np.array(["ant", "bee", "cow"])[Y]
    for model in (LogisticRegression(), Perceptron()):
        figure = drawn(plots.decision_boundary(model.fit(X, names), X, names, steps=12))
        words = [t.get_text() for t in figure.axes[0].get_legend().get_texts()]
        wrong = int((model.predict(X) != names).sum())
        assert words == ["ant", "bee", "cow"] + [f"wrong ({wrong})"] * bool(wrong)
    two = LogisticRegression().fit(X, Y > 0)
    share = two.predict_proba(X)
    np.testing.assert_allclose(boundary.scores("", two, X, None)[0], share)


@pytest.mark.slow
@pytest.mark.parametrize("model", [lambda p: np.full(len(p), np.nan), lambda p: np.ones(len(p)),
                                   lambda p: np.zeros(len(p), int), lambda p: np.ones((len(p), 5)) / 5])
def test_boundaries_of_models_that_see_nothing(model):
    drawn(plots.decision_boundary(model, X, np.zeros(12, int), steps=8))
    drawn(plots.decision_boundary(model, X[:1], steps=8))


def test_boundaries_refuse_what_is_not_in_the_plane():
    flat = lambda p: p[:, 0]
    for points in (X[:, :1], X[0], np.ones((0, 2)), X * np.nan):
        with pytest.raises(ValueError, match="decision_boundary: expected"):
            plots.decision_boundary(flat, points)
    for wrong in (lambda p: p[:3], lambda p: 1.0, lambda p: np.ones((len(p), 2, 2))):
        with pytest.raises(ValueError, match=r"decision_boundary: expected|zero-dimensional"):
            plots.decision_boundary(wrong, X, steps=5)
    with pytest.raises(ValueError, match="12 points"):
        plots.decision_boundary(flat, X, Y[:3])
    with pytest.raises(ValueError, match="2 labels"):
        plots.decision_boundary(flat, X, labels=["a", "b", "c"], steps=5)
    with pytest.raises(TypeError, match="predict"):
        plots.decision_boundary(3, X)


# loss surfaces

def test_filters_of_a_random_direction_are_as_long_as_the_weights():
    weights = {"w": RNG.normal(size=(4, 3, 5, 5)), "b": RNG.normal(size=4)}
    d = directions.filter_normalised(weights, np.random.default_rng(0))
    np.testing.assert_allclose(np.sqrt((d["w"] ** 2).sum((1, 2, 3))), np.sqrt((weights["w"] ** 2).sum((1, 2, 3))))
    assert not d["b"].any()
    other = directions.orthogonal_to(directions.filter_normalised(weights, np.random.default_rng(1)), d)
    assert abs(directions.flat(other) @ directions.flat(d)) < 1e-9


def test_a_slice_is_the_loss_along_the_line():
    model = nn.Linear(2, 1, bias=False)
    w, d = model.weight.detach().numpy().astype(float), np.array([[1.0, -2.0]])
    y = RNG.normal(size=(12, 1)).astype("float32")
    figure = drawn(plots.loss_slice(model, X, y, nn.MSELoss(), {"weight": d}, steps=7, span=2))
    alphas, losses = figure.axes[0].get_lines()[0].get_data()
    np.testing.assert_allclose(losses, [((X @ (w + a * d).T - y) ** 2).mean() for a in alphas], rtol=1e-5)
    for same in ([d], d.ravel()):
        again = plots.loss_slice(model, X, y, nn.MSELoss(), same, steps=7, span=2)
        np.testing.assert_allclose(again.axes[0].get_lines()[0].get_ydata(), losses)
    figure = plots.loss_slice(model, X, y, nn.MSELoss(), "gradient", steps=21, span=0.1)
    down = figure.axes[0].get_lines()[0].get_ydata()
    assert down[11] < down[10] < down[9]


def test_dropout_is_on_in_training_only():
    model, seen = network(), []

    def loss_fn(output, target):
        seen.append(model.training)
        return LOSS(output, target)
    for training in (False, True):
        plots.loss_slice(model, X, Y, loss_fn, steps=3, training=training)
        assert set(seen) == {training}
        seen.clear()
    model.eval()
    plots.histograms(model, X, Y, loss_fn)               # in the mode it is in
    plots.loss_plane(model, X, Y, loss_fn, steps=3)
    assert set(seen) == {False}


def test_a_trajectory_is_projected_onto_the_plane():
    model = nn.Linear(2, 2, bias=False)
    w = model.weight.detach().numpy().astype(float)
    first, second = np.array([[1.0, 0], [0, 0]]), np.array([[0, 0], [0, 2.0]])
    walk = [{"weight": w + a * first + b * second + 5 * np.array([[0, 1], [0, 0]])} for a, b in ((1, 2), (0.5, -1))]
    figure = drawn(plots.loss_plane(model, X, Y % 2, LOSS, ([first], [second]), trajectory=walk, steps=4))
    line = next(ln for ln in figure.axes[0].get_lines() if ln.get_label() == "trajectory")
    np.testing.assert_allclose(line.get_xydata(), [(1, 2), (0.5, -1)], atol=1e-9)


def test_surfaces_that_are_flat_or_nowhere_finite_say_so():
    model = nn.Linear(2, 3)
    for loss_fn, said in ((lambda out, y: (out * 0).sum(), "everywhere"),
                          (lambda out, y: out.sum() * np.nan, "nowhere")):
        figure = drawn(plots.loss_plane(model, X, Y, loss_fn, steps=3))
        assert any(said in t.get_text() for t in figure.axes[0].texts)
        drawn(plots.loss_slice(model, X, Y, loss_fn, steps=3))


def test_surfaces_refuse_what_does_not_fit():
    model, args = nn.Linear(2, 3), (X, Y, LOSS)
    for direction in ("down", {"weights": np.ones((3, 2))}, [np.ones((3, 2))], np.ones(5), {"weight": np.ones((2, 3))},
                      np.zeros(9), 3):
        with pytest.raises(ValueError, match="loss_slice: expected"):
            plots.loss_slice(model, *args, direction, steps=3)
    for options in ({"span": 0}, {"steps": 2}, {"span": np.inf}):
        with pytest.raises(ValueError, match="loss_slice: expected"):
            plots.loss_slice(model, *args, **options)
    with pytest.raises(ValueError, match="two directions"):
        plots.loss_plane(model, *args, [np.ones(9)], steps=3)
    with pytest.raises(ValueError, match="walk down"):
        plots.loss_slice(model, X, Y, lambda out, y: (out * 0).sum(), "gradient")
    with pytest.raises(ValueError, match="parameters"):
        plots.loss_slice(nn.ReLU(), *args)
    with pytest.raises(TypeError, match="loss_fn"):
        plots.loss_slice(model, X, Y, "mse")


# trajectories

def test_principal_components_are_those_of_the_covariance():
    moves = RNG.normal(size=(9, 30)) * np.linspace(3, 0.1, 30)
    basis, shares = trajectory.principal(moves)
    centred = moves - moves.mean(0)
    _, sizes, directions_ = np.linalg.svd(centred, full_matrices=False)
    np.testing.assert_allclose(shares, sizes[:2] ** 2 / (sizes ** 2).sum())
    np.testing.assert_allclose(np.abs((basis * directions_[:2].T).sum(0)), 1)


@pytest.mark.slow
def test_trajectories_of_one_or_several_runs():
    model = network()
    figure = drawn(plots.weight_trajectory({"a": path(5), "b": path(3)}))
    labels = [line.get_label() for line in figure.axes[0].get_lines()]
    assert {"a", "b", "start", "end"} <= set(labels)
    with_buffers = drawn(plots.weight_trajectory([model.state_dict(), path(3)[2]], model, X, Y, LOSS, steps=3))
    assert with_buffers.axes
    still = drawn(plots.weight_trajectory([path(1)[0]] * 3))
    assert "never moved" in still.axes[0].get_title()
    for wrong in ([path(1)[0]], [np.ones(3), np.ones(4)], [np.ones(3), np.full(3, np.nan)], np.float64(3)):
        with pytest.raises(ValueError, match="weight_trajectory: expected"):
            plots.weight_trajectory(wrong)
    with pytest.raises(TypeError, match="loss_fn"):
        plots.weight_trajectory(path(), model, X, Y)


def test_snapshots_are_copies():
    model = nn.Linear(2, 1)
    before = plots.snapshot(model)
    model.weight.value += 1
    np.testing.assert_allclose(plots.snapshot(model)["weight"] - before["weight"], 1, rtol=1e-6)


# feature maps

def test_feature_maps_are_what_the_layer_gave():
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(64, 3))
    images = RNG.random((2, 1, 6, 6)).astype("float32")
    model[0].bias.value[1] = -100
    figure = drawn(plots.feature_maps(model, images, "1", sample=1))
    expected = model[1](model[0](autograd.Tensor(images))).detach().numpy()[1]
    shown = [ax.get_images()[0].get_array() for ax in figure.axes if ax.get_images()]
    np.testing.assert_allclose(np.stack(shown), expected, rtol=1e-6)
    assert [ax.get_title() for ax in figure.axes][1] == "1 dead"
    drawn(plots.feature_maps(model, images, model[3]))
    with pytest.raises(ValueError, match="one of 0, 1, 2, 3; got '7'"):
        plots.feature_maps(model, images, "7")
    with pytest.raises(IndexError, match="sample"):
        plots.feature_maps(model, images, "0", sample=2)


# races

def test_a_race_runs_each_optimizer_from_the_start():
    race = plots.optimizer_race(lambda x, y: x * x + 2 * y * y, {
        "SGD": lambda p: optim.SGD(p, lr=0.1), "wild": lambda p: optim.SGD(p, lr=1e9)}, (1.0, 1.0), steps=40, every=20)
    assert race.frames == 3
    axes = race.at(-1).axes[0]
    expected = np.array([[0.8 ** t, 0.6 ** t] for t in range(41)])
    lines = [line.get_xydata() for line in axes.get_lines() if len(line.get_xydata()) == 41]
    np.testing.assert_allclose(lines[0], expected, atol=1e-9)
    assert any("diverged" in line.get_label() for line in axes.get_lines())
    assert all(len(line.get_xydata()) <= 1 for line in race.at(0).axes[0].get_lines())
    with pytest.raises(IndexError, match="below 3"):
        race.at(3)


def test_a_race_is_saved_to_move(tmp_path):
    from PIL import Image
    race = plots.optimizer_race("rosenbrock", {"LBFGS": lambda p: optim.LBFGS(p, lr=0.5)}, steps=3, theme="dark")
    for suffix in (".gif", ".html", ".png"):
        race.save(tmp_path / f"r{suffix}", dpi=40)
    with Image.open(tmp_path / "r.gif") as gif:
        assert gif.n_frames == 4 and gif.convert("RGB").getpixel((0, 0)) == (0x0D, 0x11, 0x17)
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert page.count("iVBORw0KGgo") == 4 and "://" not in page
    assert race._repr_html_().startswith("<img") and "<input" in race._html(60)
    with pytest.raises(ValueError, match=r"\.gif"):
        race.save(tmp_path / "r.mp4")


def test_races_refuse_what_cannot_run():
    sgd = {"SGD": lambda p: optim.SGD(p, lr=0.1)}
    for function, optimizers, start, error in (
            ("everest", sgd, None, ValueError), (3, sgd, (0, 0), TypeError), (lambda x, y: x, sgd, None, ValueError),
            (lambda x, y: x, sgd, (0, 0, 0), ValueError), (lambda x, y: x, {}, (0, 0), TypeError),
            (lambda x, y: x, {"a": lambda p: 3}, (0, 0), TypeError), (lambda x, y: 3.0, sgd, (0, 0), TypeError),
            (lambda x, y: x, sgd, (0, np.nan), ValueError)):
        with pytest.raises(error, match="optimizer_race: expected"):
            plots.optimizer_race(function, optimizers, start, steps=2)
    with pytest.raises(ValueError, match="region"):
        plots.optimizer_race("saddle", sgd, region=(1, 0, 0, 1))


@pytest.mark.slow
def test_the_page_of_plots_runs(tmp_path, monkeypatch):
    import re
    from pathlib import Path
    page = Path(__file__).resolve().parents[2] / "docs" / "plots.md"
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) > 6
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, page.name, "exec"), names)
    assert (tmp_path / "race.gif").exists() and (tmp_path / "report.html").exists()


def test_gradients_are_shown_by_their_size():
    shown = distributions._scaled(np.array([-10.0, 0.0, 1.0, np.nan]), "gradients")
    np.testing.assert_allclose(shown, [1, 0, np.nan])
