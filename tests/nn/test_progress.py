"""The progress line and the summary table, character for character as Keras 3 (3.15) writes them.

What Keras writes was recorded by running its ProgbarLogger (less the backspaces it puts before each carriage return)
and its `summary()` with a clock, a terminal and a model like those below.
"""

import io
import re
import sys

import numpy as np
import pytest

import autograd
import nn
from nn.training import progress
from nn.training.model import Model
from nn.training.progress import Progress, duration, is_live, numbers, remaining, say, verbosity
from nn.training.summary import summary


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def now(monkeypatch):
    """A clock that stands still unless told."""
    time = [1000.0]
    monkeypatch.setattr(progress, "clock", lambda: time[0])
    monkeypatch.setattr(progress, "_columns", lambda: 1000)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("PYCHARM_HOSTED", raising=False)
    return time


def run(now, stream, monkeypatch, steps, verbose, seconds, known=True):
    monkeypatch.setattr(sys, "stdout", stream)
    line = Progress(steps if known else None, verbose)
    for step in range(1, steps + 1):
        now[0] += seconds
        if now[0] >= line.due:
            line.draw(step, {"accuracy": 0.1 * step / steps, "loss": 2.5 - step / steps})
    now[0] += seconds
    line.finish(steps, {"accuracy": 0.1187, "loss": 2.3464, "val_accuracy": 0.11, "val_loss": 2.3185})
    return stream.getvalue()


END = "accuracy: 0.1187 - loss: 2.3464 - val_accuracy: 0.1100 - val_loss: 2.3185\n"
FULL = "━" * 20


def test_a_bar_in_a_file_is_one_plain_line(now, monkeypatch):
    text = run(now, io.StringIO(), monkeypatch, 25, 1, 0.04)
    assert text == f"25/25 {FULL} 1s 42ms/step - {END}"


def test_the_time_per_step_of_a_bar_leaves_the_first_step_out(now, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stdout", stream)
    line = Progress(11, 1)
    for step, seconds in enumerate([2.0] + 10 * [0.02], 1):
        now[0] += seconds
        if now[0] >= line.due:
            line.draw(step, {})
    line.finish(11, {})
    assert stream.getvalue() == f"11/11 {FULL} 2s 20ms/step\n"


def test_one_line_per_epoch(now, monkeypatch):
    assert run(now, io.StringIO(), monkeypatch, 25, 2, 0.04) == f"25/25 - 1s - 42ms/step - {END}"
    assert run(now, Terminal(), monkeypatch, 25, 2, 0.04) == f"25/25 - 1s - 42ms/step - {END}"


def test_silent(now, monkeypatch):
    assert run(now, Terminal(), monkeypatch, 25, 0, 0.04) == ""


def test_a_bar_on_a_terminal(now, monkeypatch):
    text = run(now, Terminal(), monkeypatch, 3, 1, 2.0)
    assert text == (
        "\r\x1b[1m1/3\x1b[0m \x1b[32m━━━━━━\x1b[0m\x1b[37m━━━━━━━━━━━━━━\x1b[0m \x1b[1m4s\x1b[0m 2s/step"
        " - accuracy: 0.0333 - loss: 2.1667"
        "\r\x1b[1m2/3\x1b[0m \x1b[32m━━━━━━━━━━━━━\x1b[0m\x1b[37m━━━━━━━\x1b[0m \x1b[1m2s\x1b[0m 2s/step"
        " - accuracy: 0.0667 - loss: 1.8333"
        "\r\x1b[1m3/3\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m0s\x1b[0m 2s/step"
        " - accuracy: 0.1000 - loss: 1.5000"
        "\r\x1b[1m3/3\x1b[0m \x1b[32m━━━━━━━━━━━━━━━━━━━━\x1b[0m\x1b[37m\x1b[0m \x1b[1m8s\x1b[0m 3s/step - " + END)


def test_an_unknown_number_of_steps(now, monkeypatch):
    text = run(now, Terminal(), monkeypatch, 2, 1, 1.0, known=False)
    assert text.startswith("\r      1/Unknown \x1b[1m1s\x1b[0m 1s/step - accuracy: 0.0500 - loss: 2.0000")
    assert "\r      2/Unknown \x1b[1m2s\x1b[0m 1s/step" in text and "2/2\x1b[0m" in text


def test_at_most_ten_redraws_a_second(now, monkeypatch):
    text = run(now, Terminal(), monkeypatch, 1000, 1, 0.001)
    assert 8 <= text.count("\r") <= 12


def test_without_colours(now, monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    text = run(now, Terminal(), monkeypatch, 2, 1, 1.0)
    assert "\x1b" not in text and "\r1/2 ━━━━━━━━━━────────── 1s 1s/step - accuracy: 0.0500 - loss: 2.0000" in text


def test_a_line_too_long_for_the_terminal_is_cut_while_it_is_redrawn(now, monkeypatch):
    monkeypatch.setattr(progress, "_columns", lambda: 40)
    text = run(now, Terminal(), monkeypatch, 2, 1, 1.0)
    monkeypatch.undo()
    first = text.split("\r")[1]
    for code in ("\x1b[1m", "\x1b[0m", "\x1b[32m", "\x1b[37m"):
        first = first.replace(code, "")
    assert len(first) == 39 and text.endswith(END)


def test_a_shorter_line_clears_what_was_longer(now, monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    line = Progress(10, 1)
    line.draw(1, {"loss": 1000.0})
    line.draw(2, {"loss": 1.0})
    assert stream.getvalue().endswith("loss: 1.0000   ")


def test_what_follows_an_interruption_starts_on_a_line_of_its_own(now, monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(sys, "stdout", stream)
    line = Progress(10, 1)
    line.draw(1, {})
    line.interrupt()
    line.interrupt()
    assert stream.getvalue().endswith("/step\n") and stream.getvalue().count("\n") == 1


@pytest.mark.parametrize(("seconds", "text"), [(0, " 0s/step"), (3e-4, " 300us/step"), (0.0144, " 14ms/step"),
                                               (1.6, " 2s/step")])
def test_duration(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0s"), (59, "59s"), (65, "1:05"), (7231, "2:00:31")])
def test_remaining(seconds, text):
    assert remaining(seconds) == text


def test_numbers():
    assert numbers({"loss": 2.34639, "mae": 0.0001, "zero": 0.0, "r2": -0.5}) == \
        " - loss: 2.3464 - mae: 1.0000e-04 - zero: 0.0000e+00 - r2: -0.5000"
    assert numbers({"loss": float("nan")}) == " - loss: nan"


def test_numbers_of_several_are_shown_as_their_mean_and_matrices_are_not():
    logs = {"each": np.array([0.5, 1.0]), "matrix": np.eye(3), "nan": float("nan")}
    assert numbers(logs) == " - each: 0.7500 - nan: nan"


def test_metrics_that_take_long_are_asked_less_often(monkeypatch):
    """A redraw may take 2 % of the time: with a metric that takes a second, there is one in fifty seconds."""
    from nn.training import passes
    time, asked = [0.0], []
    monkeypatch.setattr(progress, "clock", lambda: time[0])
    monkeypatch.setattr(passes, "clock", lambda: time[0])
    monkeypatch.setattr(sys, "stdout", Terminal())

    class Slow(nn.metrics.Metric):
        def reset(self):
            pass

        def update(self, output, target):
            time[0] += 0.1                    # a batch takes that long

        def result(self):
            asked.append(time[0])
            time[0] += 1.0
            return 1.0
    model = Model(nn.Linear(2, 1))
    model.compile("sgd", "mse", [Slow("slow")])
    model.fit(np.zeros((1000, 2)) + 0.1, np.ones((1000, 1)), batch_size=1, verbose=1)
    assert 2 <= len(asked) <= 5 and asked[1] - asked[0] >= 50


# -- where it is written ---------------------------------------------------------------------------------


def test_auto_is_a_bar_on_a_terminal_and_in_a_notebook_only(now, monkeypatch):
    monkeypatch.setattr(sys, "stdout", Terminal())
    assert verbosity("auto") == 1
    notebook = type("OutStream", (io.StringIO,), {"__module__": "ipykernel.iostream"})
    monkeypatch.setattr(sys, "stdout", notebook())
    assert verbosity("auto") == 1
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    assert verbosity("auto") == 2
    monkeypatch.setattr(sys, "stdout", None)
    assert verbosity("auto") == 2 and not is_live(None)
    say("nobody hears this")
    assert [verbosity(v) for v in (0, 1, 2, True)] == [0, 1, 2, 1]
    with pytest.raises(ValueError, match=r'verbose must be "auto", 0 .*; got 3'):
        verbosity(3)


@pytest.mark.parametrize(("encoding", "bar"), [("ascii", "=" * 20), ("latin-1", "=" * 20), ("utf-8", FULL)])
def test_an_encoding_without_the_characters_gets_plain_ones(encoding, bar, now, monkeypatch):
    raw = io.BytesIO()
    text = io.TextIOWrapper(raw, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", text)
    line = Progress(2, 1)
    line.finish(2, {"loss": 1.0})
    assert raw.getvalue().decode(encoding) == f"2/2 {bar} 0s 0s/step - loss: 1.0000\n"
    raw.seek(0)
    raw.truncate()
    Model(nn.Linear(2, 3)).summary(line_length=76)
    assert ("┏" in raw.getvalue().decode(encoding)) == (encoding == "utf-8")


def test_fit_writes_keras_lines(monkeypatch, capsys):
    autograd.manual_seed(0)
    x, y = np.random.default_rng(0).normal(size=(90, 4)), np.arange(90) % 3
    model = Model(nn.Sequential(nn.Linear(4, 3)))
    model.compile("sgd", "cross_entropy", metrics=["accuracy"])
    number = r"\d\.\d{4}"
    for verbose, pattern in ((1, rf"3/3 ━{{20}} 0s \d+[um]s/step - accuracy: {number} - loss: {number}"),
                             ("auto", rf"3/3 - 0s - \d+[um]s/step - accuracy: {number} - loss: {number}")):
        model.fit(x, y, epochs=2, verbose=verbose, validation_data=(x, y))
        lines = capsys.readouterr().out.splitlines()
        assert [lines[0], lines[2]] == ["Epoch 1/2", "Epoch 2/2"] and len(lines) == 4
        for line in lines[1::2]:
            assert re.fullmatch(pattern + rf" - val_accuracy: {number} - val_loss: {number}", line)
    model.fit(x, y, verbose=2)
    assert capsys.readouterr().out.count("\n") == 1                 # a single epoch has no heading
    model.evaluate(x, y)
    assert re.fullmatch(rf"3/3 - 0s - \d+[um]s/step - accuracy: {number} - loss: {number}\n", capsys.readouterr().out)
    model.predict(x)
    assert re.fullmatch(r"3/3 - 0s - \d+[um]s/step\n", capsys.readouterr().out)
    model.fit(x, y, verbose=0)
    model.evaluate(x, y, verbose=0)
    model.predict(x, verbose=0)
    assert capsys.readouterr().out == ""


# -- summary ---------------------------------------------------------------------------------------------

KERAS = '''\
Model: "sequential"
┏━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━━━━━━━━━━┳━━━━━━━━━━━━━━━┓
┃ Layer (type)                    ┃ Output Shape           ┃       Param # ┃
┡━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━━━━━━━━━━╇━━━━━━━━━━━━━━━┩
│ dense (Linear)                  │ (None, 32)             │           672 │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ batch_normalization_layer       │ (None, 32)             │           128 │
│ (BatchNorm1d)                   │                        │               │
├─────────────────────────────────┼────────────────────────┼───────────────┤
│ dense_1 (Linear)                │ (None, 10)             │           330 │
└─────────────────────────────────┴────────────────────────┴───────────────┘
 Total params: 1,130 (4.41 KB)
 Trainable params: 1,066 (4.16 KB)
 Non-trainable params: 64 (256.00 B)
'''


def network():
    return nn.Sequential({"dense": nn.Linear(20, 32), "batch_normalization_layer": nn.BatchNorm1d(32),
                          "dense_1": nn.Linear(32, 10)})


def test_summary_is_keras_table(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    Model(network()).summary()
    assert capsys.readouterr().out == KERAS
    told = []
    Model(network()).summary(print_fn=told.append)
    assert told == [KERAS]
    assert max(map(len, summary(network(), "x", line_length=100).splitlines())) == 100


def test_summary_counts_the_optimizer_after_training_as_keras_does(capsys):
    model = Model(network())
    model.compile("adam", "cross_entropy")
    model.fit(np.ones((4, 20)), np.arange(4), verbose=0)
    model.summary()
    out = capsys.readouterr().out
    assert " Total params: 3,262 (12.74 KB)\n" in out and " Optimizer params: 2,132 (8.33 KB)\n" in out


def test_summary_leaves_no_trace():
    module = nn.Sequential(nn.Dropout(0.5), nn.Linear(3, 2), nn.BatchNorm1d(2))
    before, draws = {k: v.numpy() for k, v in module.state_dict().items()}, autograd.default_rng().bit_generator.state
    assert "(None, 2)" in summary(module, "m", (3,))
    assert autograd.default_rng().bit_generator.state == draws and module.training and module[2].training
    assert all(np.array_equal(v.numpy(), before[k]) for k, v in module.state_dict().items())
    assert all(part._hooks is None for part in module.modules())


def test_summary_of_what_has_no_parts_and_of_what_has_parts_in_lists():
    row = "│ linear (Linear)                 │ (None, 2)              │             8 │"
    assert row in summary(nn.Linear(3, 2), "m", line_length=76)

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(np.ones(5, np.float32))
            self.blocks = nn.ModuleList([nn.Sequential(nn.Linear(3, 3), nn.Tanh()), nn.Linear(3, 1)])

        def forward(self, x):
            return self.blocks[1](self.blocks[0](x))
    text = summary(Net(), "net", (3,), line_length=76, expand_nested=True)
    labels = [line.split("│")[1].strip() for line in text.splitlines() if line.startswith("│")]
    assert labels == ["blocks.0 (Sequential)", "└ blocks.0.0 (Linear)", "└ blocks.0.1 (Tanh)", "blocks.1 (Linear)",
                      "of Net itself"]
    assert " Total params: 21 (84.00 B)" in text


def test_summary_where_shapes_cannot_be_known():
    assert "│ ?  " in summary(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), "m")
    assert "(None, 2)" in summary(nn.Sequential(nn.Flatten(), nn.Linear(4, 2)), "m", (2, 2))
    assert "│ ?  " in summary(nn.Sequential(nn.Linear(4, 2)), "m", (3,))
    with pytest.raises(ValueError, match="line_length=10 is too short"):
        summary(nn.Linear(2, 2), "m", line_length=10)
