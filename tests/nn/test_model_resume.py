"""BackupAndRestore: a run that is killed, at any moment, ends as the run that was not, to the last bit."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import autograd
import nn
from nn.callbacks import BackupAndRestore
from tests.nn import interrupted
from tests.nn.clouds import SPARSE, X, Y, compiled, same, state

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """The same run without interruption, made once for each kind."""
    done = {}

    def make(every, data, save_freq="epoch"):
        if (every, data) not in done:
            folder = tmp_path_factory.mktemp("unbroken")
            done[every, data] = interrupted.left(folder, *interrupted.run(folder, save_freq, every, data=data))
        return done[every, data]
    return make


def killed(folder, save_freq, every, data, after):
    """Run in a process of its own, which is killed so many seconds after it begins to train; was it?"""
    process = subprocess.Popen([sys.executable, "-m", "tests.nn.interrupted", str(folder), str(save_freq), str(every),
                                "0.004", data], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        assert process.stdout.readline() == b"begun\n"
        time.sleep(after)
        alive = process.poll() is None
        process.kill()                        # SIGKILL: nothing is tidied up
    finally:
        process.wait()
        process.stdout.close()
    return alive


@pytest.mark.parametrize(("save_freq", "every", "data"), [
    ("epoch", 1, "loader"), (3, 3, "augmented")])
def test_killed_at_a_random_moment(save_freq, every, data, unbroken, tmp_path):
    expected = unbroken(every, data)
    after = random.uniform(0.02, 0.2)
    assert killed(tmp_path, save_freq, every, data, after), after
    assert interrupted.left(tmp_path, *interrupted.run(tmp_path, save_freq, every, data=data)) == expected, after
    assert list((tmp_path / "backup").iterdir()) == []        # complete: the backup is gone


@pytest.mark.slow
@pytest.mark.parametrize(("save_freq", "every", "data"), [
    ("epoch", 1, "arrays"), ("epoch", 3, "augmented"), (1, 1, "loader"), (2, 4, "steps"), (5, 2, "augmented"),
    (1, 3, "steps"), (2, 1, "ahead")])
def test_killed_again_and_again(save_freq, every, data, unbroken, tmp_path):
    expected, moments, alive = unbroken(every, data), [], True
    while alive and len(moments) < 6:
        moments.append(random.uniform(0.0, 0.12))
        alive = killed(tmp_path, save_freq, every, data, moments[-1])
    if alive:
        assert interrupted.left(tmp_path, *interrupted.run(tmp_path, save_freq, every, data=data)) == expected, moments
    else:                                     # the last of them came through
        assert (tmp_path / "log.csv").read_text() == expected[2], moments


EVERY = [((1, 1, (1, 6, 2, 3, 4)), "augmented"), ((2, 3, (3, 9)), "arrays"), ((3, 2, (18,)), "steps"),
         (("epoch", 2, (15,)), "loader"), ((1, 1, (5, 4)), "ahead")]


@pytest.mark.parametrize(("save_freq", "every", "moments", "data"), [
    pytest.param(*how, data, marks=() if (how, data) in EVERY else pytest.mark.slow)
    for how, _ in EVERY for data in ("arrays", "loader", "augmented", "steps", "ahead")])
def test_interrupted_after_any_batch(save_freq, every, moments, data, unbroken, tmp_path):
    expected = unbroken(every, data)
    for moment in moments:                    # each goes on from where the one before was
        with pytest.raises(KeyboardInterrupt):
            interrupted.run(tmp_path, save_freq, every, data=data, stop_after=moment)
    assert (tmp_path / "backup" / "run.safetensors").exists()
    assert interrupted.left(tmp_path, *interrupted.run(tmp_path, save_freq, every, data=data)) == expected


def test_a_run_that_was_stopped_stays_stopped(tmp_path):
    class Dies(nn.callbacks.Callback):
        follows_all = True

        def on_epoch_end(self, epoch, logs=None):
            if self.model.stop_training and not (tmp_path / "died").exists():
                (tmp_path / "died").touch()
                raise KeyboardInterrupt       # after the backup, before the end

    def go():
        model = compiled()
        callbacks = [nn.callbacks.EarlyStopping("loss", patience=1, min_delta=9, restore_best_weights=True),
                     BackupAndRestore(tmp_path / "b", delete_checkpoint=False), Dies()]
        return model, model.fit(X, Y, epochs=9, verbose=0, callbacks=callbacks)
    with pytest.raises(KeyboardInterrupt):
        go()
    model, history = go()
    assert history.epoch == [0, 1] and model.epoch == 2
    third = compiled()                                        # complete, and kept: nothing more is learned
    assert third.fit(X, Y, epochs=2, verbose=0, callbacks=BackupAndRestore(tmp_path / "b")).epoch == [0, 1]


# -- files ---------------------------------------------------------------------------------------------------


def test_the_backup_of_another_run_is_refused_and_changes_nothing(tmp_path):
    def stopped(model):
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, Y, epochs=5, verbose=0, callbacks=[
                BackupAndRestore(tmp_path), nn.LambdaCallback(on_epoch_begin=lambda epoch, logs=None: stop(epoch))])

    def stop(epoch):
        if epoch == 2:
            raise KeyboardInterrupt
    stopped(compiled())
    backup = (tmp_path / "run.safetensors").read_bytes()
    for model, kind, text in ((compiled(SPARSE, ["accuracy"], nn.Linear(3, 3)), RuntimeError, "Missing key"),
                              (compiled(optimizer="sgd"), ValueError, "has the memory of Adam; this model is compiled"),
                              (compiled(metrics=()), ValueError, "the run was begun with the metrics")):
        before = state(model)
        with pytest.raises(kind, match=text):
            model.fit(X, Y, epochs=5, verbose=0, callbacks=BackupAndRestore(tmp_path))
        assert same(state(model), before)
    assert (tmp_path / "run.safetensors").read_bytes() == backup
    (tmp_path / "run.safetensors").write_bytes(backup[:-7])
    with pytest.raises(ValueError, match=r"run\.safetensors"):
        compiled().fit(X, Y, epochs=5, verbose=0, callbacks=BackupAndRestore(tmp_path))
    compiled().save(tmp_path / "run.safetensors")
    with pytest.raises(ValueError, match="is not the backup of a run: give it a folder of its own"):
        compiled().fit(X, Y, epochs=5, verbose=0, callbacks=BackupAndRestore(tmp_path))


def test_what_a_killed_run_was_writing_is_cleared_away(tmp_path):
    (tmp_path / "run.safetensors.0123456789ab.part").write_bytes(b"half")
    compiled().fit(X, Y, verbose=0, callbacks=BackupAndRestore(tmp_path, double_checkpoint=True, save_freq=1))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs limits of the system")
def test_a_full_disk_keeps_the_last_good_file(tmp_path):
    import resource
    model = compiled()
    model.fit(X, Y, verbose=0)
    path, backup = tmp_path / "model.safetensors", tmp_path / "b"
    model.save(path)
    good = path.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    fails = nn.LambdaCallback(on_epoch_begin=lambda epoch, logs=None: full(epoch == 2))

    def full(now):
        resource.setrlimit(resource.RLIMIT_FSIZE, (512 if now else limits[0], limits[1]))
    try:
        full(True)
        for save in (model.save, model.save_weights, lambda path: nn.save(model, path)):
            with pytest.raises(OSError):
                save(path)
        full(False)
        with pytest.raises(OSError):
            model.fit(X, Y, epochs=5, verbose=0, callbacks=[fails, BackupAndRestore(backup)])
    finally:
        full(False)
    assert path.read_bytes() == good and [p.name for p in tmp_path.iterdir() if p.is_file()] == ["model.safetensors"]
    assert [p.name for p in backup.iterdir()] == ["run.safetensors"]
    twin = compiled()
    assert twin.fit(X, Y, epochs=4, verbose=0, callbacks=BackupAndRestore(backup)).epoch == [0, 1, 2, 3]


# -- save and load -------------------------------------------------------------------------------------------


def test_a_saved_model_goes_on_as_if_nothing_had_happened(tmp_path):
    path = tmp_path / "model.safetensors"
    whole, first = compiled(), compiled()
    autograd.manual_seed(4)
    whole.fit(X, Y, epochs=5, verbose=0)
    autograd.manual_seed(4)
    first.fit(X, Y, epochs=2, verbose=0)
    first.save(path)
    autograd.manual_seed(99)
    second = nn.Model(compiled()._wrapped).load(path)         # not compiled: as that one was
    assert second.epoch == 2 and type(second.optimizer).__name__ == "Adam"
    history = second.fit(X, Y, epochs=5, initial_epoch=second.epoch, verbose=0)
    assert same(state(second), state(whole)) and list(history.history) == ["accuracy", "loss"]
    assert second.epoch == 5


def test_weights_alone(tmp_path):
    path = tmp_path / "weights.safetensors"
    model = compiled()
    model.fit(X, Y, verbose=0)
    model.save_weights(path)
    assert nn.load(path).keys() == model.state_dict().keys()
    twin = compiled()
    twin.load_weights(path)
    assert np.array_equal(twin.predict(X, verbose=0), model.predict(X, verbose=0)) and not twin.optimizer.state
    model.save(path)
    other = compiled()
    other.load_weights(path)                                  # also of what `save` wrote
    assert np.array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0)) and not other.optimizer.state
    with pytest.raises(FileExistsError, match="is there already: take another name, or overwrite=True"):
        model.save(path, overwrite=False)


def test_what_does_not_fit_changes_nothing(tmp_path):
    path = tmp_path / "model.safetensors"
    model = compiled()
    model.fit(X, Y, verbose=0)
    model.save(path)
    good = path.read_bytes()
    cases = [(compiled(out=4), good, RuntimeError, "size mismatch"),
             (compiled(optimizer="sgd"), good, ValueError, "compile it with Adam, or load_weights"),
             (compiled(), good.replace(b'\\"version\\":', b'\\"vorsion\\":'), ValueError, "read: 'version' is"),
             (compiled(), good.replace(b'\\"version\\": 1', b'\\"version\\": 9'), ValueError, "it has version 9"),
             (compiled(), good[:100], ValueError, "load"), (compiled(), b"", ValueError, "load")]
    for other, content, kind, text in cases:
        other.fit(X, Y, verbose=0)
        path.write_bytes(content)
        before, epoch = state(other), other.epoch
        with pytest.raises(kind, match=text):
            other.load(path)
        assert same(state(other), before) and other.epoch == epoch


def mutations(tree, times):
    """The tree with something taken out or something else put in, at random."""
    def places(part, path=()):
        for key, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
            yield (*path, key)
            yield from places(value, (*path, key))
    every, draw = list(places(tree)), random.Random(0)
    for _ in range(times):
        changed = part = json.loads(json.dumps(tree))
        *path, last = draw.choice(every)
        for key in path:
            part = part[key]
        if draw.random() < 0.5:
            del part[last]
        else:
            part[last] = draw.choice([None, -1, 3, "x", [], {}, {"array": "/no", "tensor": True}, {"list": [1]}, 1e400])
        yield changed


@pytest.mark.parametrize("times", [60, pytest.param(1500, marks=pytest.mark.slow)])
@pytest.mark.parametrize("backup", [False, True])
def test_files_that_were_tampered_with_change_nothing(times, backup, tmp_path):
    from nn.training import checkpoint
    path = tmp_path / "run.safetensors"
    model = compiled(SPARSE, ["accuracy", "auc"])
    if backup:
        with pytest.raises(KeyboardInterrupt):
            model.fit(X, Y, verbose=0, callbacks=[BackupAndRestore(tmp_path, save_freq=1), nn.LambdaCallback(
                on_epoch_end=lambda epoch, logs: (_ for _ in ()).throw(KeyboardInterrupt))])
    else:
        model.fit(X, Y, verbose=0)
        model.save(path)
    arrays, metadata = nn.load(path, metadata=True)
    refused = 0
    for tree in mutations(json.loads(metadata[checkpoint.KEY]), times):
        nn.save(arrays, path, {checkpoint.KEY: json.dumps(tree)})
        other = compiled(SPARSE, ["accuracy", "auc"])
        before, draws = state(other), autograd.default_rng().bit_generator.state
        try:
            if backup:
                other.fit(X, Y, verbose=0, callbacks=BackupAndRestore(tmp_path))
            else:
                other.load(path)
        except (ValueError, RuntimeError):
            refused += 1
            assert same(state(other), before) and autograd.default_rng().bit_generator.state == draws, tree
        except Exception:
            assert backup                     # what callbacks and metrics remember is theirs to judge
    assert refused > times / 2


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "radam",
                                  "rprop", "lion", "muon", "adafactor", "asgd", "adamwschedulefree"])
def test_the_memory_of_every_optimizer_is_kept_to_the_last_bit(name, tmp_path):
    path = tmp_path / "model.safetensors"
    weights = nn.Sequential(nn.Linear(4, 8, bias=False), nn.Tanh(), nn.Linear(8, 3, bias=False)).state_dict()

    def make():
        model = nn.Model(nn.Sequential(nn.Linear(4, 8, bias=False), nn.Tanh(), nn.Linear(8, 3, bias=False)))
        model.load_state_dict(weights)
        model.compile(name, SPARSE)
        autograd.manual_seed(1)
        return model
    whole, first = make(), make()
    autograd.manual_seed(1)
    whole.fit(X, Y, epochs=4, verbose=0)
    autograd.manual_seed(1)
    first.fit(X, Y, epochs=2, verbose=0)
    first.save(path)
    second = make().load(path)
    second.fit(X, Y, epochs=4, initial_epoch=2, verbose=0)
    assert same(state(second), state(whole))
