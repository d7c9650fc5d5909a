"""Text as numbers: vocabularies of characters or words, and windows for language models."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .dataset import TensorDataset
from .loader import positive

WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")


def words(text: str) -> list[str]:
    """A text in words and punctuation marks: "Don't panic!" -> ["Don't", "panic", "!"]."""
    return WORD.findall(text)


class Vocabulary:
    """Tokens and their numbers: `encode` makes a text into int64 (T,), `decode` makes it a text again.

    tokens    in the order of their numbers
    unknown   the token that stands for all others; without one, encoding a token that is not there raises KeyError
    joiner    what `decode` puts between tokens: "" for characters, " " for words
    """

    def __init__(self, tokens: Iterable[str], unknown: str | None = None, joiner: str = "") -> None:
        self.tokens = list(tokens)
        twice = [t for t, count in Counter(self.tokens).items() if count > 1]
        if twice:
            raise ValueError(f"Vocabulary: expected every token once; got {', '.join(map(repr, twice[:5]))} more often")
        if unknown is not None and unknown not in self.tokens:
            self.tokens.insert(0, unknown)
        self.unknown, self.joiner = unknown, joiner
        self.index = {token: k for k, token in enumerate(self.tokens)}

    @classmethod
    def of_characters(cls, text: str, specials: Sequence[str] = (), unknown: str | None = None) -> Vocabulary:
        """All characters of a text, sorted, after the `specials`."""
        return cls([*specials, *sorted(set(text) - set(specials))], unknown)

    @classmethod
    def of_words(cls, text: str | Iterable[str], specials: Sequence[str] = (), unknown: str | None = "<unk>",
                 max_size: int | None = None, min_count: int = 1) -> Vocabulary:
        """The words of a text (or of a list of words), the most frequent first, equals in alphabetical order."""
        counts = Counter(words(text) if isinstance(text, str) else text)
        ranked = sorted((t for t, c in counts.items() if c >= min_count and t not in specials),
                        key=lambda t: (-counts[t], t))
        first = [*([unknown] if unknown is not None and unknown not in specials else []), *specials]
        kept = ranked if max_size is None else ranked[:max(0, max_size - len(first))]
        return cls([*first, *(t for t in kept if t != unknown)], unknown, " ")

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        return token in self.index

    def encode(self, text: str | Iterable[str]) -> np.ndarray[Any, Any]:
        """Numbers (T,) int64 of the tokens of a text; a list is taken as tokens.

        Raises KeyError for tokens that are not in the vocabulary, unless it has one for the unknown.
        """
        tokens = (words(text) if self.joiner else text) if isinstance(text, str) else list(text)
        other = -1 if self.unknown is None else self.index[self.unknown]
        found = np.array([self.index.get(t, other) for t in tokens], np.int64)
        if (found < 0).any():
            strange = list(dict.fromkeys(t for t, k in zip(tokens, found) if k < 0))
            raise KeyError(f"encode: expected tokens of the vocabulary; got {', '.join(map(repr, strange[:5]))}; "
                           "make it with unknown='<unk>', or of a text that has them")
        return found

    def decode(self, numbers: Any) -> str:
        """The text of numbers (T,), a Tensor, array or list."""
        return self.joiner.join([self.tokens[int(k)] for k in np.asarray(getattr(numbers, "value", numbers)).ravel()])

    def __repr__(self) -> str:
        first = [*map(repr, self.tokens[:8]), *(["..."] if len(self) > 8 else [])]
        return f"Vocabulary({len(self)} tokens: {', '.join(first)})"


def windows(tokens: Any, length: int, stride: int = 1) -> TensorDataset:
    """For a language model: sample i is (tokens[i s : i s + T], the same one further), T = length, s = stride.

    The windows share the memory of the tokens.  Raises ValueError for fewer than length + 1 tokens.
    """
    t = np.asarray(getattr(tokens, "value", tokens))
    positive(length, "windows: length")
    if t.ndim != 1 or len(t) <= length:
        raise ValueError(f"windows: expected at least length + 1 = {length + 1} tokens in a row; got shape {t.shape}")
    view = np.lib.stride_tricks.sliding_window_view(t, length + 1)[::positive(stride, "windows: stride")]
    return TensorDataset(view[:, :-1], view[:, 1:])
