"""Tables of learned vectors: one for each index, or for each bag of indices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from autograd import Parameter, ShapeError, as_tensor, empty
from autograd.devices import on_cpu

from . import functional as F
from . import init
from .functional.layers import check_padding
from .linear import count
from .module import Module

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class _Table(Module):
    """The weight (num_embeddings, embedding_dim), standard normal at the start, and what is common to its use."""

    shown: tuple[str, ...] = ()

    def _prepare(self, num_embeddings: Any, embedding_dim: Any, padding_idx: int | None, max_norm: float | None,
                 norm_type: float, scale_grad_by_freq: bool, sparse: bool, given: Any, freeze: bool, device: Any,
                 dtype: Any) -> None:
        who = type(self).__name__
        on_cpu(who, device)
        self.num_embeddings = count(who, "num_embeddings", num_embeddings)
        self.embedding_dim = count(who, "embedding_dim", embedding_dim)
        self.padding_idx = check_padding(padding_idx, self.num_embeddings)
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        if given is None:
            self.weight = Parameter(empty(self.num_embeddings, self.embedding_dim, dtype=dtype),
                                    requires_grad=not freeze)
            self.reset_parameters()
        else:
            table = as_tensor(given)
            if table.shape != (self.num_embeddings, self.embedding_dim):
                raise ShapeError(f"{who}: expected a weight {(self.num_embeddings, self.embedding_dim)}; got shape "
                                 f"{table.shape}")
            self.weight = Parameter(table, requires_grad=not freeze)

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, *args: Any, **settings: Any) -> Self:
        """A table that is given, (num_embeddings, embedding_dim), and the other settings; with `freeze` not learned."""
        table = as_tensor(embeddings)
        if table.ndim != 2:
            raise ShapeError(f"{cls.__name__}.from_pretrained: expected a table (num_embeddings, embedding_dim); "
                             f"got shape {table.shape}")
        made = cls(*table.shape, *args, _weight=table, **settings)            # type: ignore[call-arg]
        made.weight.requires_grad_(not freeze)
        return made

    def reset_parameters(self) -> None:
        """Draw the table anew; the padding row is 0."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.value[self.padding_idx] = 0      # the array was made one line above: nobody else has it

    def extra_repr(self) -> str:
        default = {"padding_idx": None, "max_norm": None, "norm_type": 2, "scale_grad_by_freq": False, "sparse": False}
        set_here = [f"{name}={getattr(self, name)!r}" for name in self.shown
                    if name not in default or getattr(self, name) != default[name]]
        return ", ".join([str(self.num_embeddings), str(self.embedding_dim), *set_here])


class Embedding(_Table):
    """Rows of a table:  y[i] = weight[x[i]].

    x (any shape) integers in 0..num_embeddings-1 -> y (*x.shape, embedding_dim).  The weight, (num_embeddings,
    embedding_dim), starts standard normal; the row `padding_idx` starts at 0 and gets no gradient.  For the other
    settings see `nn.functional.embedding`.
    """

    shown = ("padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse")

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
                 max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
                 sparse: bool = False, _weight: Any = None, _freeze: bool = False, device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self._prepare(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
                      _weight, _freeze, device, dtype)

    def forward(self, input: Any) -> Any:
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)


class EmbeddingBag(_Table):
    """Sums, means or maxima of rows of a table, by bags of indices, without the rows in between.

    x (bags, size), or (n,) with offsets (bags,) that say where each bag begins -> y (bags, embedding_dim).  The weight
    starts standard normal.  For the settings see `nn.functional.embedding_bag`.
    """

    shown = ("max_norm", "norm_type", "scale_grad_by_freq", "mode", "padding_idx")

    def __init__(self, num_embeddings: int, embedding_dim: int, max_norm: float | None = None, norm_type: float = 2.0,
                 scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, _weight: Any = None,
                 include_last_offset: bool = False, padding_idx: int | None = None, device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if mode not in ("sum", "mean", "max"):
            raise ValueError(f"EmbeddingBag: mode must be 'sum', 'mean' or 'max'; got {mode!r}")
        self.mode, self.include_last_offset = mode, include_last_offset
        self._prepare(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse,
                      _weight, False, device, dtype)

    def forward(self, input: Any, offsets: Any = None, per_sample_weights: Any = None) -> Any:
        return F.embedding_bag(input, self.weight, offsets, self.max_norm, self.norm_type, self.scale_grad_by_freq,
                               self.mode, self.sparse, per_sample_weights, self.include_last_offset, self.padding_idx)
