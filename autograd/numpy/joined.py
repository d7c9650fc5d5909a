"""`np.r_[x, 0.0, 1:3]` and `np.c_[x, y]` with Tensors among what they join."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..ops import reshape
from ..protocols.arguments import array
from ..tensor import Tensor


class _Rows:
    """Joined along the first axis, numbers and ranges as vectors."""

    plain: Any = np.r_

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        if not any(isinstance(p, (Tensor, list)) for p in parts):
            return self.plain[key]
        if any(isinstance(p, str) for p in parts):
            raise TypeError(f"{parts[0]!r} in np.r_[...] with Tensors: use np.concatenate or np.stack")
        return self.join([np.r_[p] if isinstance(p, slice) else array(p) for p in parts])

    def join(self, parts: list[Any]) -> Any:
        return np.concatenate([np.atleast_1d(p) for p in parts])


class _Columns(_Rows):
    """Joined along the last axis, vectors as columns."""

    plain = np.c_

    def join(self, parts: list[Any]) -> Any:
        return np.concatenate([p if p.ndim > 1 else reshape(p, shape=(-1, 1)) for p in parts], axis=-1)


r_, c_ = _Rows(), _Columns()
