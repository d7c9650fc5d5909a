"""What `model.py:make_model` or `package.models:Net` names: the user's file is run, or the module imported."""

from __future__ import annotations

import inspect
import os
import sys
from typing import Any


class TargetError(ValueError):
    """The words on the command line name nothing that can be drawn."""


def load(text: str) -> Any:
    """The object a target names: "file.py:attribute" or "package.module:attribute", dots allowed in the attribute.

    A file is run as it is, under a name that is not "__main__", with its own folder first on sys.path; no compiled
    copy of it is kept.  A module is imported, with the working folder on sys.path.
    Raises TargetError where there is no such file, module or attribute; what the user's own code raises comes through.
    """
    place, separator, attribute = text.rpartition(":")
    if not separator or attribute.endswith(".py") or os.sep in attribute:      # C:\model.py is all of it a path
        place, attribute = text, ""
    module = _run(place) if place.endswith(".py") or os.path.isfile(place) else _imported(place)
    if not attribute:
        raise TargetError(f"expected what to draw after a colon; got {text!r} alone; {_offers(place, module)}")
    found: Any = module
    for name in attribute.split("."):
        if not hasattr(found, name):
            raise TargetError(f"expected {attribute!r} in {place}; it has no {name!r}; {_offers(place, module)}")
        found = getattr(found, name)
    return found


def _run(place: str) -> Any:
    from types import ModuleType
    path = os.path.realpath(place)
    if not os.path.isfile(path):
        what = "that is a folder" if os.path.isdir(path) else "there is no such file"
        raise TargetError(f"expected a Python file; got {place!r}, and {what} (looked in {os.getcwd()})")
    with open(path, "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True)
    stem = os.path.splitext(os.path.basename(path))[0]
    name = stem if stem.isidentifier() and stem not in sys.modules else f"{stem}_drawn"
    module = ModuleType(name)
    module.__file__ = path
    sys.path.insert(0, os.path.dirname(path))
    sys.modules[name] = module                # where its classes say they come from
    try:
        exec(code, module.__dict__)
    except BaseException:
        del sys.modules[name]                 # half of it is no module
        raise
    return module


def _imported(place: str) -> Any:
    from pkgutil import resolve_name
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    if not all(part.isidentifier() for part in place.split(".")):
        raise TargetError(f"expected file.py:attribute or package.module:attribute; got {place!r}, which is neither a "
                          "file that exists nor the name of a module")
    try:
        return resolve_name(f"{place}:")
    except ModuleNotFoundError as error:
        if error.name is None or not (place == error.name or place.startswith(f"{error.name}.")):
            raise                             # the module is there, and what it imports is not
        more = f"; for the file, say {place}.py" if os.path.isfile(f"{place}.py") else ""
        raise TargetError(f"expected a module {place!r}; there is none on Python's path or in {os.getcwd()}{more}"
                          ) from None


def _offers(place: str, module: Any) -> str:
    own = [name for name, value in vars(module).items() if not name.startswith("_")
           and (getattr(value, "__module__", None) == module.__name__ or hasattr(value, "named_parameters"))
           and callable(value)]
    if not own:
        return f"{place} defines no function, class or model"
    return "it could be " + " or ".join(f"{place}:{name}" for name in own[:6])


def made(found: Any, text: str, has_inputs: bool) -> tuple[Any, tuple[Any, ...]]:
    """(what to draw, inputs it brought along): a factory is called, a class without required arguments too.

    A function that needs arguments is itself what is drawn.  A factory may return (model, input, ...).
    """
    plain = callable(found) and not hasattr(found, "named_modules")            # no module
    needed = _needed(found) if plain or isinstance(found, type) else None
    if isinstance(found, type):
        if needed:
            raise TargetError(f"expected a class that can be made without arguments; {found.__name__} needs "
                              f"{', '.join(needed)}; write a factory, def make_model(): return {found.__name__}(...), "
                              "and name that")
        found = found()
    elif needed is not None and not needed:
        found = found()
    elif needed and not has_inputs:
        raise TargetError(f"expected an --input for each argument of {text}; it takes {', '.join(needed)}; "
                          "say --input 32x10 for an array of 32 by 10")
    brought: tuple[Any, ...] = ()
    if isinstance(found, tuple) and len(found) > 1 and callable(found[0]):
        found, *rest = found
        brought = tuple(rest)
    if found is None:
        raise TargetError(f"expected {text} to return what to draw: a model, or a tensor; it returned None")
    return found, brought


def _needed(function: Any) -> list[str]:
    """The arguments that a call cannot leave out."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):           # builtin
        return []
    return [p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)]
