"""What a file may put into a callback or a metric: what that one remembers, and nothing else."""

import numpy as np
import pytest

import nn
from nn.callbacks import Callback, CSVLogger, ModelCheckpoint
from nn.training.checkpoint import memory_of, remember


def test_a_file_chooses_no_path(tmp_path):
    for thing, name in ((ModelCheckpoint(tmp_path / "a.npz"), "filepath"), (CSVLogger(tmp_path / "a.csv"), "filename")):
        before = dict(vars(thing))
        for memory in ({name: "/elsewhere"}, {**memory_of(thing), "_save": 3}, {"on_epoch_end": 1}):
            with pytest.raises(TypeError, match=f"{type(thing).__name__} remembers no"):
                remember(thing, memory)
        assert vars(thing) == before


def test_own_callbacks_keep_what_they_count():
    class Counter(Callback):
        def on_train_begin(self, logs=None):
            self.count = 0

        def on_epoch_end(self, epoch, logs=None):
            self.count += 1
    counter = Counter()
    remember(counter, {"count": 3, "weights": np.ones(2)})           # before it has begun
    assert counter.count == 3 and memory_of(counter).keys() == {"count", "weights"}
    for name in ("on_epoch_end", "model", "__class__", "set_model"):
        with pytest.raises(TypeError, match="remembers no"):
            remember(counter, {name: 1})
    counter.on_epoch_end(0)
    assert counter.count == 4


def test_metrics_go_on():
    metric, other = nn.metrics.MeanSquaredError(), nn.metrics.MeanSquaredError()
    metric.update_state(np.ones(4), np.zeros(4))
    remember(other, memory_of(metric))
    assert float(other.result()) == 1.0
    with pytest.raises(TypeError):
        remember(other, {"result": 3})
