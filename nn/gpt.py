"""A transformer that goes on writing: a decoder alone, with norms before its blocks (Radford et al. 2019)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

import autograd
from autograd import ShapeError, Tensor, default_rng, no_grad

from . import functional as F
from . import init
from .cache import KVCache
from .containers import ModuleDict, ModuleList
from .dropout import Dropout
from .embedding import Embedding
from .functional.attending import self_attention
from .functional.attention import dropout_scale
from .linear import Linear, count
from .module import Module
from .normalization import LayerNorm

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class CausalSelfAttention(Module):
    """Several heads of attention of a sequence to itself, position i looking at 0..i.

    x (N, L, n_embd) -> y (same shape).  Parameters: c_attn (3 n_embd, n_embd), rows of queries, keys, values; c_proj.
    With a `cache` x holds the new positions alone.
    """

    def __init__(self, n_embd: int, n_head: int, dropout: float = 0.0, bias: bool = True, *,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if count("CausalSelfAttention", "n_head", n_head) < 1 or n_embd % n_head:
            raise ValueError(f"CausalSelfAttention: n_embd must be divisible by n_head; got {n_embd} and {n_head}")
        self.n_head, self.dropout = n_head, dropout
        self.c_attn = Linear(n_embd, 3 * n_embd, bias, dtype=dtype)
        self.c_proj = Linear(n_embd, n_embd, bias, dtype=dtype)
        self.resid_dropout = Dropout(dropout)

    def forward(self, x: Any, cache: KVCache | None = None) -> Any:
        (batch, length, width), p = x.shape, self.dropout if self.training else 0.0
        qkv = self.c_attn(x)
        if cache is None:
            mask = np.triu(np.full((length, length), -math.inf, x.dtype), 1)
            keep = dropout_scale((batch, self.n_head, length, length), p, x.dtype)
            y = self_attention(qkv, mask, keep, heads=self.n_head)
        else:
            parts = autograd.reshape(qkv, shape=(batch, length, 3, self.n_head, width // self.n_head))
            q, k, v = autograd.unbind(autograd.permute(parts, dims=(2, 0, 3, 1, 4)))
            k, v = cache.extend(self, lambda: (k, v))
            many = k.shape[-2]
            seen = np.tril(np.ones((length, many), bool), many - length) if length > 1 else None
            y = F.scaled_dot_product_attention(q, k, v, seen, p)
            y = autograd.reshape(autograd.transpose(y, dim0=1, dim1=2), shape=(batch, length, width))
        return self.resid_dropout(self.c_proj(y))


class _MLP(Module):
    """Two linear maps, the inner four times as wide, and a gelu between."""

    def __init__(self, n_embd: int, dropout: float, bias: bool, dtype: DTypeLike | None) -> None:
        super().__init__()
        self.c_fc = Linear(n_embd, 4 * n_embd, bias, dtype=dtype)
        self.c_proj = Linear(4 * n_embd, n_embd, bias, dtype=dtype)
        self.dropout = Dropout(dropout)

    def forward(self, x: Any) -> Any:
        return self.dropout(self.c_proj(F.gelu(self.c_fc(x))))


class GPTBlock(Module):
    """x + attention(norm(x)), and then x + mlp(norm(x)), causal:  x (N, L, n_embd) -> y (same shape)."""

    def __init__(self, n_embd: int, n_head: int, dropout: float = 0.0, bias: bool = True, *,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.ln_1 = LayerNorm(n_embd, bias=bias, dtype=dtype)
        self.attn = CausalSelfAttention(n_embd, n_head, dropout, bias, dtype=dtype)
        self.ln_2 = LayerNorm(n_embd, bias=bias, dtype=dtype)
        self.mlp = _MLP(n_embd, dropout, bias, dtype)

    def forward(self, x: Any, cache: KVCache | None = None) -> Any:
        x = x + self.attn(self.ln_1(x), cache)
        return x + self.mlp(self.ln_2(x))


class GPT(Module):
    """Scores of the next token at each position:  tokens (N, L) integers -> logits (N, L, vocab_size), L <= block_size.

        model = nn.GPT(vocab_size=65, block_size=64, n_layer=4, n_head=4, n_embd=128)
        loss = nn.functional.cross_entropy(model(x).reshape(-1, 65), y.reshape(-1))      # y: x one place further
        text = model.generate(start, 200, temperature=0.8, top_k=20)

    The table of tokens is also the last linear map, without a bias.  Matrices start normal with standard deviation
    0.02, those that add to the sum of the blocks 0.02 / √(2 n_layer), biases at 0.  Names of parameters:
    "transformer.wte", "transformer.wpe", "transformer.h.0.ln_1", ..., "transformer.ln_f", "lm_head".
    Source: Radford et al. 2019, "Language Models are Unsupervised Multitask Learners".
    """

    transformer: Any

    def __init__(self, vocab_size: int, block_size: int = 1024, n_layer: int = 12, n_head: int = 12, n_embd: int = 768,
                 dropout: float = 0.0, bias: bool = True, *, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.vocab_size, self.block_size = vocab_size, count("GPT", "block_size", block_size)
        self.transformer = ModuleDict({
            "wte": Embedding(vocab_size, n_embd, dtype=dtype), "wpe": Embedding(block_size, n_embd, dtype=dtype),
            "drop": Dropout(dropout),
            "h": ModuleList(GPTBlock(n_embd, n_head, dropout, bias, dtype=dtype) for _ in range(n_layer)),
            "ln_f": LayerNorm(n_embd, bias=bias, dtype=dtype)})
        self.lm_head = Linear(n_embd, vocab_size, bias=False, dtype=dtype)
        self.lm_head.weight = self.transformer.wte.weight
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all parameters anew."""
        for name, parameter in self.named_parameters():
            if parameter.ndim > 1:
                narrow = name.endswith("c_proj.weight")
                init.normal_(parameter, 0.0, 0.02 / math.sqrt(2 * len(self.transformer.h)) if narrow else 0.02)
            elif name.endswith("bias"):
                init.zeros_(parameter)

    def forward(self, tokens: Any, cache: KVCache | None = None) -> Any:
        """With a `cache` (nn.KVCache) `tokens` are those at the new positions, and so are the logits."""
        start, parts = 0 if cache is None else cache.length, self.transformer
        if tokens.ndim != 2 or start + tokens.shape[1] > self.block_size:
            raise ShapeError(f"GPT: expected tokens (N, L), L at most block_size={self.block_size}; got shape "
                             f"{tuple(tokens.shape)}" + (f" after {start} positions" if start else ""))
        x = parts.drop(parts.wte(tokens) + parts.wpe(np.arange(start, start + tokens.shape[1])))
        for block in parts.h:
            x = block(x, cache)
        return self.lm_head(parts.ln_f(x))

    def generate(self, tokens: Any, max_new_tokens: int, temperature: float = 1.0, top_k: int | None = None) -> Tensor:
        """tokens (N, L) and what follows them, (N, L + max_new_tokens), each drawn from softmax(logits / temperature).

        temperature 0 takes the likeliest; top_k draws from the k likeliest.  From block_size tokens on, what stands
        farther back is out of sight.  Draws are from `autograd.default_rng()`; the mode of the model, training or
        evaluation, is as it was: call `eval()` first, or dropout is active.
        """
        if temperature < 0 or (top_k is not None and top_k < 1):
            raise ValueError("generate: expected temperature >= 0 and top_k >= 1 or None; got "
                             f"temperature={temperature} and top_k={top_k}")
        found = np.array(tokens.value if isinstance(tokens, Tensor) else tokens)
        if found.ndim != 2 or not found.shape[1] or found.dtype.kind not in "iu":
            raise ShapeError("generate: expected integer tokens (N, L) with at least one to start from; got "
                             f"{found.dtype} {found.shape}")
        cache, seen = KVCache(), 0
        with no_grad():
            for _ in range(max_new_tokens):
                if found.shape[1] <= self.block_size:
                    logits = self(Tensor(found[:, seen:]), cache)
                    seen = found.shape[1]
                else:                         # positions are counted from the first in sight, which is another one now
                    logits = self(Tensor(found[:, -self.block_size:]))
                token = _drawn(logits[:, -1].numpy(), temperature, top_k)
                found = np.concatenate([found, token[:, None].astype(found.dtype)], axis=1)
        return Tensor(found)


def _drawn(logits: Any, temperature: float, top_k: int | None) -> Any:
    """One index of each row of (N, C), with the probabilities softmax(logits / temperature)."""
    logits = logits.astype(np.float64)
    if not temperature:
        return logits.argmax(-1)
    if top_k is not None and top_k < logits.shape[-1]:
        least = np.partition(logits, -top_k, axis=-1)[:, -top_k, None]
        logits = np.where(logits < least, -math.inf, logits)
    shares = np.exp((logits - logits.max(-1, keepdims=True)) / temperature).cumsum(-1)
    place = default_rng().random((len(logits), 1)) * shares[:, -1:]
    return (shares <= place).sum(-1).clip(max=logits.shape[-1] - 1)
