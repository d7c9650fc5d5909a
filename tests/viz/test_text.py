"""Words and numbers of a picture."""

import math

import pytest

from viz.text import MAX_LABEL, amount, clean, exact, fit, number, shape, width


@pytest.mark.parametrize(("value", "text"), [
    (0.0, "0"), (0.0278, "0.0278"), (0.00832, "8.3e-3"), (123.456, "123"), (1234.5, "1234"), (12345.0, "1.2e4"),
    (-2.5, "-2.5"), (7, "7"), (True, "True"), (10 ** 9, "1.0e9"), (math.nan, "NaN"), (math.inf, "∞"), (-math.inf, "−∞"),
    (None, ""), (999.6, "1000"), (0.0099999, "0.01")])
def test_numbers_at_a_glance(value, text):
    assert number(value) == text


@pytest.mark.parametrize(("value", "text"), [
    (2.0, "2.0"), (138.83381924, "138.8338"), (-0.5, "-0.5"), (3, "3"), (0.0, "0.0"), (1e-9, "1.0e-9"), (None, "")])
def test_numbers_of_scalar_graphs(value, text):
    assert exact(value) == text


@pytest.mark.parametrize(("count", "unit", "text"), [
    (64, "", "64"), (12800, "", "12.8k"), (415e3, "FLOP", "415 kFLOP"), (92.16e6, "B", "92.2 MB"), (0, "B", "0 B")])
def test_amounts(count, unit, text):
    assert amount(count, unit) == text


def test_shapes():
    assert [shape(s) for s in ((), (3,), (16, 8), (0, 2))] == ["scalar", "3", "16×8", "0×2"]


def test_widths_are_those_of_helvetica():
    assert width("matmul", 10) == pytest.approx(32.78)
    assert width("matmul", 10, bold=True) == pytest.approx(35.56)
    assert width("abc", 10, mono=True) == pytest.approx(18.06)
    assert width("e\u0301", 10) == width("e", 10)          # a combining accent takes no room
    assert width("😀", 10) == 10.0


def test_text_is_cut_with_an_ellipsis_exactly_where_the_room_ends():
    text = "x" * 10_000
    for room in range(12, 200, 7):
        cut = fit(text, room, 10)
        assert cut.endswith("…") and width(cut, 10) <= room < width(cut[:-1] + "x…", 10)
    assert fit("short", 100, 10) == "short"
    assert fit("no room at all", 0, 10) == "…"


def test_names_become_one_line_without_what_no_format_can_hold():
    assert clean("a\nb\tc") == "a b c"
    assert clean("\x00\x1b[31m\ud800\ufffe\u202e") == "\ufffd" * 2 + "[31m" + "\ufffd" * 3
    assert len(clean("y" * 10_000)) == MAX_LABEL and clean("y" * 10_000).endswith("…")
    assert clean("😀 é ∂") == "😀 é ∂"
