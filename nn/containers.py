"""Modules that hold modules: in a row (Sequential, ModuleList), or by name (ModuleDict)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from operator import index as as_index
from typing import Any, Self

from .module import Module, what_is


class _Row(Module):
    """Modules in order, as attributes "0", "1", ..."""

    def _row(self) -> dict[str, Module]:
        return {name: value for name, value in self.__dict__.items() if isinstance(value, Module)}

    def _renumber(self, modules: Iterable[Module]) -> None:
        modules = [self._checked(module) for module in modules]
        for name in self._row():
            object.__delattr__(self, name)
        for i, module in enumerate(modules):
            setattr(self, str(i), module)

    def _checked(self, module: Any) -> Module:
        if not isinstance(module, Module):
            raise TypeError(f"{type(self).__name__} holds modules only; got {what_is(module)}")
        return module

    def _name_at(self, index: Any) -> str:
        names = list(self._row())
        i = as_index(index)
        if not -len(names) <= i < len(names):
            raise IndexError(f"index {i} is out of range: this {type(self).__name__} has {len(names)} modules")
        return names[i]

    def __len__(self) -> int:
        return len(self._row())

    def __iter__(self) -> Iterator[Module]:
        return iter(self._row().values())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return self._part(dict(list(self._row().items())[index]))
        return self.__dict__[self._name_at(index)]

    def _part(self, modules: dict[str, Module]) -> Any:
        raise NotImplementedError

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._name_at(index), self._checked(module))

    def __delitem__(self, index: Any) -> None:
        names = list(self._row())
        gone = names[index] if isinstance(index, slice) else [self._name_at(index)]
        self._renumber([module for name, module in self._row().items() if name not in gone])

    def append(self, module: Module) -> Self:
        """Add a module at the end.  Returns the container."""
        row = self._row()
        n = len(row)
        while str(n) in row:                            # a slice keeps its numbers: [1:] has no 0
            n += 1
        setattr(self, str(n), self._checked(module))
        return self

    def extend(self, modules: Iterable[Module]) -> Self:
        """Add modules at the end.  Returns the container."""
        for module in [self._checked(module) for module in modules]:
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before position `index`.  Returns the container."""
        modules = list(self)
        modules.insert(index, self._checked(module))
        self._renumber(modules)
        return self

    def pop(self, index: int = -1) -> Module:
        """Take the module at `index` out and return it."""
        module = self[index]
        del self[index]
        return module

    def __add__(self, other: Iterable[Module]) -> Any:
        return self._part({str(i): module for i, module in enumerate([*self, *other])})

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)


class Sequential(_Row):
    """Modules called one after the other, each with the output of the one before.

    Sequential(a, b, c), Sequential([a, b, c]) or Sequential({"first": a, "second": b}).
    """

    def __init__(self, *modules: Any) -> None:
        super().__init__()
        if len(modules) == 1 and isinstance(modules[0], Mapping):
            for name, module in modules[0].items():
                self.add_module(name, self._checked(module))
        else:
            row = modules[0] if len(modules) == 1 and isinstance(modules[0], (list, tuple)) else modules
            self._renumber(row)

    def forward(self, input: Any) -> Any:
        for module in tuple(self.__dict__.values()):
            if isinstance(module, Module):
                input = module(input)
        return input

    def _part(self, modules: dict[str, Module]) -> Any:
        return Sequential(modules)                      # with the names they have here, as in PyTorch

    def __mul__(self, times: int) -> Sequential:
        if not isinstance(times, int) or times <= 0:
            raise ValueError(f"Sequential * n repeats the modules n times, n >= 1; got {times!r}")
        return Sequential(list(self) * times)

    __rmul__ = __mul__


class ModuleList(_Row):
    """A list of modules.  (A plain list works as well; this one has a repr and is what PyTorch code uses.)"""

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self._renumber(modules or ())

    def _part(self, modules: dict[str, Module]) -> Any:
        return ModuleList(modules.values())

    def __repr__(self) -> str:
        """As in PyTorch, equal neighbours are written once: (0-2): 3 x Linear(...)."""
        runs: list[list[Any]] = []
        for i, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1][1] = i
            else:
                runs.append([i, i, text])
        if not runs:
            return f"{type(self).__name__}()"
        lines = [f"({a}): {text}" if a == b else f"({a}-{b}): {b - a + 1} x {text}" for a, b, text in runs]
        return f"{type(self).__name__}(\n  " + "\n  ".join(line.replace("\n", "\n  ") for line in lines) + "\n)"


class ModuleDict(Module):
    """Modules by name, in the order they were put in."""

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def _named(self) -> dict[str, Module]:
        return {name: value for name, value in self.__dict__.items() if isinstance(value, Module)}

    def __getitem__(self, key: str) -> Module:
        if key not in self._named():
            raise KeyError(f"{key!r}: this ModuleDict has {', '.join(map(repr, self._named())) or 'no modules'}")
        return self.__dict__[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        self[key]
        delattr(self, key)

    def __len__(self) -> int:
        return len(self._named())

    def __iter__(self) -> Iterator[str]:
        return iter(self._named())

    def __contains__(self, key: object) -> bool:
        return key in self._named()

    def keys(self) -> Iterable[str]:
        """The names."""
        return self._named().keys()

    def values(self) -> Iterable[Module]:
        """The modules."""
        return self._named().values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """(name, module)."""
        return self._named().items()

    def update(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]]) -> None:
        """Put in or replace modules."""
        for name, module in dict(modules).items():
            self[name] = module

    def pop(self, key: str) -> Module:
        """Take a module out and return it."""
        module = self[key]
        del self[key]
        return module

    def clear(self) -> None:
        """Take all modules out."""
        for key in self._named():
            delattr(self, key)
