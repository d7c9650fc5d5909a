"""The state of all random generators that a run of training draws from, and back."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd import default_rng

DEPTH = 12                                    # how far generators are looked for: loader, data set, transform, ...


def taken(*roots: Any) -> dict[str, Any]:
    """The states of `autograd.default_rng()`, of NumPy's and Python's own, and of all generators the roots hold."""
    import random

    version, numbers, gauss = random.getstate()
    return {"default": default_rng().bit_generator.state, "numpy": np.random.get_state(legacy=False),
            "python": (version, np.array(numbers, np.uint32), gauss),
            "held": [g.bit_generator.state if isinstance(g, np.random.Generator) else
                     g.get_state(legacy=False) if isinstance(g, np.random.RandomState) else g.getstate()
                     for g in generators_of(*roots)]}


def put_back(states: dict[str, Any], *roots: Any) -> None:
    """Every generator as it was.  Raises ValueError if the roots hold more or fewer generators than they did.

    If a state is not one, all are as before.
    """
    own = generators_of(*roots)
    if len(own) != len(states["held"]):
        raise ValueError(f"what is saved was drawn with {len(states['held'])} random generators in its data or model; "
                         f"now there are {len(own)}: make them in the same way as then")
    before = taken(*roots)
    try:
        _set(states, own)
    except BaseException:
        _set(before, own)
        raise


def _set(states: dict[str, Any], own: list[Any]) -> None:
    import random

    default_rng().bit_generator.state = states["default"]
    np.random.set_state(states["numpy"])
    version, numbers, gauss = states["python"]
    random.setstate((version, tuple(np.asarray(numbers).tolist()), gauss))
    for generator, state in zip(own, states["held"]):
        if isinstance(generator, np.random.Generator):
            generator.bit_generator.state = state
        elif isinstance(generator, np.random.RandomState):
            generator.set_state(state)
        else:
            version, numbers, gauss = state
            generator.setstate((version, tuple(numbers), gauss))


def generators_of(*roots: Any) -> list[Any]:
    """The random generators among the attributes of objects, of what these hold, and so on; each once, in order."""
    import random

    kinds = (np.random.Generator, np.random.RandomState, random.Random)
    found: list[Any] = []
    seen: set[int] = set()
    front = list(roots)
    for _ in range(DEPTH):
        behind: list[Any] = []
        for thing in front:
            if id(thing) in seen or thing is None or isinstance(thing, (str, bytes, int, float, np.ndarray, type)):
                continue
            seen.add(id(thing))
            if isinstance(thing, kinds):
                if thing is not default_rng():
                    found.append(thing)
            elif isinstance(thing, dict):
                behind += thing.values() if len(thing) <= 100 else ()
            elif isinstance(thing, (list, tuple)):
                behind += thing if len(thing) <= 100 else ()
            elif hasattr(thing, "__dict__"):
                behind += vars(thing).values()
        front = behind
    return found
