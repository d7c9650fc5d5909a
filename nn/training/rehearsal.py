"""A first batch run through model, loss and metrics before anything changes: what does not fit shows here."""

from __future__ import annotations

from copy import copy
from typing import Any

from autograd import Tensor, default_rng, enable_grad, no_grad
from autograd.tensor import wrap

from ..module import Module
from .feed import Feed
from .outputs import buffers_of, kept, modes_of, put_back, restore, values_of
from .plan import Plan
from .watch import warn_before


def look(run: Module, plan: Plan, feed: Feed, x: Tensor | None = None, y: Any = None, weight: Any = None) -> None:
    """Run a batch through model, loss and metrics in evaluation mode: what does not fit shows before anything changes.

    The first time this is where the loss sees what the model ends with, and "accuracy" which accuracy is meant.
    """
    if x is None:
        return                            # a loader's first batch is looked at when it comes
    objective, modes, draws = plan.objective, modes_of(run), default_rng().bit_generator.state
    try:
        run.eval()
        with enable_grad():
            output = run(x)
            if isinstance(output, Tensor):
                if output.node is None and x.dtype.kind == "f":      # all parameters are frozen
                    objective.settle(run(x.detach().requires_grad_()), plan.checks)
                else:
                    objective.settle(output, plan.checks)
                objective.check(output.value, y.value if feed.targets is None else feed.targets, feed.who)
            elif objective.targets != "custom":
                raise TypeError(f"{feed.who}: loss {objective.name!r} takes one output; the model gave a "
                                f"{type(output).__name__}: pass a function (output, target) as the loss")
            loss = objective(output, y)
        if not plan.watched and plan.checks and feed.who == "fit":
            warn_before(feed.who, run, objective, x, y, output, loss)
        with no_grad():
            if weight is not None:
                objective.weighted(output, y, weight)
            values = values_of(output)
            for m in (*plan.metrics, *plan.weighted):
                if hasattr(m, "choose"):
                    m.choose(values, y.value, objective.targets == "binary", objective.outputs == "logits")
                trial = copy(m)               # an epoch that is taken up again has its sums already
                trial.reset()
                if weight is not None and m in plan.weighted:
                    trial.update(values, y.value, sample_weight=weight.value)
                else:
                    trial.update(values, y.value)
        if feed.leaves_one:
            _try_one(run, feed, x)
    except Exception as error:
        error.add_note(f"{feed.who}: found on the first batch; nothing was changed")
        raise
    finally:
        default_rng().bit_generator.state = draws
        restore(modes)
    feed.sample, feed.checked = (x.shape[1:], x.dtype), True


def _try_one(run: Module, feed: Feed, x: Tensor) -> None:
    """Some modules cannot learn from a single sample, which would show at the end of the epoch only."""
    before = kept(buffers_of(run))
    try:
        run.train()
        with no_grad():
            run(wrap(x.value[:1]))
    except Exception as error:
        n, size = len(feed.targets), feed.source.batch_size
        better = next(s for s in range(size + 1, n + 1) if n % s != 1)
        raise ValueError(f"{feed.who}: {n} samples in batches of {size} leave one for the last batch, and the model "
                         f"cannot learn from one ({error}): choose another batch_size, e.g. {better}") from error
    finally:
        put_back(before)
