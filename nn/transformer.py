"""The transformer (Vaswani et al. 2017): layers of attention and of two linear maps, encoder, decoder, and both."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

import autograd
from autograd import ShapeError, Tensor
from autograd.promotion import get_default_dtype

from . import functional as F
from . import init
from .attention import MultiheadAttention
from .containers import ModuleList
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

    from .cache import KVCache

Activation = str | Callable[[Any], Any]


def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: DTypeLike | None = None) -> Tensor:
    """(sz, sz): -inf above the diagonal and 0 elsewhere; added to scores, position i looks at 0..i only."""
    return Tensor(np.triu(np.full((sz, sz), -np.inf), 1).astype(get_default_dtype() if dtype is None else dtype))


def _function(activation: Activation) -> Callable[[Any], Any]:
    if not isinstance(activation, str):
        return activation
    if activation not in ("relu", "gelu"):
        raise RuntimeError(f"activation should be relu/gelu, or a function; not {activation!r}")
    return F.relu if activation == "relu" else F.gelu


def _mask(mask: Any, other: Any, dtype: Any) -> Any:
    """A mask of bools as one of floats where the other is of floats, so that they can be added."""
    if mask is None or other is None or mask.dtype.kind != "b" or other.dtype.kind == "b":
        return mask
    return autograd.where(mask, dtype.type(-np.inf), dtype.type(0))


class _Layer(Module):
    """What the two kinds of layer share: self-attention, and the network of two linear maps, each behind a norm or
    before it (norm_first: Xiong et al. 2020)."""

    self_attn: MultiheadAttention
    multihead_attn: MultiheadAttention
    norm1: LayerNorm
    norm2: LayerNorm
    norm3: LayerNorm
    dropout1: Dropout
    dropout2: Dropout
    dropout3: Dropout

    def __init__(self, norms: int, d_model: int, nhead: int, dim_feedforward: int, dropout: float,
                 activation: Activation, layer_norm_eps: float, batch_first: bool, norm_first: bool, bias: bool,
                 dtype: DTypeLike | None) -> None:
        super().__init__()
        for name in ("self_attn", "multihead_attn")[:norms - 1]:
            setattr(self, name, MultiheadAttention(d_model, nhead, dropout, bias, batch_first=batch_first, dtype=dtype))
        self.linear1 = Linear(d_model, dim_feedforward, bias, dtype=dtype)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias, dtype=dtype)
        self.norm_first = norm_first
        for k in range(1, norms + 1):
            setattr(self, f"norm{k}", LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype))
        for k in range(1, norms + 1):
            setattr(self, f"dropout{k}", Dropout(dropout))
        self.activation = _function(activation)

    def _around(self, x: Any, norm: Module, block: Callable[..., Any], *args: Any) -> Any:
        """x + block(norm(x)), or norm(x + block(x))."""
        return x + block(norm(x), *args) if self.norm_first else norm(x + block(x, *args))

    def _sa_block(self, x: Any, attn_mask: Any, key_padding_mask: Any, is_causal: bool = False,
                  cache: KVCache | None = None) -> Any:
        out = self.self_attn(x, x, x, attn_mask=attn_mask, key_padding_mask=key_padding_mask, need_weights=False,
                             is_causal=is_causal, cache=cache)[0]
        return self.dropout1(out)

    def _feed(self, x: Any) -> Any:
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class TransformerEncoderLayer(_Layer):
    """Self-attention, then two linear maps, each added to its input and normalised:  src -> src (same shape).

    src (L, N, d_model), with batch_first (N, L, d_model), or (L, d_model).  src_mask (L, L) or (N heads, L, L),
    src_key_padding_mask (N, L): True, or -inf, for what must not be looked at.  With a `cache` (nn.KVCache) src holds
    the positions that are new, and is_causal, or src_mask (L, length so far with them), says what they look at.
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
                 activation: Activation = F.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
                 norm_first: bool = False, bias: bool = True, device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(2, d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
                         norm_first, bias, dtype)

    def forward(self, src: Any, src_mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool = False, *,
                cache: KVCache | None = None) -> Any:
        padding = _mask(src_key_padding_mask, src_mask, src.dtype)
        mask = _mask(src_mask, src_key_padding_mask, src.dtype)
        x = self._around(src, self.norm1, self._sa_block, mask, padding, is_causal, cache)
        return self._around(x, self.norm2, self._ff_block)

    def _ff_block(self, x: Any) -> Any:
        return self.dropout2(self._feed(x))


class TransformerDecoderLayer(_Layer):
    """Self-attention, attention to the memory, then two linear maps, each added to its input and normalised.

    tgt (T, N, d_model), memory (S, N, d_model), with batch_first (N, T, d_model), or without N -> like tgt.  Masks as
    in `TransformerEncoderLayer`; memory_mask (T, S), memory_key_padding_mask (N, S).  With a `cache` (nn.KVCache) tgt
    holds the positions that are new; the memory is that of the first call.
    """

    def __init__(self, d_model: int, nhead: int, dim_feedforward: int = 2048, dropout: float = 0.1,
                 activation: Activation = F.relu, layer_norm_eps: float = 1e-5, batch_first: bool = False,
                 norm_first: bool = False, bias: bool = True, device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__(3, d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first,
                         norm_first, bias, dtype)

    def forward(self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None,
                tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None, tgt_is_causal: bool = False,
                memory_is_causal: bool = False, *, cache: KVCache | None = None) -> Any:
        x = self._around(tgt, self.norm1, self._sa_block, _mask(tgt_mask, tgt_key_padding_mask, tgt.dtype),
                         _mask(tgt_key_padding_mask, tgt_mask, tgt.dtype), tgt_is_causal, cache)
        x = self._around(x, self.norm2, self._mha_block, memory, _mask(memory_mask, memory_key_padding_mask, tgt.dtype),
                         _mask(memory_key_padding_mask, memory_mask, tgt.dtype), memory_is_causal, cache)
        return self._around(x, self.norm3, self._ff_block)

    def _mha_block(self, x: Any, mem: Any, attn_mask: Any, key_padding_mask: Any, is_causal: bool = False,
                   cache: KVCache | None = None) -> Any:
        memory = None if cache is None else cache.memory
        out = self.multihead_attn(x, mem, mem, attn_mask=attn_mask, key_padding_mask=key_padding_mask,
                                  need_weights=False, is_causal=is_causal, cache=memory)[0]
        return self.dropout2(out)

    def _ff_block(self, x: Any) -> Any:
        return self.dropout3(self._feed(x))


class TransformerEncoder(Module):
    """num_layers copies of an encoder layer, one after the other, and a norm behind them if one is given.

    All start with the same parameters: initialise them anew, as `Transformer` does.  enable_nested_tensor and
    mask_check are PyTorch's, for a way of computing that is not taken here, and change nothing.
    """

    def __init__(self, encoder_layer: Module, num_layers: int, norm: Module | None = None,
                 enable_nested_tensor: bool = True, mask_check: bool = True) -> None:
        super().__init__()
        self.layers = _copies(encoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm
        self.enable_nested_tensor, self.mask_check = enable_nested_tensor, mask_check

    def forward(self, src: Any, mask: Any = None, src_key_padding_mask: Any = None, is_causal: bool | None = None, *,
                cache: KVCache | None = None) -> Any:
        mask, padding = _mask(mask, src_key_padding_mask, src.dtype), _mask(src_key_padding_mask, mask, src.dtype)
        for layer in self.layers:
            src = layer(src, src_mask=mask, is_causal=bool(is_causal), src_key_padding_mask=padding, **_given(cache))
        return src if self.norm is None else self.norm(src)


class TransformerDecoder(Module):
    """num_layers copies of a decoder layer, one after the other, and a norm behind them if one is given.

    All start with the same parameters: initialise them anew, as `Transformer` does.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None) -> None:
        super().__init__()
        self.layers = _copies(decoder_layer, num_layers)
        self.num_layers, self.norm = num_layers, norm

    def forward(self, tgt: Any, memory: Any, tgt_mask: Any = None, memory_mask: Any = None,
                tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
                tgt_is_causal: bool | None = None, memory_is_causal: bool = False, *,
                cache: KVCache | None = None) -> Any:
        for layer in self.layers:
            tgt = layer(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                        tgt_key_padding_mask=tgt_key_padding_mask, memory_key_padding_mask=memory_key_padding_mask,
                        tgt_is_causal=bool(tgt_is_causal), memory_is_causal=memory_is_causal, **_given(cache))
        return tgt if self.norm is None else self.norm(tgt)


def _given(cache: KVCache | None) -> dict[str, Any]:
    """For layers of other kinds, which need not know what a cache is."""
    return {} if cache is None else {"cache": cache}


def _copies(layer: Module, n: int) -> ModuleList:
    return ModuleList([copy.deepcopy(layer) for _ in range(n)])


class Transformer(Module):
    """Encoder and decoder, each with a norm at its end:  src (S, N, d_model), tgt (T, N, d_model) -> like tgt.

    With batch_first (N, S, d_model); without N also.  Masks as in the layers.  Matrices start as Glorot's uniform.
    """

    encoder: Any
    decoder: Any

    def __init__(self, d_model: int = 512, nhead: int = 8, num_encoder_layers: int = 6, num_decoder_layers: int = 6,
                 dim_feedforward: int = 2048, dropout: float = 0.1, activation: Activation = F.relu,
                 custom_encoder: Any = None, custom_decoder: Any = None, layer_norm_eps: float = 1e-5,
                 batch_first: bool = False, norm_first: bool = False, bias: bool = True, device: Any = None,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        settings = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias)
        kind: Any
        for name, custom, kind, stack, n in (
                ("encoder", custom_encoder, TransformerEncoderLayer, TransformerEncoder, num_encoder_layers),
                ("decoder", custom_decoder, TransformerDecoderLayer, TransformerDecoder, num_decoder_layers)):
            if custom is None:
                norm = LayerNorm(d_model, layer_norm_eps, bias=bias, dtype=dtype)
                custom = stack(kind(*settings, dtype=dtype), n, norm)
            setattr(self, name, custom)
        self._reset_parameters()
        self.d_model, self.nhead, self.batch_first = d_model, nhead, batch_first

    def _reset_parameters(self) -> None:
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    generate_square_subsequent_mask = staticmethod(generate_square_subsequent_mask)

    def forward(self, src: Any, tgt: Any, src_mask: Any = None, tgt_mask: Any = None, memory_mask: Any = None,
                src_key_padding_mask: Any = None, tgt_key_padding_mask: Any = None, memory_key_padding_mask: Any = None,
                src_is_causal: bool | None = None, tgt_is_causal: bool | None = None,
                memory_is_causal: bool = False) -> Any:
        lane = 0 if self.batch_first else 1
        if src.ndim == 3 and tgt.ndim == 3 and src.shape[lane] != tgt.shape[lane]:
            raise ShapeError("Transformer: the batch number of src and tgt must be equal; got "
                             f"{tuple(src.shape)} and {tuple(tgt.shape)}, batches on axis {lane}")
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise ShapeError("Transformer: the feature number of src and tgt must be equal to d_model, "
                             f"{self.d_model}; got {tuple(src.shape)} and {tuple(tgt.shape)}")
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(tgt, memory, tgt_mask=tgt_mask, memory_mask=memory_mask,
                            tgt_key_padding_mask=tgt_key_padding_mask, memory_key_padding_mask=memory_key_padding_mask,
                            tgt_is_causal=tgt_is_causal, memory_is_causal=memory_is_causal)
