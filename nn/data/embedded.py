"""Small real data sets that come with scikit-learn, as arrays that a network takes."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np


class Table(NamedTuple):
    """x (N, ...) float32; y (N,) int64 classes or float32 quantities; their names."""

    x: np.ndarray[Any, Any]
    y: np.ndarray[Any, Any]
    features: tuple[str, ...]
    classes: tuple[str, ...]

    @property
    def xy(self) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """x and y alone:  x, y = nn.data.digits().xy"""
        return self.x, self.y


def _load(name: str) -> Any:
    try:
        from sklearn import datasets
    except ImportError as error:
        raise ImportError(f'{name} comes with scikit-learn; install it with: pip install "glassgrad[demo]"') from error
    return getattr(datasets, f"load_{name}")()


def digits() -> Table:
    """1,797 handwritten digits: x (1797, 1, 8, 8) from 0 to 1; the second half was written by other people."""
    found = _load("digits")
    x = (found.images / 16).astype(np.float32)[:, None]
    return Table(x, found.target.astype(np.int64), (), tuple(map(str, range(10))))


def iris() -> Table:
    """150 flowers of three species: x (150, 4) in cm."""
    return _table("iris")


def wine() -> Table:
    """178 wines of three cultivars: x (178, 13), chemical analyses in their own units."""
    return _table("wine")


def breast_cancer() -> Table:
    """569 tumours, malignant (0) or benign (1): x (569, 30), measures of cell nuclei in their own units."""
    return _table("breast_cancer")


def diabetes() -> Table:
    """442 patients: x (442, 10), centred and scaled; y, the progression of the disease after a year."""
    found = _load("diabetes")
    return Table(found.data.astype(np.float32), found.target.astype(np.float32), tuple(found.feature_names), ())


def _table(name: str) -> Table:
    found = _load(name)
    return Table(found.data.astype(np.float32), found.target.astype(np.int64), tuple(map(str, found.feature_names)),
                 tuple(map(str, found.target_names)))
