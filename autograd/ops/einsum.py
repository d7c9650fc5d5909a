"""Einstein's summation, brought into the form that has a rule."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from ..errors import ShapeError
from .linear import diagonal, expand, sum
from .matrix import contract


def einsum(subscripts: str, *operands: Any) -> Any:
    """Sum of products by index letters (Einstein's convention):  einsum("bij,bjk->bik", x, y).

    Letters that stand in the inputs and not in the output are summed over; without "->", the letters that stand
    once are the output, in alphabetical order; "..." stands for axes that broadcast.  A letter twice in one operand is
    its diagonal.  Raises ShapeError when letters and axes disagree.
    """
    if not isinstance(subscripts, str):
        raise TypeError(
            f"einsum: expected the subscripts first, as in einsum('ij,jk->ik', x, y); got {type(subscripts).__name__}"
        )
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    terms, out = _letters(subscripts, operands)
    ready, left = [], []
    for k, (x, term) in enumerate(zip(operands, terms, strict=True)):
        for letter in sorted(set(term)):
            while term.count(letter) > 1:               # a repeated letter: its diagonal, as the last axis
                a = term.index(letter)
                b = term.index(letter, a + 1)
                if x.shape[a] != x.shape[b]:
                    raise ShapeError(f"einsum: letter {letter!r} names axes of {x.shape[a]} and {x.shape[b]} elements")
                x = diagonal(x, offset=0, dim1=a, dim2=b)
                term = term[:a] + term[a + 1:b] + term[b + 1:] + letter
        elsewhere = set(out).union(*[set(t) for j, t in enumerate(terms) if j != k])
        alone = tuple(i for i, letter in enumerate(term) if letter not in elsewhere)
        if alone:
            x, term = sum(x, dim=alone), "".join(c for c in term if c in elsewhere)
        ready.append(x)
        left.append(term)
    sizes: dict[str, int] = {}
    for x, term in zip(ready, left, strict=True):
        for letter, n in zip(term, x.shape, strict=True):
            if sizes.setdefault(letter, n) != n:
                if 1 not in (n, sizes[letter]):
                    raise ShapeError(
                        f"einsum: letter {letter!r} names axes of {sizes[letter]} and {n} elements in {subscripts!r}"
                    )
                sizes[letter] = max(n, sizes[letter])
    ready = [
        x
        if all(sizes[c] == n for c, n in zip(t, x.shape, strict=True))
        else expand(x, shape=tuple(sizes[c] for c in t))
        for x, t in zip(ready, left, strict=True)
    ]
    return contract(*ready, subscripts=",".join(left) + "->" + out)


def _letters(subscripts: str, operands: Sequence[Any]) -> tuple[list[str], str]:
    """Terms and output with "..." spelled out in letters that are free."""
    text = subscripts.replace(" ", "")
    if (
        re.fullmatch(
            r"([A-Za-z]*(\.\.\.)?[A-Za-z]*,)*[A-Za-z]*(\.\.\.)?[A-Za-z]*(->[A-Za-z]*(\.\.\.)?[A-Za-z]*)?", text
        )
        is None
    ):
        raise ShapeError(f"einsum: expected letters, at most one '...' an operand, commas and '->'; got {subscripts!r}")
    left, arrow, out = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        raise ShapeError(f"einsum: {subscripts!r} describes {len(terms)} operands; got {len(operands)}")
    free = [c for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" if c not in text]
    widest, spelled = 0, []
    for term, x in zip(terms, operands, strict=True):
        named = len(term.replace("...", ""))
        extra = x.ndim - named
        if extra < 0 or (extra and "..." not in term):
            raise ShapeError(f"einsum: {term!r} names {named} axes; its operand has shape {tuple(x.shape)}")
        widest = max(widest, extra)
        spelled.append(extra)
    dots = "".join(free[:widest])
    terms = [t.replace("...", dots[widest - extra:]) for t, extra in zip(terms, spelled, strict=True)]
    if arrow:
        out = out.replace("...", dots)
    else:
        every = "".join(terms)
        out = dots + "".join(sorted(c for c in set(every) if every.count(c) == 1 and c not in dots))
    unknown = set(out) - set("".join(terms))
    if unknown or len(set(out)) != len(out):
        raise ShapeError(f"einsum: the output of {subscripts!r} has letters that no operand has, or one twice")
    return terms, out
