"""Adding rows into an array at places that repeat."""

from __future__ import annotations

from typing import Any

import numpy as np

FEW = 2000                                    # elements; for fewer, and for vectors, np.add.at is quicker


def add_rows(out: Any, at: Any, rows: Any) -> None:
    """out[at[i]] += rows[i], repeats adding up, into an `out` of zeros.  IndexError for a row that `out` has not.

    `np.add.at` goes element by element.  Here all rows are put down at once, of those for one place whichever comes
    last; the others are added up pairwise, place by place, and then to it.
    """
    if rows.size < FEW or out.ndim == 1:
        np.add.at(out, at, rows)
        return
    _put(out, at, rows)
    number = np.arange(len(at))
    last = np.empty(len(out), np.intp)        # of no place that `at` does not name is it read
    last[at] = number
    others = np.flatnonzero(last[at] != number)
    if others.size:
        keys, sums = _sums_by_key(at[others] % len(out), rows[others])        # -1 is the last row
        out[keys] += sums


def _put(out: Any, at: Any, rows: Any) -> None:
    """out[at] = rows, a row at a time where each is one run of memory."""
    if out.flags.c_contiguous and rows.flags.c_contiguous and out.dtype == rows.dtype and out.size and rows.size:
        row = np.dtype((np.void, out[0].nbytes))
        out.reshape(len(out), -1).view(row)[:, 0][at] = rows.reshape(len(rows), -1).view(row)[:, 0]
    else:
        out[at] = rows


def _sums_by_key(keys: Any, rows: Any) -> tuple[Any, Any]:
    """Each key once, and the sum of its rows: neighbours are added until every key stands alone."""
    order = np.argsort(keys, kind="stable")
    keys, rows = keys[order], rows[order]
    while True:
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        if len(first) == len(keys):
            return keys, rows
        rank = np.arange(len(keys)) - np.repeat(first, np.diff(first, append=len(keys)))
        odd = np.flatnonzero(rank & 1)        # the one before has the same key
        rows[odd - 1] += rows[odd]
        stays = np.flatnonzero(~rank & 1)
        keys, rows = keys[stays], rows[stays]
