"""Plots of numbers that are there already: curves, images, matrices, activations."""

import sys

import matplotlib.figure
import numpy as np
import pytest
from matplotlib.colors import to_hex

import autograd
import nn
import optim
import viz
from viz import plots
from viz.plots import activations, curves, matrices
from viz.plots.style import LOOKS
from viz.theme import luminance

THEMES = sorted(LOOKS)
RNG = np.random.default_rng(0)


def drawn(figure):
    """The figure, once it has really been drawn."""
    figure.draw_without_rendering()
    return figure


def history(n=6):
    return {"loss": list(1 / np.arange(1, n + 1)), "val_loss": list(1.2 / np.arange(1, n + 1)),
            "accuracy": list(np.linspace(0, 1, n))}


def texts(figure):
    return [t.get_text() for t in figure.findobj(lambda a: hasattr(a, "get_text")) if t.get_text()]


# what all share

ONE_PANEL = {
    "training_curves": lambda **o: plots.training_curves({"loss": [2.0, 1.0]}, **o),
    "schedule_preview": lambda **o: plots.schedule_preview(lambda t: 0.1 / (t + 1), 5, **o),
    "confusion_matrix": lambda **o: plots.confusion_matrix([0, 1, 1], [0, 1, 0], **o),
    "attention_maps": lambda **o: plots.attention_maps(np.eye(3), **o),
    "activation_card": lambda **o: plots.activation_card("tanh", **o),
    "decision_boundary": lambda **o: plots.decision_boundary(lambda p: p[:, 0], RNG.normal(size=(5, 2)), steps=9, **o),
    "weight_trajectory": lambda **o: plots.weight_trajectory(RNG.normal(size=(4, 3)), **o),
}


@pytest.mark.parametrize("name", ONE_PANEL)
def test_a_panel_goes_where_it_is_told(name):
    figure = matplotlib.figure.Figure()
    ax = figure.add_subplot()
    assert ONE_PANEL[name](ax=ax) is figure and ax.has_data()
    with pytest.raises(TypeError, match="Axes"):
        ONE_PANEL[name](ax=figure)


@pytest.mark.parametrize("name", ONE_PANEL)
def test_themes_reach_the_page_and_the_words(name):
    for theme, look in LOOKS.items():
        figure = ONE_PANEL[name](theme=theme)
        assert to_hex(figure.get_facecolor()) == look.page.lower()
        assert to_hex(figure.axes[0].xaxis.label.get_color()) == look.ink.lower()
        assert figure.axes[0].get_xlabel() and figure.axes[0].get_ylabel()
    with pytest.raises(ValueError, match="'light' or 'dark'"):
        ONE_PANEL[name](theme="pink")


def test_no_pyplot_and_nothing_before_the_first_plot():
    drawn(ONE_PANEL["training_curves"]())
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    assert set(plots.__all__) <= set(dir(plots))
    with pytest.raises(AttributeError, match="training_curves"):
        plots.training_curve  # noqa: B018


def test_without_matplotlib_the_cure_is_named(monkeypatch):
    for name in [n for n in sys.modules if n.partition(".")[0] == "matplotlib"] + ["matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ImportError, match=r'pip install "glassgrad\[demo\]"'):
        plots.training_curves({"loss": [1.0]})


def test_colours_are_told_apart_by_everyone():
    """Contrast with the page, and what is left between the first series for the three colour deficiencies."""
    deficient = {                                        # Viénot et al. 1999, on linear RGB
        "none": np.eye(3),
        "protan": [[0.11238, 0.88762, 0], [0.11238, 0.88762, 0], [0.00401, -0.00401, 1]],
        "deutan": [[0.29275, 0.70725, 0], [0.29275, 0.70725, 0], [-0.02234, 0.02234, 1]],
        "tritan": [[1, 0.1446, -0.1446], [0, 0.8592, 0.1408], [0, 0.8592, 0.1408]],
    }
    for look in LOOKS.values():
        for colour in (*look.series, look.alarm, look.ink, look.sub):
            pair = sorted((luminance(colour), luminance(look.page)))
            assert (pair[1] + 0.05) / (pair[0] + 0.05) >= 3, colour
        linear = np.array([[(int(c[k:k + 2], 16) / 255) ** 2.2 for k in (1, 3, 5)] for c in look.series[:4]])
        for kind, matrix in deficient.items():
            seen = np.clip(linear @ np.array(matrix, float).T, 0, 1) ** (1 / 2.2)
            for i in range(4):
                for j in range(i):
                    assert np.abs(seen[i] - seen[j]).max() > 0.12, (kind, look.series[i], look.series[j])


# curves

def test_curves_are_those_of_the_history():
    record = nn.History()
    record.history = history()
    figure = drawn(plots.training_curves(record))
    assert [ax.get_ylabel() for ax in figure.axes] == ["loss", "accuracy"]
    lines = {line.get_label(): line for line in figure.axes[0].get_lines()}
    np.testing.assert_allclose(lines["training"].get_ydata(), record.history["loss"])
    np.testing.assert_allclose(lines["validation"].get_ydata(), record.history["val_loss"])
    np.testing.assert_array_equal(lines["training"].get_xdata(), np.arange(1, 7))


def test_several_runs_lie_over_one_another():
    figure = drawn(plots.training_curves({"a": history(), "b": history(3)}, metrics="loss", log=True))
    assert len(figure.axes) == 1 and figure.axes[0].get_yscale() == "log"
    labels = [line.get_label() for line in figure.axes[0].get_lines()]
    assert labels == ["a, training", "a, validation", "b, training", "b, validation"]
    hues = [line.get_color() for line in figure.axes[0].get_lines()]
    assert hues[0] == hues[1] != hues[2] == hues[3]


def test_smoothing_has_no_bias_at_the_start():
    np.testing.assert_allclose(curves.smoothed(np.full(5, 3.0), 0.9), 3.0)
    np.testing.assert_allclose(curves.smoothed(np.array([0.0, 1.0]), 0.5), [0, 2 / 3])
    kept = curves.smoothed(np.array([1.0, np.nan, 2.0]), 0.5)
    assert np.isnan(kept[1]) and np.isfinite(kept[2])
    assert len(plots.training_curves({"loss": [1.0, 2.0]}, smooth=0.5).axes[0].get_lines()) == 2


@pytest.mark.parametrize("values, log", [([1.0], True), ([np.nan], False), ([np.nan] * 4, True),
                                         ([1.0, np.inf, 0.5], True), ([0.0, 0.0], True), ([-1.0, 2.0], True)])
def test_curves_of_odd_histories(values, log):
    figure = drawn(plots.training_curves({"loss": values, "val_loss": values[:1]}, log=log))
    said = " ".join(texts(figure))
    assert all(f"{v:g} at epoch" in said for v in values if not np.isfinite(v))


def test_curves_refuse_what_is_none():
    for given, error in (({}, ValueError), ({"loss": []}, ValueError), ([1, 2], TypeError),
                         ({"loss": ["a"]}, TypeError), ({"loss": [[1, 2]]}, ValueError), ({"a": {"loss": [1]}, "b": 3},
                                                                                          TypeError)):
        with pytest.raises(error, match="training_curves: expected"):
            plots.training_curves(given)
    with pytest.raises(ValueError, match="loss, accuracy; got lost"):
        plots.training_curves(history(), metrics=["lost"])
    for smooth in (1, -0.1, True, "a"):
        with pytest.raises(ValueError, match="smooth"):
            plots.training_curves(history(), smooth=smooth)


def test_schedules_are_asked_not_stepped():
    optimizer = optim.SGD([autograd.Parameter(autograd.Tensor([1.0]))], lr=0.1)
    schedule = optim.lr_scheduler.StepLR(optimizer, step_size=3)
    before = (dict(vars(schedule)), optimizer.param_groups[0]["lr"])
    figure = drawn(plots.schedule_preview({"steps": schedule, "own": lambda t: 0.5 ** t}, 7))
    assert (dict(vars(schedule)), optimizer.param_groups[0]["lr"]) == before
    first, second = (line.get_ydata() for line in figure.axes[0].get_lines())
    np.testing.assert_allclose(first, [0.1] * 3 + [0.01] * 3 + [0.001])
    np.testing.assert_allclose(second, 0.5 ** np.arange(7))
    plateau = optim.lr_scheduler.ReduceLROnPlateau(optimizer)
    with pytest.raises(ValueError, match="depends on the step alone"):
        plots.schedule_preview(plateau)
    for wrong in (optim.lr_scheduler.StepLR, 3):
        with pytest.raises(TypeError, match=r"lr\(step\)"):
            plots.schedule_preview(wrong)
    with pytest.raises(ValueError, match="steps"):
        plots.schedule_preview(schedule, 0)
    with pytest.raises(ValueError, match="group 4"):
        plots.schedule_preview(schedule, 3, group=4)


# matrices

def test_confusion_is_scikit_learns():
    from sklearn.metrics import confusion_matrix
    true, predicted = RNG.integers(0, 4, 60), RNG.integers(0, 5, 60)
    names, counts = matrices.counted("", true, predicted, None)
    assert names == list("01234")
    np.testing.assert_array_equal(counts, confusion_matrix(true, predicted))
    for normalize in ("true", "pred", "all"):
        with np.errstate(all="ignore"):
            expected = confusion_matrix(true, predicted, normalize=normalize)
        image = plots.confusion_matrix(true, predicted, normalize=normalize).axes[0].get_images()[0]
        np.testing.assert_allclose(image.get_array(), expected)
    words = np.array(["cat", "dog", "emu", "fox", "gnu"])
    np.testing.assert_array_equal(matrices.counted("", words[true], words[predicted], list(words))[1], counts)
    np.testing.assert_array_equal(matrices.counted("", true, predicted, list(words))[1], counts)   # names of 0, 1, ...
    scores = np.eye(5)[predicted]
    np.testing.assert_array_equal(matrices.counted("", autograd.Tensor(true), scores, None)[1], counts)


def test_confusion_says_its_counts_and_refuses_what_does_not_fit():
    figure = drawn(plots.confusion_matrix([0, 0, 1], [0, 1, 1], ["cat", "dog"]))
    assert {"cat", "dog", "1", "predicted", "true"} <= set(texts(figure)) and any("66.7%" in t for t in texts(figure))
    drawn(plots.confusion_matrix([3], [3]))
    assert len(plots.confusion_matrix(RNG.integers(0, 70, 99), RNG.integers(0, 70, 99)).axes[0].get_xticks()) < 60
    for true, predicted, labels in (([], [], None), ([0, 1], [0], None), ([0, np.nan], [0, 1], None),
                                    (["a"], ["b"], ["a"]), ([0, 5], [0, 0], [0, 1])):
        with pytest.raises(ValueError, match="confusion_matrix: expected"):
            plots.confusion_matrix(true, predicted, labels)
    with pytest.raises(ValueError, match="normalize"):
        plots.confusion_matrix([0], [0], normalize="rows")


def test_attention_has_a_panel_for_each_head():
    attention = nn.MultiheadAttention(8, 4, batch_first=True)
    x = autograd.randn(2, 5, 8)
    _, weights = attention(x, x, x, average_attn_weights=False)
    figure = drawn(plots.attention_maps(weights, ["the", "cat", "sat", "on", "mats"], sample=1))
    panels = [ax for ax in figure.axes if ax.get_images() and ax.get_title()]
    assert len(panels) == 4
    np.testing.assert_allclose(panels[2].get_images()[0].get_array(), weights.detach().numpy()[1, 2])
    drawn(plots.attention_maps(np.full((2, 3), np.nan)))
    drawn(plots.attention_maps(np.zeros((3, 2, 90)), keys=[f"w{k}" for k in range(90)]))
    for shape, words in (((3,), None), ((0, 0), None), ((2, 3), ["a"]), ((2, 2), ["a"] * 3)):
        with pytest.raises(ValueError, match="attention_maps: expected"):
            plots.attention_maps(np.ones(shape), words)
    with pytest.raises(IndexError, match="sample"):
        plots.attention_maps(np.ones((2, 1, 3, 3)), sample=2)


# images

def test_image_grid_takes_grey_and_colour():
    for shape in ((3, 4, 5), (3, 1, 4, 5), (3, 3, 4, 5), (3, 4, 5, 3), (3, 4, 5, 1)):
        figure = plots.image_grid(RNG.random(shape), ["a", "b", "$5"], columns=2)
        assert len(figure.axes) == 3 and figure.axes[2].get_title() == r"\$5"
        assert figure.axes[0].get_images()[0].get_array().shape[:2] == (4, 5)
    for wrong in (np.ones((0, 4, 4)), np.ones((4, 4)), np.ones((2, 5, 4, 5))):
        with pytest.raises(ValueError, match="image_grid: expected"):
            plots.image_grid(wrong)


def test_filters_share_one_scale_about_zero():
    layer = nn.Conv2d(2, 3, 3)
    figure = plots.filters(layer)
    images = [ax.get_images()[0] for ax in figure.axes if ax.get_images()]
    assert len(images) == 6
    bound = np.abs(layer.weight.detach().numpy()).max()
    assert all(i.get_clim() == pytest.approx((-bound, bound)) for i in images)
    np.testing.assert_allclose(images[5].get_array(), layer.weight.detach().numpy()[2, 1])
    with pytest.raises(TypeError, match="weight"):
        plots.filters(nn.ReLU())


@pytest.mark.slow
def test_filters_of_every_shape():
    for values in (RNG.normal(size=(4, 3, 5, 5)), np.zeros((4, 7, 7)), np.full((2, 1, 9), np.nan), np.ones((6, 30)),
                   np.ones((1, 1, 1, 1))):
        drawn(plots.filters(values, most=2))
    for wrong in (np.ones(3), np.ones((0, 1, 3, 3)), np.ones((1, 1, 3, 3, 3))):
        with pytest.raises(ValueError, match="filters: expected"):
            plots.filters(wrong)


# activations

def test_cards_are_differentiated_by_the_engine():
    xs = np.linspace(-3, 3, 40)
    f, first, second = activations.curves("", "tanh", nn.functional.tanh, xs, 2)
    t = np.tanh(xs)
    np.testing.assert_allclose(f, t, atol=1e-12)
    np.testing.assert_allclose(first, 1 - t * t, atol=1e-12)
    np.testing.assert_allclose(second, -2 * t * (1 - t * t), atol=1e-12)


def test_saturated_zones_are_marked_where_they_are():
    def zones(activation, **options):
        axes = plots.activation_card(activation, **options).axes[0]
        return [(p.get_x(), p.get_x() + p.get_width()) for p in axes.patches]
    (left, right), = zones("relu")
    assert left == pytest.approx(-4) and right == pytest.approx(0, abs=0.02)
    assert len(zones("hardtanh")) == 2 and not zones(nn.LeakyReLU(0.2)) and not zones(lambda x: x * x + 2 * x, span=0.5)


@pytest.mark.slow
def test_every_card_of_the_sheet_is_drawn():
    figure = drawn(plots.activation_cards(theme="dark"))
    assert [ax.get_title() for ax in figure.axes] == list(activations.NAMES)


@pytest.mark.slow
def test_cards_of_odd_functions():
    drawn(plots.activation_card(nn.PReLU()))
    drawn(plots.activation_card(lambda x: x * 0 + 1.0))              # flat
    drawn(plots.activation_card(lambda x: x.log()))                  # NaN on one side
    drawn(plots.activation_card("softplus", span=1e3, derivatives=0))


def test_cards_refuse_what_is_no_activation():
    for wrong in ("no_such", "softmax", lambda x: x - x.mean(), lambda x: x.sum(), lambda x: x.softmax(0)):
        with pytest.raises(ValueError, match="activation_card: expected"):
            plots.activation_card(wrong)
    for wrong in (nn.ReLU, 3):
        with pytest.raises(TypeError, match="activation_card: expected"):
            plots.activation_card(wrong)
    with pytest.raises(ValueError, match="span"):
        plots.activation_card("relu", span=0)


# pages

def test_a_page_holds_pictures_of_every_kind(tmp_path):
    x = autograd.Tensor([1.0], requires_grad=True)
    race = plots.optimizer_race("valley", {"SGD": lambda p: optim.SGD(p, lr=0.1)}, steps=2)
    viz.save_page(tmp_path / "p.html", "All <of> it", [
        ("Curve", "a figure", ONE_PANEL["activation_card"](theme="dark")), ("Race", "a GIF", race),
        ("Graph", "a drawing", viz.draw((x * x).sum()))], lead="&")
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert page.count("<section") == 3 and page.count("<svg") == 2 and "data:image/gif;base64," in page
    assert "All &lt;of&gt; it" in page and f"background:{LOOKS['dark'].page.lower()}" in page
    assert "<script" not in page and "default-src 'none'" in page
    with pytest.raises(TypeError, match="matplotlib Figure; got str"):
        viz.save_page(tmp_path / "q.html", "t", [("a", "b", "c")])
    assert not (tmp_path / "q.html").exists()


def test_a_page_leaves_pictures_their_colours():
    """What the page calls its colours must not be what a picture calls its own."""
    import re

    from viz import page
    from viz.theme import DARK
    assert not set(re.findall(r"--([\w-]+):", page.STYLE)) & set(DARK)


def test_a_notebook_shows_a_figure_also_without_pyplot():
    shown = viz.training_curves({"loss": [3, 2, 1.0]})._repr_png_()
    assert shown.startswith(b"\x89PNG") and len(shown) > 2000
