"""Colours: contrast, the ramp, the three colour-vision deficiencies."""

import math
from itertools import pairwise, product

import pytest

from viz.compose import scene
from viz.signs import VECTORS
from viz.theme import KIND_WORDS, SIGNS, STEPS, THEMES, Ramp, colours, contrast, luminance, ramp_of
from viz.view import view

FILLS = ("page", "card", "module", "module-2", "linear", "elementwise", "activation", "norm", "reduction", "shape",
         "index", "logic", "custom", "loss", "input", "parameter", "buffer", "constant")
# Machado, Oliveira, Fernandes 2009, severity 1.0, on linear RGB
DEFICIENCIES = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritan": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


def test_the_themes_have_the_same_roles():
    assert len({frozenset(roles) for roles in THEMES.values()}) == 1
    assert colours("auto") is THEMES["light"] and colours("print") is THEMES["print"]


@pytest.mark.parametrize("theme", THEMES)
def test_text_can_be_read(theme):
    colours, least = THEMES[theme], 7 if theme == "contrast" else 5.5
    for role in FILLS:
        for ink in ("ink", "sub", *([f"{role}-ink"] if f"{role}-ink" in colours and role != "module" else [])):
            assert contrast(colours[ink], colours[role]) >= least, (ink, role)
    for role in [*(f"ramp{k}" for k in range(STEPS)), "alarm"]:
        assert contrast(colours[f"{role}-ink"], colours[role]) >= least, role


@pytest.mark.parametrize("theme", THEMES)
def test_lines_can_be_seen(theme):
    colours = THEMES[theme]
    for role in ["edge", "module-ink", "alarm", *(f"flow{k}" for k in range(STEPS))]:
        for ground in ("page", "module"):
            assert contrast(colours[role], colours[ground]) >= (4.5 if theme == "contrast" else 3), (role, ground)
    for k in range(STEPS):                     # a swatch, or its rim, is told from the card
        assert max(contrast(colours[f"ramp{k}{end}"], colours["card"]) for end in ("", "-rim")) >= 1.4, k


def test_paper_needs_no_colour():
    roles = THEMES["print"]
    assert all(c[1:3] == c[3:5] == c[5:7] for c in roles.values())
    assert roles["page"] == roles["card"] == "#FFFFFF" and roles["ink"] == "#000000"
    steps = [luminance(roles[f"ramp{k}"]) for k in range(STEPS)]
    assert steps == sorted(steps, reverse=True)            # the larger the darker
    assert all(a - b > 0.035 for a, b in pairwise(steps[:-1]))


def _lab(rgb):
    x, y, z = (sum(a * b for a, b in zip(row, rgb, strict=True)) for row in (
        (0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505)))
    f = [t ** (1 / 3) if t > 0.008856 else 7.787 * t + 16 / 116 for t in (x / 0.9505, y, z / 1.089)]
    return 116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])


def _seen(colour, matrix):
    parts = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return _lab([min(1, max(0, sum(a * b for a, b in zip(row, linear, strict=True)))) for row in matrix])


@pytest.mark.parametrize(("theme", "kind"), list(product(THEMES, DEFICIENCIES)))
def test_vanishing_and_exploding_differ_for_every_eye(theme, kind):
    colours = THEMES[theme]
    for k in range(STEPS // 2):
        low, high = (_seen(colours[f"ramp{i}"], DEFICIENCIES[kind]) for i in (k, STEPS - 1 - k))
        assert math.dist(low, high) > 18, (k, math.dist(low, high))


def test_every_kind_has_a_sign_as_letter_and_as_vector():
    assert set(SIGNS) - {"output"} == set(VECTORS)
    assert set(KIND_WORDS) <= set(VECTORS)


def test_the_ramp_is_one_step_a_decade():
    ramp = Ramp(0.01)
    assert [ramp.step(0.01 * 10.0 ** k) for k in range(-6, 7)] == [0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8]
    assert [ramp.swatch(v) for v in (0.0, math.nan, math.inf, 0.01)] == ["alarm", "alarm", "alarm", "ramp4"]
    assert ramp.flow(None) == ("edge", 1.3, False) and ramp.flow(0.0)[2]
    widths = [ramp.flow(0.01 * 10.0 ** k)[1] for k in range(-4, 5)]
    assert widths == sorted(widths) and widths[0] < widths[-1]


def test_typical_is_the_gradient_at_the_networks_output(graphs):
    assert ramp_of(graphs["residual"]()).reference == pytest.approx(0.1)       # of the head, not of the loss
    assert ramp_of(graphs["scalars"]()).reference == pytest.approx(1.0)
    assert ramp_of(graphs["chain"](3)).reference == 0


def test_the_legend_has_only_what_is_present(graphs):
    kinds = scene(view(graphs["mlp"]())).kinds
    assert kinds == ("input", "parameter", "constant", "linear", "activation", "elementwise", "loss", "ramp")
    assert "ramp" not in scene(view(graphs["chain"](3))).kinds
