"""The state of a module: saved, and loaded with an account of what does not fit before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from autograd import Tensor

from .members import buffers_of, claims, parameters_of, walk
from .parameter import is_lazy

if TYPE_CHECKING:
    from .module import Module


EXTRA = "_extra_state"


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` did not find, and what it had no use for."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"

    def __str__(self) -> str:
        return repr(self)


class Saved:
    """What a module has to do with its state."""

    def state_dict(self, *, destination: dict[str, Tensor] | None = None, prefix: str = "",
                   keep_vars: bool = False) -> dict[str, Tensor]:
        """Dotted path -> tensor without history, of all parameters and persistent buffers.

        It is a snapshot: optimizers give parameters new arrays and never write into old ones.
        """
        found = {} if destination is None else destination
        modules = list(walk(self, prefix.removesuffix("."), claims(self), (), None))
        prefixes = [(f"{path}." if path else "", module) for path, module in modules]
        for dot, module in prefixes:
            for hook in module._own_hooks("save_before"):
                hook(module, dot, keep_vars)
        for path, tensor in self._state(prefix.removesuffix(".")):
            found[path] = tensor if keep_vars else tensor.detach()
        for dot, module in prefixes:
            if module.has_extra_state():
                found[dot + EXTRA] = module.get_extra_state()
        for dot, module in reversed(prefixes):
            for hook in module._own_hooks("save_after"):
                hook(module, found, dot, {})
        return found

    def load_state_dict(self, state_dict: Any, strict: bool = True, assign: bool = False) -> IncompatibleKeys:
        """Take over the values of a `state_dict` (of Tensors or arrays), cast to the dtypes at hand unless `assign`.

        Returns the missing and unexpected keys.  Raises one RuntimeError that lists all that is missing, unexpected (if
        strict) or of a wrong shape, before anything is changed.
        """
        return _load(self, state_dict, strict, assign)

    def get_extra_state(self) -> Any:
        """For subclasses: what `state_dict` is to hold besides tensors, under "_extra_state"."""
        raise RuntimeError(f"{type(self).__name__} has no get_extra_state(): define it together with set_extra_state()")

    def set_extra_state(self, state: Any) -> None:
        """For subclasses: take back what `get_extra_state` gave."""
        raise RuntimeError(f"{type(self).__name__} has no set_extra_state(): define it, to load what get_extra_state() "
                           "gave")

    def has_extra_state(self) -> bool:
        """Whether a subclass has defined get_extra_state()."""
        return type(self).get_extra_state is not Saved.get_extra_state

    def _state(self, prefix: str) -> Iterator[tuple[str, Tensor]]:
        """A tensor with two names is there twice, as in PyTorch: either name may be loaded."""
        claimed = claims(self)
        for path, module in walk(self, prefix, claimed, (), None):
            dot = f"{path}." if path else ""
            for name, tensor in parameters_of(module, claimed):
                yield dot + name, tensor
            for name, buffer in buffers_of(module, claimed):
                if module._persistent[name]:
                    yield dot + name, buffer


def _load(module: Any, state_dict: Any, strict: bool, assign: bool) -> IncompatibleKeys:
    """Hooks, tensors, extra states, hooks: what `load_state_dict` does.  An error leaves all tensors as they were."""
    modules = [(f"{path}." if path else "", part) for path, part in walk(module, "", claims(module), (), None)]
    if isinstance(state_dict, Mapping):
        state_dict = dict(state_dict)
    errors: list[str] = []
    for dot, part in modules:
        for hook in part._own_hooks("load_before"):
            hook(part, state_dict, dot, {}, strict, [], [], errors)
    if errors:
        raise RuntimeError(f"load_state_dict: nothing was changed in {type(module).__name__}: " + "; ".join(errors))
    extras = {dot + EXTRA: part for dot, part in modules if part.has_extra_state()}
    given = {path: state_dict.pop(path) for path in extras if path in state_dict} if type(state_dict) is dict else {}
    after = [(part, hook) for _, part in reversed(modules) for hook in part._own_hooks("load_after")]
    own = dict(module._state(""))
    result, values = read(module, own, state_dict, strict and not after, assign)
    result.missing_keys.extend(path for path in extras if path not in given)
    if strict and not after and result.missing_keys:
        raise RuntimeError(_account(module, own, state_dict, result.missing_keys, [], []))
    before = {path: own[path].value for path in values}
    for path, value in values.items():        # new arrays: what was read before keeps the old ones
        own[path].data = value
    try:
        for path, state in given.items():
            extras[path].set_extra_state(state)
        for part, hook in after:
            hook(part, result)
        if strict and (result.missing_keys or result.unexpected_keys):
            raise RuntimeError(_account(module, own, state_dict, *result, []))
    except Exception:
        for path, value in before.items():
            own[path].data = value
        raise
    return result


def read(module: Module, own: dict[str, Tensor], given: Any, strict: bool,
         assign: bool) -> tuple[IncompatibleKeys, dict[str, Any]]:
    """The keys that do not match, and for each that does an array of its own: in the dtype at hand, unless `assign`.

    Raises TypeError for what is no dict of numbers; RuntimeError listing every misfit: missing and unexpected keys when
    strict, wrong shapes in any case.
    """
    if not isinstance(given, Mapping):
        raise TypeError("load_state_dict: expected a dict from names to tensors, as state_dict() gives; "
                        f"got {type(given).__name__}")
    values = {path: _array(path, given[path]) for path in own if path in given}
    missing = [path for path in own if path not in given]
    unexpected = [path for path in given if path not in own]
    wrong = [path for path, value in values.items() if not is_lazy(own[path]) and value.shape != own[path].shape]
    if wrong or (strict and (missing or unexpected)):
        raise RuntimeError(_account(module, own, given, missing if strict else [], unexpected if strict else [], wrong))
    for path, value in values.items():
        if not assign:
            values[path] = value.astype(own[path].dtype)
        elif own[path].requires_grad and value.dtype.kind not in "fc":
            raise TypeError(f"load_state_dict: {path!r} is learned and needs floats; got {value.dtype}: leave assign "
                            "out, to have it cast")
    return IncompatibleKeys(missing, unexpected), values


def _array(path: str, value: Any) -> Any:
    array = np.asarray(value.value if isinstance(value, Tensor) else value).copy()
    if array.dtype.kind not in "fciub":
        raise TypeError(f"load_state_dict: {path!r} must be a tensor or an array of numbers; "
                        f"got {type(value).__name__}")
    return array if array.ndim else array[()]


def _account(module: Module, own: dict[str, Tensor], given: Any, missing: list[str], unexpected: list[str],
             wrong: list[str]) -> str:
    """The error text, one line a key."""
    lines = [f"load_state_dict: the state does not fit {type(module).__name__}; nothing was changed."]
    prefix = _prefix(missing, unexpected)
    guesses = {} if prefix else _renamed(own, given, missing, unexpected)
    renamed = {new: f"  <- renamed? {_quoted(old)} has this shape" for new, old in guesses.items()}
    turned = {path for path in wrong if _shape(given[path]) == own[path].shape[::-1]}
    _list(lines, "Missing key(s) in state_dict (the module has them):",
          [f"{_quoted(path)} {own[path].shape}" if path in own else _quoted(path) for path in missing])
    _list(lines, "Unexpected key(s) in state_dict (the module has no such names):",
          [f"{_quoted(path)} {_shape(given.get(path))}{renamed.get(path, '')}" for path in unexpected])
    _list(lines, "size mismatch:",
          [f"{_quoted(path)} is {own[path].shape} in the module and {_shape(given[path])} in the state"
           + (" (transposed?)" if path in turned else "") for path in wrong])
    if prefix:
        lines.append(f"  The names differ by a prefix: {prefix}")
    elif (missing or unexpected) and not wrong:
        lines.append("  Build the module as it was when the state was saved, or load what matches with strict=False.")
    elif wrong:
        lines.append("  Build the module with the sizes it had when the state was saved.")
    return "\n".join(lines)


def _list(lines: list[str], title: str, entries: list[str], most: int = 20) -> None:
    if entries:
        lines.append(f"  {title}")
        lines += [f"    {entry}" for entry in entries[:most]]
        if len(entries) > most:
            lines.append(f"    ... and {len(entries) - most} more")


def _shape(value: Any) -> tuple[int, ...]:
    return tuple(value.shape) if hasattr(value, "shape") else np.shape(value)


def _quoted(path: str) -> str:
    return f'"{path}"'


def _renamed(own: dict[str, Tensor], given: Any, missing: list[str], unexpected: list[str]) -> dict[str, str]:
    """Unexpected key -> the missing key of its shape with the most similar name, each used once."""
    from difflib import SequenceMatcher
    pairs = [(SequenceMatcher(None, new, old).ratio(), new, old) for new in unexpected[:100] for old in missing[:100]
             if old in own and new in given and _shape(given[new]) == own[old].shape]
    guesses: dict[str, str] = {}
    for likeness, new, old in sorted(pairs, reverse=True):
        if likeness >= 0.5 and new not in guesses and old not in guesses.values():
            guesses[new] = old
    return guesses


def _prefix(missing: list[str], unexpected: list[str]) -> str:
    """How to mend names that all differ by the same beginning, such as "module."."""
    if not missing or len(missing) != len(unexpected):
        return ""
    for longer, shorter, fix in ((unexpected, missing, "{{k.removeprefix({0!r}): v for k, v in state.items()}}"),
                                 (missing, unexpected, "{{{0!r} + k: v for k, v in state.items()}}")):
        start = longer[0].removesuffix(shorter[0])
        if start and start != longer[0] and [start + path for path in shorter] == longer:
            return f"{start!r}; load " + fix.format(start)
    return ""
