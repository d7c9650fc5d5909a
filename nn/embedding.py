"""A table of learned vectors."""

from __future__ import annotations

from typing import Any, Self

from numpy.typing import DTypeLike

from autograd import Parameter, ShapeError, as_tensor, empty

from . import functional as F
from . import init
from .functional.layers import check_padding
from .linear import count
from .module import Module


class Embedding(Module):
    """Rows of a table:  y[i] = weight[x[i]].

    x (any shape) integers in 0..num_embeddings-1 -> y (*x.shape, embedding_dim).  The weight, (num_embeddings,
    embedding_dim), starts standard normal; the row `padding_idx` starts at 0 and gets no gradient.  For the other
    settings see `nn.functional.embedding`.
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None,
                 max_norm: float | None = None, norm_type: float = 2.0, scale_grad_by_freq: bool = False,
                 sparse: bool = False, *, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.num_embeddings = count("Embedding", "num_embeddings", num_embeddings)
        self.embedding_dim = count("Embedding", "embedding_dim", embedding_dim)
        self.padding_idx = check_padding(padding_idx, self.num_embeddings)
        self.max_norm, self.norm_type = max_norm, norm_type
        self.scale_grad_by_freq, self.sparse = scale_grad_by_freq, sparse
        self.weight = Parameter(empty(self.num_embeddings, self.embedding_dim, dtype=dtype))
        self.reset_parameters()

    @classmethod
    def from_pretrained(cls, embeddings: Any, freeze: bool = True, padding_idx: int | None = None,
                        **settings: Any) -> Self:
        """A table that is given, (num_embeddings, embedding_dim); with `freeze` it is not learned."""
        table = as_tensor(embeddings)
        if table.ndim != 2:
            raise ShapeError("Embedding.from_pretrained: expected a table (num_embeddings, embedding_dim); "
                             f"got shape {table.shape}")
        made = cls(0, table.shape[1], dtype=table.dtype, **settings)
        made.num_embeddings, made.padding_idx = table.shape[0], check_padding(padding_idx, table.shape[0])
        made.weight = Parameter(table, requires_grad=not freeze)
        return made

    def reset_parameters(self) -> None:
        """Draw the table anew."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.value[self.padding_idx] = 0      # the array was made one line above: nobody else has it

    def forward(self, input: Any) -> Any:
        return F.embedding(input, self.weight, self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq)

    def extra_repr(self) -> str:
        default = {"padding_idx": None, "max_norm": None, "norm_type": 2, "scale_grad_by_freq": False, "sparse": False}
        set_here = [f"{name}={getattr(self, name)}" for name, value in default.items() if getattr(self, name) != value]
        return ", ".join([str(self.num_embeddings), str(self.embedding_dim), *set_here])
