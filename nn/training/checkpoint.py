"""A Model in one file, with all that training it further depends on; and a run of training, to be taken up again.

The file is in the safetensors format, or an archive of NumPy's if its name ends in .npz.  Parameters and buffers stand
under their names of `state_dict`, so that any reader of the format finds them; everything else stands under names that
begin with "/", or as JSON in the metadata.
There is no code in it.  It is written beside its place, synced and renamed: a crash or a full disk leaves the old one.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from autograd import Tensor
from autograd.tensor import wrap

from .. import files
from .randomness import put_back, taken

KEY = "glassgrad.model"                       # of the metadata
VERSION = 1


def write(path: Any, weights: dict[str, Any], tree: Any = None) -> None:
    """Named weights, and a tree of dicts, lists, numbers, texts and arrays, whole or not at all."""
    import json

    arrays = dict(weights)
    metadata = None
    if tree is not None:
        metadata = {KEY: json.dumps({"version": VERSION, "tree": _packed(tree, arrays, "")})}
    files.save(arrays, path, metadata)
    _sync_folder(path)


def read(path: Any) -> tuple[dict[str, Any], Any]:
    """(weights, tree) of a file; the tree is None where there are weights alone.  ValueError for a damaged file."""
    import json

    arrays, metadata = files.load(path, metadata=True)
    weights = {name: value for name, value in arrays.items() if not name.startswith("/")}
    if KEY not in metadata:
        return weights, None
    try:
        said = json.loads(metadata[KEY])
        if said["version"] != VERSION:
            raise ValueError(f"it has version {said['version']!r}; this release reads version {VERSION}")
        return weights, _unpacked(said["tree"], arrays)
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        why = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"load: {os.fsdecode(os.fspath(path))}: what it says of the training cannot be read: {why}"
                         ) from None


def _sync_folder(path: Any) -> None:
    """So that the new name outlives a loss of power, where the system knows that."""
    try:
        handle = os.open(os.path.dirname(os.path.abspath(os.fsdecode(os.fspath(path)))), os.O_RDONLY)
    except OSError:                           # Windows does not open folders
        return
    try:
        os.fsync(handle)
    except OSError:
        pass
    finally:
        os.close(handle)


def is_plain(value: Any, depth: int = 0) -> bool:
    """Whether a file can hold it: numbers, texts, arrays, tensors, and lists, tuples and dicts of these."""
    if value is None or isinstance(value, (bool, int, float, str, np.bool_, np.integer, np.floating)):
        return True
    if isinstance(value, (np.ndarray, Tensor)):
        return value.dtype.kind in "fiub" or value.dtype == np.complex64
    if depth > 8:
        return False
    if isinstance(value, dict):
        return all(isinstance(key, (str, int)) and is_plain(part, depth + 1) for key, part in value.items())
    return isinstance(value, (list, tuple)) and all(is_plain(part, depth + 1) for part in value)


def _packed(value: Any, arrays: dict[str, Any], path: str) -> Any:
    """JSON for a tree; arrays are laid into `arrays`, and their names stand in their place."""
    if isinstance(value, (np.bool_, np.integer, np.floating)):
        value = value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (np.ndarray, Tensor)):
        arrays[f"{path}/"] = value
        return {"array": f"{path}/", "tensor": isinstance(value, Tensor)}
    if isinstance(value, dict):
        return {"dict": [[key, _packed(part, arrays, f"{path}/{key}")] for key, part in value.items()]}
    if isinstance(value, (list, tuple)):
        return {"tuple" if isinstance(value, tuple) else "list":
                [_packed(part, arrays, f"{path}/{k}") for k, part in enumerate(value)]}
    raise TypeError(f"save: {path[1:]} is a {type(value).__name__}, which a file cannot hold; it holds numbers, texts, "
                    "arrays, and lists and dicts of these")


def _unpacked(value: Any, arrays: dict[str, Any]) -> Any:
    if not isinstance(value, dict):
        return value
    if "array" in value:
        found = arrays[value["array"]]
        return found if value["tensor"] else found.value
    if "dict" in value:
        return {key: _unpacked(part, arrays) for key, part in value["dict"]}
    if "tuple" in value:
        return tuple(_unpacked(part, arrays) for part in value["tuple"])
    return [_unpacked(part, arrays) for part in value["list"]]


# -- a model -----------------------------------------------------------------------------------------------


def weights_of(model: Any) -> dict[str, Any]:
    """The arrays of `state_dict`.  Raises TypeError for what a file cannot hold."""
    state = model.state_dict()
    strange = [name for name, value in state.items() if not isinstance(value, (Tensor, np.ndarray))]
    if strange:
        raise TypeError(f"save: {', '.join(map(repr, strange))} of the state dict must be tensors, as a file holds "
                        "nothing else: let get_extra_state return one")
    return state


def training_of(model: Any) -> dict[str, Any]:
    """What a Model's training depends on besides its weights."""
    plan = model._plan
    saved = model.state_dict()
    tree: dict[str, Any] = {"epoch": model.epoch, "random": taken(model._run()),
                            "buffers": {name: b for name, b in model.named_buffers() if name not in saved}}
    if plan is not None:
        tree["optimizer"] = {"class": type(plan.optimizer).__name__, "state": plan.optimizer.state_dict()}
        tree["compile"] = plan.named
    return tree


def settle(model: Any, weights: dict[str, Any], tree: Any, path: Any) -> None:
    """Give a Model the weights and the training of a file; if anything does not fit, nothing has changed."""
    before = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    values = {name: (tensor, tensor.value) for name, tensor in before.items()}
    epoch, plan, old = model.epoch, model._plan, None if model._plan is None else model._plan.optimizer.state_dict()
    try:
        model.load_state_dict(weights)
        if tree is None:
            return
        for name, buffer in dict(model.named_buffers()).items():
            if name in tree["buffers"] and tree["buffers"][name].shape == buffer.shape:
                buffer.value = tree["buffers"][name].value
        if "optimizer" in tree:
            kind = tree["optimizer"]["class"]
            if plan is None and tree["compile"] is not None:
                model.compile(kind.lower(), **tree["compile"])
            if model._plan is not None:
                own = type(model._plan.optimizer).__name__
                if own != kind:
                    raise ValueError(f"load: {os.fsdecode(os.fspath(path))} has the memory of {kind}; this model is "
                                     f"compiled with {own}: compile it with {kind}, or load_weights(path)")
                model._plan.optimizer.load_state_dict(tree["optimizer"]["state"])
        if type(tree["epoch"]) is not int or tree["epoch"] < 0:
            raise TypeError(f"epoch is {tree['epoch']!r}")
        model.epoch = tree["epoch"]
        put_back(tree["random"], model._run())
    except BaseException as error:
        for tensor, value in values.values():
            tensor.value = value
        model._plan, model.epoch = plan, epoch
        if plan is not None:
            plan.optimizer.load_state_dict(old)
        if isinstance(error, (LookupError, TypeError, AttributeError, ArithmeticError)):    # not as it is written
            raise ValueError(f"load: {os.fsdecode(os.fspath(path))}: what it says of the training does not fit "
                             f"({type(error).__name__}: {error})") from error
        raise


# -- a run of training -------------------------------------------------------------------------------------


def run_of(model: Any) -> dict[str, Any]:
    """What taking up a run of `fit` again needs, besides `training_of` the model."""
    position, plan = model._position, model._plan
    waiting = [None if p.grad is None else p.grad.value for p in plan.held()] if position.gathered else []
    return {"epoch": position.epoch, "step": position.step, "total": position.total, "count": position.count,
            "gathered": position.gathered, "gradients": waiting, "stop": bool(model.stop_training),
            "sound": position.feed.sound, "data": {"began": position.feed.began, "drawn": position.feed.drawn,
                                                   "now": taken(position.feed.source)},
            "metrics": [(m.name, memory_of(m)) for m in (*plan.metrics, *plan.weighted)],
            "callbacks": [(type(c).__name__, memory_of(c)) for c in position.audience.members]}


def take_up(model: Any, run: dict[str, Any], random: dict[str, Any]) -> None:
    """Bring a run of `fit` to where `run_of` found it, after the model itself."""
    position, plan = model._position, model._plan
    measures = [*plan.metrics, *plan.weighted]
    if [m.name for m in measures] != [name for name, _ in run["metrics"]]:
        raise ValueError(f"the run was begun with the metrics {[name for name, _ in run['metrics']]}; now they are "
                         f"{[m.name for m in measures]}: compile the model as it was")
    between = run["step"] or position.feed.ongoing             # within a run over the data
    if between and run["data"]["began"] is not None:
        position.feed.replay(run["data"]["began"], run["data"]["drawn"], run["step"])
    else:
        put_back(run["data"]["now"], position.feed.source)
    for m, (_, memory) in zip(measures, run["metrics"]):
        remember(m, memory)
        m.result()                            # what is no memory of it shows here, rather than at the epoch's end
    left = list(run["callbacks"])
    for callback in position.audience.members:
        found = next((pair for pair in left if pair[0] == type(callback).__name__), None)
        if found is not None:
            left.remove(found)
            remember(callback, found[1])
    for p, grad in zip(plan.held(), run["gradients"]):
        p.grad = None if grad is None else wrap(grad)
    position.epoch, position.step = run["epoch"], run["step"]
    position.total, position.count, position.gathered = run["total"], run["count"], run["gathered"]
    position.feed.sound, model.stop_training, plan.watched = run["sound"], run["stop"], True
    put_back(random, model._run())            # those of the data have come there by the replay


def memory_of(thing: Any) -> dict[str, Any]:
    """What a metric or a callback remembers: its `state_dict()`, or else those of its attributes that can be saved."""
    if hasattr(thing, "state_dict"):
        return thing.state_dict()
    own, chosen = getattr(thing, "__dict__", {}), getattr(thing, "remembers", None)
    return {name: value for name, value in own.items()
            if (name not in ("model", "params") if chosen is None else name in chosen) and is_plain(value)}


def remember(thing: Any, memory: dict[str, Any]) -> None:
    """Give it back what `memory_of` found.  TypeError for anything else: a file must not set a path, say."""
    if hasattr(thing, "load_state_dict"):
        thing.load_state_dict(memory)
        return
    chosen = getattr(thing, "remembers", None)
    for name, value in memory.items():
        if not isinstance(name, str) or name in ("model", "params") or (
                name not in chosen if chosen is not None else name not in vars(thing) and hasattr(type(thing), name)):
            raise TypeError(f"{type(thing).__name__} remembers no {name!r}")
        now = vars(thing).get(name)
        if now is None and chosen is not None and not _may_be(value):
            raise TypeError(f"{type(thing).__name__}.{name} cannot be {type(value).__name__} {value!r}"[:200])
        if now is not None and value is not None and type(now) is not type(value) \
                and not (isinstance(now, (int, float)) and isinstance(value, (int, float))):
            raise TypeError(f"{type(thing).__name__}.{name} is {type(now).__name__}, not {type(value).__name__}")
    vars(thing).update(memory)


def _may_be(value: Any) -> bool:
    """Whether something that a callback has none of yet may be this: a number, names, or named arrays."""
    if isinstance(value, dict):
        arrays = [part for part in value.values() if isinstance(part, (Tensor, np.ndarray))]
        return bool(arrays) and all(is_plain(part, 8) for part in value.values())  # of no axes: numbers
    if isinstance(value, (list, tuple)):
        return bool(value) and all(isinstance(part, str) for part in value)
    return value is None or isinstance(value, (int, float))
