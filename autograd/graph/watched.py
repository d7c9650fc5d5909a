"""The inputs of a traced function: tensors that notice when a function of the library looks at their values itself."""

from __future__ import annotations

import sys
from functools import cache
from os import sep
from os.path import dirname
from typing import Any

from ..modes import current
from ..tensor import Tensor, stub_of, wrap

_HOME = dirname(dirname(dirname(__file__)))
_FUNCTIONS = tuple(f"{_HOME}{sep}{part}{sep}" for part in (f"autograd{sep}ops", "nn"))
_VALUE: Any = Tensor.__dict__["value"]


@cache
def _looks(file: str) -> bool:
    """Whether what reads a value there does so beside the ops, and not to run one."""
    return file.startswith(_FUNCTIONS)


class Watched(Tensor):
    """A tensor whose values an open recording knows to have been looked at: labels that are checked, say."""

    __slots__ = ()

    @property
    def value(self) -> Any:
        """The array."""
        mode = current()
        if mode is not None and mode.recorder is not None and _looks(sys._getframe(1).f_code.co_filename):
            mode.recorder.taken_out(self)
        return _VALUE.__get__(self)

    @value.setter
    def value(self, value: Any) -> None:
        _VALUE.__set__(self, value)


def watched(tensor: Tensor) -> Tensor:
    """The same leaf, watched."""
    made = wrap(tensor.value, Watched)
    made.node = tensor.node
    if tensor.node is None:
        made.stub = stub_of(tensor)
    return made
