"""Modules that hold parameters: in a row (ParameterList), or by name (ParameterDict)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import index as as_index
from typing import Any, Self

from autograd import Parameter, Tensor

from .module import Module


def _kept(value: Any) -> Any:
    """What a container of parameters keeps of a value: a Tensor becomes a Parameter that shares its data."""
    return Parameter(value) if isinstance(value, Tensor) and not isinstance(value, Parameter) else value


class _Parameters(Module):
    """Parameters, and other values beside them, as attributes; it holds, and computes nothing."""

    def _held(self) -> dict[str, Any]:
        raise NotImplementedError

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"{type(self).__name__} should not be called: it holds parameters and computes nothing")

    def __len__(self) -> int:
        return len(self._held())

    def extra_repr(self) -> str:
        lines = []
        for name, value in self._held().items():
            if isinstance(value, Tensor):
                kind = "Parameter" if isinstance(value, Parameter) else "Tensor"
                text = f"{kind} containing: [{value.dtype} of size {'x'.join(map(str, value.shape))}]"
            else:
                text = f"Object of type: {type(value).__name__}"
            lines.append(f"  ({name}): {text}")
        return "\n".join(lines)


class ParameterList(_Parameters):
    """A list of parameters; Tensors put in become Parameters.  (A plain list of them works as well.)"""

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self._size = 0
        self.extend(() if values is None else values)

    def _held(self) -> dict[str, Any]:
        return {str(i): self.__dict__[str(i)] for i in range(self._size)}

    def _name_at(self, index: Any) -> str:
        i, n = as_index(index), self._size
        if not -n <= i < n:
            raise IndexError(f"index {i} is out of range: this {type(self).__name__} has {n} values")
        return str(i % n)

    def __iter__(self) -> Iterator[Any]:
        return iter(self._held().values())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self)[index])
        return self.__dict__[self._name_at(index)]

    def __setitem__(self, index: int, value: Any) -> None:
        setattr(self, self._name_at(index), _kept(value))

    def append(self, value: Any) -> Self:
        """Add a value at the end.  Returns the list."""
        setattr(self, str(self._size), _kept(value))
        self._size += 1
        return self

    def extend(self, values: Iterable[Any]) -> Self:
        """Add values at the end.  Returns the list."""
        if not isinstance(values, Iterable) or isinstance(values, Tensor):
            raise TypeError(f"{type(self).__name__}.extend: expected several values in a list, tuple, ...; got "
                            f"{type(values).__name__}")
        for value in list(values):
            self.append(value)
        return self

    def __iadd__(self, values: Iterable[Any]) -> Self:
        return self.extend(values)


class ParameterDict(_Parameters):
    """Parameters by name, in the order they were put in; Tensors put in become Parameters."""

    def __init__(self, parameters: Any = None) -> None:
        super().__init__()
        self._names: dict[str, None] = {}
        self.update({} if parameters is None else parameters)

    def _held(self) -> dict[str, Any]:
        return {name: self.__dict__[name] for name in self._names}

    def __getitem__(self, key: str) -> Any:
        if key not in self._names:
            raise KeyError(f"{key!r}: this ParameterDict has {', '.join(map(repr, self._names)) or 'no values'}")
        return self.__dict__[key]

    def __setitem__(self, key: str, value: Any) -> None:
        if key not in self._names:
            self._check_name(key, "parameter")
        setattr(self, key, _kept(value))
        self._names[key] = None

    def __delitem__(self, key: str) -> None:
        self[key]
        delattr(self, key)
        del self._names[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __reversed__(self) -> Iterator[str]:
        return reversed(self._names)

    def __contains__(self, key: object) -> bool:
        return key in self._names

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._held().keys()

    def values(self) -> Iterable[Any]:
        """The values."""
        return self._held().values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """(name, value)."""
        return self._held().items()

    def get(self, key: str, default: Any = None) -> Any:
        """The value of a name; `default` where there is none."""
        return self._held().get(key, default)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The value of a name, after putting in `default` where there was none."""
        if key not in self._names:
            self[key] = default
        return self[key]

    def update(self, parameters: Any) -> None:
        """Put in or replace values: from a dict, a ParameterDict, or pairs (name, value)."""
        if not isinstance(parameters, (Mapping, ParameterDict, Iterable)):
            raise TypeError("ParameterDict.update: expected a dict or pairs (name, value); got "
                            f"{type(parameters).__name__}")
        for name, value in dict(parameters).items():
            self[name] = value

    def pop(self, key: str) -> Any:
        """Take a value out and return it."""
        value = self[key]
        del self[key]
        return value

    def popitem(self) -> tuple[str, Any]:
        """Take the last one out and return it: (name, value)."""
        if not self._names:
            raise KeyError("popitem(): this ParameterDict is empty")
        name = next(reversed(self._names))
        return name, self.pop(name)

    def clear(self) -> None:
        """Take all values out."""
        for name in tuple(self._names):
            del self[name]

    def copy(self) -> ParameterDict:
        """Another one with the same values."""
        return ParameterDict(self._held())

    def fromkeys(self, keys: Iterable[str], default: Any = None) -> ParameterDict:
        """A new one with these names, all with the same value."""
        return ParameterDict(dict.fromkeys(keys, default))

    def __or__(self, other: Any) -> ParameterDict:
        made = self.copy()
        made.update(other)
        return made

    def __ror__(self, other: Any) -> ParameterDict:
        made = ParameterDict(other)
        made.update(self)
        return made

    def __ior__(self, other: Any) -> Self:
        self.update(other)
        return self
