"""The one device there is, so that programs which name one run: `x.to(device)`, `zeros(3, device="cpu")`."""

from __future__ import annotations

from typing import Any


class device:
    """Where a tensor lies: device("cpu").  Equal to its name; another can be named, and nothing can be put there."""

    __slots__ = ("index", "type")

    def __init__(self, type: Any = "cpu", index: int | None = None) -> None:
        name, _, number = str(type).partition(":")
        if not name.isidentifier() or (number and not number.isdigit()):
            raise ValueError(f"device: expected a name such as 'cpu' or 'cuda:0'; got {type!r}")
        self.type, self.index = name, int(number) if number else index

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type={self.type!r}" + (")" if self.index is None else f", index={self.index})")

    def __eq__(self, other: object) -> bool:
        return str(self) == str(other) if isinstance(other, (device, str)) else NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))


CPU = device("cpu")
DEVICES = ("cpu", "cuda", "mps", "xpu", "gpu")     # names that are no dtype


def on_cpu(who: str, given: Any) -> None:
    """RuntimeError for a device that is not the CPU: there is no other."""
    if given is not None and str(given).partition(":")[0] != "cpu":
        raise RuntimeError(f"{who}: everything is computed on the CPU here; leave device={str(given)!r} out, or say "
                           "device = 'cuda' if autograd.cuda.is_available() else 'cpu'")
