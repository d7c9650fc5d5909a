"""`viz.watch`: what it finds, that training does not notice it, and that it leaves nothing behind."""

import copy
import gc
import json
import math
import pickle
import re
import weakref
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import autograd
import nn
import optim
import viz
from autograd import Tensor
from viz.compare.diff import diff
from viz.live import probe
from viz.live import watch as home
from viz.live.watch import Watch, watch

RNG = np.random.default_rng(0)
X = RNG.standard_normal((64, 6)).astype("float32")
Y = (X[:, 0] > 0).astype(int)


def mlp(dropout: float = 0.0) -> nn.Module:
    autograd.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(dropout), nn.Linear(16, 2))


def train(model: nn.Module, steps: int, watched: Watch | None = None, tell: bool = True, x: np.ndarray = X,
          lr: float = 0.1) -> list[float]:
    optimizer = optim.SGD(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        loss = nn.functional.cross_entropy(model(Tensor(x)), Y[:len(x)])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        if watched is not None and tell:
            watched.step(loss)
    return losses


def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each step is a frame: time never runs out."""
    ticks = iter(range(10**9))
    monkeypatch.setattr(home, "clock", lambda: float(next(ticks)) * 1e3)
    monkeypatch.setattr(home, "SHARE", math.inf)


def bare(model: nn.Module) -> bool:
    """No hook on any module, nor on a parameter: a backward pass meets none."""
    return all(m._hooks is None for m in model.modules())


@pytest.mark.parametrize("tell", [True, False])
def test_training_is_the_same_to_the_last_bit(monkeypatch: pytest.MonkeyPatch, tell: bool) -> None:
    plain, seen = mlp(0.5), mlp(0.5)
    autograd.manual_seed(2)
    alone = train(plain, 12)
    every_step(monkeypatch)
    autograd.manual_seed(2)
    with watch(seen, show=False) as watched:
        beside = train(seen, 12, watched, tell)
    assert alone == beside
    assert watched.record.frames >= 10 and watched.record.step == 12
    for a, b in zip(plain.parameters(), seen.parameters(), strict=True):
        assert a.value.tobytes() == b.value.tobytes()


def test_fit_is_the_same_and_is_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    every_step(monkeypatch)
    ends = []
    for callbacks in ([], [watched := watch(nn.Linear(1, 1), show=False)]):
        autograd.manual_seed(3)
        model = nn.Model(mlp(0.3))
        if callbacks:
            callbacks = [watched := watch(model, html=tmp_path / "run.html", show=False)]
        model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
        autograd.manual_seed(4)
        model.fit(X, Y, epochs=3, batch_size=16, validation_split=0.25, verbose=0, callbacks=callbacks)
        ends.append([p.value.tobytes() for p in model.parameters()])
    assert ends[0] == ends[1]
    record = watched.record
    assert bare(model) and record.state == "finished"
    assert record.step == 9 and len(record.curve.all()) == 9 and len(record.validation) == 3
    assert record.frames == 9 and all(t.seen.ratio for t in record.tracks.values() if t.seen.size)


def test_the_loss_of_each_batch_is_told_from_the_means_of_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    seen: list[float] = []
    model = nn.Model(nn.Linear(6, 2))

    def loss(output: Tensor, target: Tensor) -> Tensor:
        value = nn.functional.cross_entropy(output, target)
        seen.append(value.item())
        return value

    model.compile("sgd", loss)
    with watch(model, show=False) as watched:
        model.fit(X, Y, epochs=1, batch_size=16, verbose=0, callbacks=watched)
    told = [v for _, v in watched.record.curve.all()]
    runs = [seen[k:k + 4] for k in range(len(seen) - 3)]   # fit tries the loss out before it trains
    assert len(told) == 4 and any(np.allclose(told, run, rtol=1e-9) for run in runs)


def test_numbers_are_those_of_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU())
    model[0].bias.data = np.array([-50, 0, 0, 0], "float32")           # the first unit is dead for all of the batch
    big = np.tile(X, (2, 1))
    weight, bias = model[0].weight.value.copy(), model[0].bias.value.copy()
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    watched = watch(model, show=False)
    out = model(Tensor(big))
    out.square().mean().backward()
    grads = [p.grad.value.copy() for p in model.parameters()]
    optimizer.step()
    watched.step()
    linear, relu = (watched.record.tracks[name].seen for name in "01")
    before = big @ weight.T + bias
    assert math.isclose(linear.activation.mean, before.mean(), rel_tol=1e-5)
    assert math.isclose(linear.activation.std, before.std(), rel_tol=1e-5)
    assert sum(linear.activation.bins) == before.size and linear.shape == (128, 4)
    flat = np.concatenate([g.ravel() for g in grads]).astype(float)
    assert math.isclose(linear.gradient.rms, np.sqrt(np.mean(flat ** 2)), rel_tol=1e-9)
    wanted = 0.5 * np.linalg.norm(flat) / np.linalg.norm(np.concatenate([weight.ravel(), bias]))
    assert math.isclose(linear.ratio, wanted, rel_tol=1e-4)
    assert watched.record.tracks["1"].dead == (1, 4) and watched.record.tracks["0"].dead == (1, 4)
    assert relu.gradient is None and relu.ratio is None
    watched.close()


def test_a_unit_is_dead_only_after_enough_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    model = nn.Sequential(nn.Linear(6, 4), nn.ReLU())
    model[0].bias.data = np.array([-50, 0, 0, 0], "float32")
    with watch(model, show=False) as watched:
        counts = []
        for _ in range(4):
            model(Tensor(X[:32])).square().mean().backward()
            watched.step()
            counts.append(watched.record.tracks["1"].dead)
    assert counts == [(0, 4), (0, 4), (0, 4), (1, 4)]


def test_between_frames_there_is_one_hook_and_after_close_none() -> None:
    model = mlp()
    watched = watch(model, show=False, fps=0.01)
    train(model, 3, watched)
    assert watched.record.frames == 1
    assert [m._hooks is None for m in model.modules()] == [False, True, True, True, True]
    watched.close()
    watched.close()
    assert bare(model)
    before = watched.record.frames
    train(model, 2, watched)
    assert watched.record.frames == before


def test_hooks_of_gradients_go_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    model = mlp()
    watched = watch(model, show=False)
    model(Tensor(X))                                       # a frame is open: hooks on every layer and parameter
    watched.close()
    monkeypatch.setattr(probe.Layer, "arrived", lambda *a: pytest.fail("a hook was left"))
    train(model, 1)
    assert bare(model)


def test_nothing_of_a_step_is_kept_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    model = mlp()
    gc.disable()
    try:
        with watch(model, show=False) as watched:
            out = model(Tensor(X))
            loss = nn.functional.cross_entropy(out, Y)
            loss.backward()
            watched.step(loss)
            seen = weakref.ref(out), weakref.ref(loss), weakref.ref(model[0].weight.grad)
            del out, loss
            model.zero_grad()
            assert [r() for r in seen] == [None] * 3
    finally:
        gc.enable()


def test_an_error_in_training_passes_and_leaves_the_last_state(tmp_path: Path) -> None:
    model, page = mlp(), tmp_path / "run.html"
    with pytest.raises(ZeroDivisionError), watch(model, html=page, show=False) as watched:
        train(model, 2, watched)
        model(Tensor(X))
        1 / 0  # noqa: B018
    assert watched.record.state == "stopped" and watched.record.step == 2 and bare(model)
    text = page.read_text()
    assert "stopped by ZeroDivisionError: division by zero" in text and "http-equiv=\"refresh\"" not in text


def test_evaluation_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    model = mlp()
    with watch(model, show=False) as watched:
        train(model, 2, watched, tell=False)
        model.eval()
        with autograd.no_grad():
            for _ in range(5):
                model(Tensor(X))
        model.train()
        with autograd.no_grad():
            model(Tensor(X[:3]))                           # nobody learns from this pass
        train(model, 2, watched, tell=False)
        assert {t.seen.shape[0] for t in watched.record.tracks.values()} == {64}
    assert watched.record.frames == 4


def test_gradients_summed_over_batches_are_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    model = mlp()
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with watch(model, show=False) as watched:
        for _ in range(3):
            optimizer.zero_grad()
            for part in range(4):
                nn.functional.cross_entropy(model(Tensor(X[part::4])), Y[part::4]).backward()
            optimizer.step()
    assert watched.record.frames == 3
    assert all(t.seen.ratio > 0 for t in watched.record.tracks.values() if t.seen.size)


class Two(nn.Module):
    """Uses one module twice, nests, returns a dict, has a parameter of its own and a tied one."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(np.ones(6, "float32"))
        self.twice = nn.Linear(6, 6)
        self.inner = nn.Sequential(nn.Sequential(nn.Linear(6, 6), nn.Tanh()))
        self.tied = nn.Linear(6, 6)
        self.tied.weight = self.twice.weight
        self.rnn = nn.LSTM(6, 5, batch_first=True)
        self.unused = nn.Linear(2, 2)

    def forward(self, x: Tensor) -> dict[str, object]:
        h = self.twice(self.twice(x * self.scale))
        out, state = self.rnn(self.tied(self.inner(h)).reshape(8, 8, 6))
        return {"out": out, "state": state, "labels": [1, None]}


def test_shared_nested_tied_and_several_outputs(monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    model = Two()
    with watch(model, show=False) as first, watch(model, show=False) as second:
        for _ in range(2):
            model(Tensor(X))["out"].square().mean().backward()
            first.step()
            second.step()
        tracks = first.record.tracks
        assert list(tracks) == ["Two", "twice", "inner.0.0", "inner.0.1", "tied", "rnn"]
        assert tracks["twice"].seen.calls == 2 and tracks["rnn"].seen.outputs == 3
        assert tracks["Two"].seen.size == 6 and tracks["tied"].seen.size == 6     # its bias alone
        assert first.record.to_dict()["layers"] == second.record.to_dict()["layers"]
        first.close()
        assert not bare(model)                             # the other one goes on
    assert bare(model)


def test_lazy_layers_and_models_without_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    model = nn.Sequential(nn.LazyLinear(5), nn.ReLU(), nn.LazyLinear(2))
    with watch(model, show=False) as watched:
        model(Tensor(X)).sum().backward()
        watched.step()
        assert watched.record.tracks["0"].seen.shape == (64, 5)
        train(model, 2, watched)
    assert watched.record.tracks["0"].seen.gradient.rms > 0 and watched.record.tracks["0"].seen.size == 35
    empty = nn.Sequential(nn.ReLU(), nn.Tanh())
    with watch(empty, show=False) as watched:
        for _ in range(3):
            empty(Tensor(X))
    assert watched.record.frames == 3 and watched.record.tracks["1"].seen.gradient is None


def test_what_is_not_finite_is_counted_and_said(monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    model = mlp()
    x = X.copy()
    with watch(model, show=False) as watched:
        train(model, 1, watched)
        x[3, 2], x[4, 0] = np.nan, np.inf
        with np.errstate(all="ignore"):
            train(model, 2, watched, x=x)
    assert watched.record.first_bad == (2, "the loss")
    seen = watched.record.tracks["0"].seen
    assert seen.activation.nans and not seen.activation.sound and math.isnan(watched.record.loss)
    text = watched.text
    assert "not finite since step 2" in text and "NaN" in text
    json.loads(json.dumps(watched.record.to_dict(), allow_nan=False))


def test_frozen_parameters_have_no_update(monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    model = mlp()
    model[0].requires_grad_(False)
    with watch(model, show=False) as watched:
        train(model, 2, watched)
    assert watched.record.tracks["0"].seen.ratio is None and watched.record.tracks["0"].seen.gradient is None
    assert watched.record.tracks["3"].seen.ratio > 0


@pytest.mark.parametrize("bad, error", [
    ((3,), TypeError), ((nn.Linear,), TypeError), ((mlp(), {"fps": 0}), ValueError),
    ((mlp(), {"fps": True}), ValueError),
    ((mlp(), {"theme": "pink"}), ValueError), ((mlp(), {"html": "run.txt"}), ValueError),
    ((mlp(), {"html": "/no/such/folder/run.html"}), FileNotFoundError)])
def test_bad_options_change_nothing(bad: tuple, error: type[Exception]) -> None:
    model, options = (*bad, {})[:2]
    with pytest.raises(error, match="expected"):
        watch(model, show=False, **options)
    assert not isinstance(model, nn.Module) or bare(model)


def test_a_loss_must_be_one_number() -> None:
    with watch(mlp(), show=False) as watched, pytest.raises((TypeError, ValueError), match="one number"):
        watched.step(Tensor(np.ones(3)))
    assert watched.record.step == 0


@pytest.mark.parametrize("in_frame", [False, True])
def test_copies_and_pickles_of_the_model_are_not_watched(monkeypatch: pytest.MonkeyPatch, in_frame: bool) -> None:
    every_step(monkeypatch)
    model = nn.Linear(6, 2)
    with watch(model, show=False) as watched:
        if in_frame:
            model(Tensor(X))
        others = copy.deepcopy(model), pickle.loads(pickle.dumps(model))
        frames, step = watched.record.frames, watched.record.step
        for other in others:
            train(other, 3)
        assert (watched.record.frames, watched.record.step) == (frames, step)


def test_a_page_that_cannot_be_written_warns_and_training_goes_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path
                                                                  ) -> None:
    every_step(monkeypatch)
    model, folder = mlp(), tmp_path / "gone"
    folder.mkdir()
    watched = watch(model, html=folder / "run.html", show=False)
    (folder / "run.html").unlink()
    folder.rmdir()
    with pytest.warns(UserWarning, match="training goes on"):
        train(model, 3, watched)
    assert watched.record.step == 3
    with pytest.MonkeyPatch.context() as silent:
        silent.setattr(watched, "screens", [])
        watched.close()


def test_frames_that_take_long_come_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(home, "clock", lambda: now[0])
    model = mlp()
    watched = watch(model, show=False, fps=5)
    slow = watched.record.add
    monkeypatch.setattr(watched.record, "add", lambda *a: (slow(*a), now.__setitem__(0, now[0] + 1.0)))
    train(model, 1, watched)
    assert watched._due - now[0] >= 1.0 * (1 / home.SHARE - 1) - 1e-9
    watched.close()


def test_table_and_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    model = mlp()
    with watch(model, show=True) as watched:
        train(model, 3, watched)
        live = watched.text
    shown = capsys.readouterr().err
    assert "3: Linear" in shown and "finished" in shown and "step 3" in shown
    assert "live" in live and re.search(r"0: Linear +64×16", live)


class Odd(nn.Module):
    """Parameters and outputs of every sort of type and size."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(np.float64(2.0))
        self.narrow = nn.Parameter(np.ones(6, "float16"))
        self.waves = nn.Parameter(np.ones(6, "complex128"))
        self.empty = nn.Parameter(np.ones((0, 3), "float32"))
        self.words = nn.Embedding(5, 6)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        words = self.words(Tensor(np.arange(4)))
        total = (x * self.scale + self.narrow).sum() + autograd.abs(self.waves).sum() + words.sum()
        return total, self.empty.sum(), x[:0]


def test_scalars_complex_half_and_empty_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    every_step(monkeypatch)
    model = Odd()
    with watch(model, show=False) as watched:
        for _ in range(2):
            out = model(Tensor(X))
            (out[0] + out[1]).backward()
            watched.step(out[0])
    seen = watched.record.tracks["Odd"].seen
    assert seen.gradient.sound and seen.gradient.rms > 0 and seen.activation.sound
    assert "Odd" in watched.text and watched.record.frames == 2


def test_a_fit_that_is_interrupted_in_a_notebook_ends_with_its_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("IPython")
    waiting: list = []
    events = SimpleNamespace(register=lambda name, f: waiting.append(f), unregister=lambda name, f: waiting.remove(f))
    monkeypatch.setattr("IPython.get_ipython", lambda: SimpleNamespace(kernel=1, events=events, execution_count=1))
    model = nn.Model(mlp())
    model.compile("sgd", "sparse_categorical_crossentropy")
    watched = watch(model, show=False)
    stop = nn.LambdaCallback(on_epoch_end=lambda epoch, logs: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, Y, epochs=3, verbose=0, callbacks=[watched, stop])
    assert watched.record.state == "live"
    waiting[0](SimpleNamespace(error_in_exec=KeyboardInterrupt()))
    assert watched.record.state == "stopped" and "KeyboardInterrupt" in watched.text and bare(model) and not waiting


def test_the_programs_of_the_page_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = (Path(__file__).resolve().parents[2] / "docs" / "watch.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(viz, "watch", watch, raising=False)
    monkeypatch.setattr(viz, "diff", diff, raising=False)
    names: dict[str, object] = {"print": lambda *a: None}
    exec("\n".join(re.findall(r"```python\n(.*?)```", text, re.S)), names)
    assert (tmp_path / "run.html").stat().st_size > 10_000 and (tmp_path / "steps.svg").exists()
    assert names["watch"].record.step == 160 and "∇" not in names["difference"].text
