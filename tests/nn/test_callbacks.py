"""nn.callbacks: what each does in a run, with Keras's settings and meaning.

The tables of EarlyStopping and ReduceLROnPlateau were recorded from Keras 3.15; random runs agreed with it as well.
"""

import csv
import math
import sys
import types

import numpy as np
import pytest

import autograd
import nn
import optim
from nn.callbacks import (
    BackupAndRestore,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    LearningRateScheduler,
    ModelCheckpoint,
    ReduceLROnPlateau,
    TensorBoard,
    TerminateOnNaN,
)
from tests.nn.clouds import SPARSE, X, Y, compiled, same, state


class Script:
    """A model whose weights say which epoch it is."""

    def __init__(self):
        self.stop_training = False
        self.weight = nn.Parameter(np.zeros(1, np.float32))
        self.optimizer = types.SimpleNamespace(param_groups=[{"lr": 1.0}])

    def state_dict(self):
        return {"weight": self.weight}

    def load_state_dict(self, given):
        self.weight.value = np.asarray(given["weight"])


def played(callback, values, name="val_loss"):
    """(the last epoch, the rates, the epoch whose weights are there at the end) of a run with these values."""
    model, rates, epoch = Script(), [], 0
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, value in enumerate(values):
        model.weight.value = np.array([epoch], np.float32)
        callback.on_epoch_begin(epoch)
        callback.on_epoch_end(epoch, {name: value})
        rates.append(model.optimizer.param_groups[0]["lr"])
        if model.stop_training:
            break
    callback.on_train_end()
    return epoch, rates, int(model.weight.value[0])


@pytest.mark.parametrize(("settings", "values", "stopped", "weights"), [
    ({}, [0.5, 0.4, 0.45, 0.3], 2, 2),
    ({"patience": 2}, [0.5, 0.4, 0.45, 0.42, 0.3], 3, 3),
    ({"patience": 1, "restore_best_weights": True}, [0.5, 0.4, 0.45, 0.3], 2, 1),
    ({"patience": 1, "min_delta": 0.2}, [0.5, 0.4, 0.35], 1, 1),
    ({"patience": 1, "baseline": 0.3}, [0.5, 0.4, 0.35, 0.2], 3, 3),
    ({"patience": 0, "start_from_epoch": 2}, [0.1, 0.5, 0.4, 0.45, 0.3], 3, 3),
    ({"patience": 1, "mode": "max", "restore_best_weights": True}, [0.5, 0.6, 0.4, 0.3], 2, 1),
    ({"patience": 5, "restore_best_weights": True}, [0.5, 0.2, 0.4], 2, 1),
    ({"patience": 0, "restore_best_weights": True}, [math.nan, math.nan, 0.4], 1, 0)])
def test_early_stopping(settings, values, stopped, weights):
    epoch, _, left = played(EarlyStopping(**settings), values)
    assert (epoch, left) == (stopped, weights)


def test_early_stopping_of_a_score_knows_which_way_is_up():
    for name in ("accuracy", "val_acc", "auc", "val_f1_score", "r2_score", "val_sparse_categorical_accuracy"):
        assert played(EarlyStopping(name, patience=1), [0.1, 0.2, 0.3, 0.2], name)[0] == 3
    assert played(EarlyStopping("perplexity", patience=1), [3, 2, 1, 2], "perplexity")[0] == 3


@pytest.mark.parametrize(("settings", "values", "rates"), [
    ({"patience": 1, "factor": 0.5}, [0.5, 0.6, 0.6, 0.4, 0.6], [1, 0.5, 0.25, 0.25, 0.125]),
    ({"patience": 2, "factor": 0.5, "cooldown": 2}, [0.5] * 7, [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]),
    ({"patience": 1, "factor": 0.5, "min_lr": 0.4}, [0.5] * 4, [1, 0.5, 0.4, 0.4]),
    ({"patience": 1, "factor": 0.5, "min_delta": 0.2}, [0.5, 0.4, 0.2], [1, 0.5, 0.5])])
def test_reduce_lr_on_plateau(settings, values, rates):
    assert played(ReduceLROnPlateau(**settings), values)[1] == rates


def test_they_work_in_fit_and_say_so(capsys):
    model = compiled(optimizer=lambda params: optim.SGD(params, lr=0.5))
    stop = EarlyStopping("loss", patience=1, min_delta=10, restore_best_weights=True, verbose=1)
    history = model.fit(X, Y, epochs=9, verbose=0, callbacks=[
        ReduceLROnPlateau("loss", factor=0.1, patience=1, min_delta=10, verbose=1), stop])
    assert history.epoch == [0, 1] and history.history["learning_rate"] == [0.5, 0.5]
    assert model.optimizer.param_groups[0]["lr"] == pytest.approx(0.05) and stop.best_epoch == 0
    said = capsys.readouterr().out
    assert "Epoch 2: ReduceLROnPlateau reducing learning rate to 0.05" in said
    assert "Epoch 2: early stopping" in said and "Restoring model weights from the end of the best epoch: 1." in said


def test_a_number_that_is_not_there_is_told_of():
    with pytest.warns(UserWarning, match=r"EarlyStopping: 'val_loss' is not among the logs, which are accuracy, loss: "
                                         "there is no validation data") as told:
        compiled().fit(X, Y, verbose=0, callbacks=EarlyStopping())
    assert told[0].filename == __file__
    model = compiled(metrics=["confusion_matrix"])
    with pytest.raises(ValueError, match=r"EarlyStopping: 'confusion_matrix' must be one number; it has shape \(3, 3"):
        model.fit(X, Y, verbose=0, callbacks=EarlyStopping("confusion_matrix"))


def test_terminate_on_nan(capsys):
    diverging = {"loss": "mse", "metrics": [], "out": 1, "optimizer": lambda params: optim.SGD(params, lr=1e25)}
    with pytest.warns(RuntimeWarning, match="the loss became"):
        model = compiled(**diverging)
        assert model.fit(X, X[:, :1], epochs=5, verbose=0, callbacks=TerminateOnNaN()).epoch == [0]
    assert "Invalid loss, terminating training" in capsys.readouterr().out
    with pytest.warns(RuntimeWarning), pytest.raises(RuntimeError, match=r"TerminateOnNaN: the loss is .* after batch"):
        compiled(**diverging).fit(X, X[:, :1], epochs=5, verbose=0, callbacks=TerminateOnNaN(raise_error=True))


def test_learning_rate_schedules():
    model = compiled(optimizer="sgd")
    history = model.fit(X, Y, epochs=3, verbose=0, callbacks=LearningRateScheduler(lambda epoch, lr: 0.1 / 2**epoch))
    assert history.history["learning_rate"] == [0.1, 0.05, 0.025]
    model.fit(X, Y, verbose=0, callbacks=LearningRateScheduler(lambda epoch: 3e-3))
    assert model.optimizer.param_groups[0]["lr"] == 3e-3
    stepped = compiled(optimizer=lambda params: optim.SGD(params, lr=1.0))
    schedule = optim.lr_scheduler.StepLR(stepped.optimizer, 3, 0.1)
    assert stepped.fit(X, Y, batch_size=32, epochs=3, verbose=0, callbacks=LearningRateScheduler(
        schedule, every="batch")).history["learning_rate"] == pytest.approx([0.1, 0.01, 0.001])
    with pytest.raises(ValueError, match="the schedule must give a finite number >= 0; it gave -1 for epoch 0"):
        model.fit(X, Y, verbose=0, callbacks=LearningRateScheduler(lambda epoch: -1))
    with pytest.raises(ValueError, match="every must be 'epoch', or 'batch' for a schedule"):
        LearningRateScheduler(lambda epoch: 1, every="batch")


# -- files -----------------------------------------------------------------------------------------------


def test_model_checkpoint_names_and_frequencies(tmp_path):
    model = compiled()
    model.fit(X, Y, epochs=2, validation_split=0.2, verbose=0, callbacks=[
        ModelCheckpoint(tmp_path / "all" / "at_{epoch:02d}_{val_loss:.1f}.safetensors"),
        ModelCheckpoint(tmp_path / "b_{epoch}_{batch}.safetensors", save_freq=2, save_weights_only=True)])
    assert sorted(p.name[:6] for p in (tmp_path / "all").iterdir()) == ["at_01_", "at_02_"]
    # three batches an epoch, six in all: after the second, fourth and sixth
    assert sorted(p.name for p in tmp_path.glob("b_*")) == ["b_1_2.safetensors", "b_2_1.safetensors",
                                                            "b_2_3.safetensors"]
    weights = nn.load(tmp_path / "b_2_3.safetensors")
    assert all(np.array_equal(t.value, weights[name].value) for name, t in model.state_dict().items())
    with pytest.raises(ValueError, match=r"ModelCheckpoint: .* names 'val_loss'; known are epoch, accuracy, loss"):
        model.fit(X, Y, verbose=0, callbacks=ModelCheckpoint(str(tmp_path / "{val_loss}.safetensors")))


def test_model_checkpoint_of_the_best(tmp_path, capsys):
    values = iter([0.5, 0.7, 0.4, 0.45])
    score = LambdaCallback(on_epoch_end=lambda epoch, logs: logs.update(score=next(values)))
    model = compiled()
    best = ModelCheckpoint(tmp_path / "best_{epoch}.safetensors", "score", save_best_only=True, verbose=1, mode="min")
    model.fit(X, Y, epochs=4, verbose=0, callbacks=[score, best])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["best_1.safetensors", "best_3.safetensors"]
    said = capsys.readouterr().out
    assert "Epoch 3: score improved from 0.50000 to 0.40000, saving model to " in said
    assert "Epoch 4: score did not improve from 0.40000" in said
    other = ModelCheckpoint(tmp_path / "never.safetensors", "loss", save_best_only=True, initial_value_threshold=-1.0)
    model.fit(X, Y, verbose=0, callbacks=other)
    assert not (tmp_path / "never.safetensors").exists()


def test_csv_logger(tmp_path):
    def table(separator=","):
        return list(csv.DictReader(path.read_text().splitlines(), delimiter=separator))
    path = tmp_path / "log.csv"
    model = compiled()
    history = model.fit(X, Y, epochs=2, verbose=0, callbacks=CSVLogger(path))
    rows = table()
    assert [row["epoch"] for row in rows] == ["0", "1"] and list(rows[0]) == ["epoch", "accuracy", "loss"]
    assert [float(row["loss"]) for row in rows] == history.history["loss"]
    model.fit(X, Y, epochs=3, initial_epoch=2, verbose=0, callbacks=CSVLogger(path, append=True))
    assert [row["epoch"] for row in table()] == ["0", "1", "2"]
    model.compile("adam", SPARSE, [nn.metrics.F1Score(None)])
    model.fit(X, Y, verbose=0, callbacks=CSVLogger(path, separator=";"))
    row = table(";")[0]
    assert row["f1_score"].startswith("[0.") and row["f1_score"].count(",") == 2


def test_tensorboard_writes_scalars_and_histograms(tmp_path, monkeypatch):
    written = []

    class Writer:
        def __init__(self, folder):
            self.folder = folder

        def add_scalar(self, name, value, step):
            written.append((self.folder.rpartition("/")[2], name, step))
            assert isinstance(value, float)

        def add_histogram(self, name, values, step):
            written.append(("histogram", name, step))

        def flush(self):
            written.append(("flush", "", 0))

        def close(self):
            written.append(("close", "", 0))
    monkeypatch.setitem(sys.modules, "tensorboardX", types.SimpleNamespace(SummaryWriter=Writer))
    compiled().fit(X, Y, epochs=1, batch_size=30, validation_split=0.2, verbose=0, callbacks=TensorBoard(
        tmp_path, histogram_freq=1, update_freq=2, write_steps_per_second=True))
    assert written[0] == ("train", "batch_accuracy", 2)
    assert ("train", "epoch_loss", 0) in written and ("validation", "epoch_loss", 0) in written
    assert ("histogram", "0.weight", 0) in written and ("train", "epoch_steps_per_second", 0) in written
    assert written[-1] == ("close", "", 0)
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ModuleNotFoundError, match=r"TensorBoard needs the package tensorboardX: pip install"):
        compiled().fit(X, Y, verbose=0, callbacks=TensorBoard(tmp_path))


@pytest.mark.parametrize(("make", "kind", "text"), [
    (lambda: EarlyStopping(mode="up"), ValueError, "EarlyStopping: mode must be 'auto', 'min' or 'max'; got 'up'"),
    (lambda: EarlyStopping(3), TypeError, "EarlyStopping: monitor must be the name of a number in the logs"),
    (lambda: EarlyStopping(patience=-1), ValueError, "EarlyStopping: patience must be an integer, 0 or more; got -1"),
    (lambda: ReduceLROnPlateau(factor=1.0), ValueError, "ReduceLROnPlateau: factor must be between 0 and 1; got 1.0"),
    (lambda: ModelCheckpoint("x", save_freq="batch"), ValueError, "ModelCheckpoint: save_freq must be an integer, 1"),
    (lambda: BackupAndRestore("x", save_freq=0), ValueError, "BackupAndRestore: save_freq must be an integer, 1"),
    (lambda: LearningRateScheduler(3), TypeError, "LearningRateScheduler: expected a function"),
    (lambda: TensorBoard(update_freq=0), ValueError, "TensorBoard: update_freq must be 'epoch', 'batch' or a number")])
def test_settings_that_make_no_sense(make, kind, text):
    with pytest.raises(kind) as error:
        make()
    assert str(error.value).startswith(text)


def test_callbacks_leave_the_training_alone():
    plain, watched = compiled(), compiled()
    for model, callbacks in ((plain, None), (watched, [EarlyStopping("loss", patience=9), TerminateOnNaN(),
                                                       ReduceLROnPlateau("loss", patience=9)])):
        autograd.manual_seed(5)
        model.fit(X, Y, epochs=3, verbose=0, callbacks=callbacks)
    assert same(state(plain), state(watched))
