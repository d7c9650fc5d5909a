"""What is said to a name that is not known: the nearest one that is."""

from __future__ import annotations

from collections.abc import Iterable


def unknown(kind: str, name: str, known: Iterable[str]) -> ValueError:
    """The error for a name that is not known: the nearest one that is, and all of them."""
    from difflib import get_close_matches

    names = list(known)
    near = get_close_matches(name.lower(), names, 1)
    return ValueError(f"unknown {kind} {name!r}{f': did you mean {near[0]!r}?' if near else ';'} "
                      f"known: {', '.join(names)}")
