"""Images as sequences of patches (Dosovitskiy et al. 2021)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import autograd
from autograd import Parameter, ShapeError, empty, zeros

from . import init
from .activation import GELU
from .attention import MultiheadAttention
from .containers import Sequential
from .convolution import Conv2d
from .dropout import Dropout
from .linear import Linear
from .module import Module
from .normalization import LayerNorm

if TYPE_CHECKING:
    from numpy.typing import DTypeLike


class PatchEmbedding(Conv2d):
    """Each patch of an image through one linear map:  x (N, C, H, W) -> y (N, patches, embed_dim), patches row by row.

    A convolution whose stride is its kernel_size, and its result laid out as a sequence.  Raises ShapeError for images
    that do not divide into patches.
    """

    def __init__(self, in_channels: int, embed_dim: int, patch_size: int | Sequence[int], bias: bool = True, *,
                 dtype: DTypeLike | None = None) -> None:
        size: Any = patch_size if isinstance(patch_size, int) else tuple(patch_size)
        super().__init__(in_channels, embed_dim, size, size, bias=bias, dtype=dtype)

    def forward(self, input: Any) -> Any:
        size: Any = self.kernel_size
        if input.ndim != 4 or input.shape[2] % size[0] or input.shape[3] % size[1]:
            raise ShapeError(f"PatchEmbedding: expected images (N, C, H, W), H and W multiples of {size[0]} and "
                             f"{size[1]}; got shape {tuple(input.shape)}")
        return autograd.transpose(autograd.flatten(super().forward(input), 2), 1, 2)


class ViTBlock(Module):
    """x + attention(norm(x)), and then x + mlp(norm(x)), all looking at all:  x (N, L, width) -> y (same shape)."""

    def __init__(self, num_heads: int, hidden_dim: int, mlp_dim: int, dropout: float = 0.0,
                 attention_dropout: float = 0.0, *, dtype: DTypeLike | None = None) -> None:
        super().__init__()
        self.ln_1 = LayerNorm(hidden_dim, 1e-6, dtype=dtype)
        self.self_attention = MultiheadAttention(hidden_dim, num_heads, attention_dropout, batch_first=True,
                                                 dtype=dtype)
        self.dropout = Dropout(dropout)
        self.ln_2 = LayerNorm(hidden_dim, 1e-6, dtype=dtype)
        self.mlp = Sequential(Linear(hidden_dim, mlp_dim, dtype=dtype), GELU(), Dropout(dropout),
                              Linear(mlp_dim, hidden_dim, dtype=dtype), Dropout(dropout))
        for layer in (self.mlp[0], self.mlp[3]):
            init.xavier_uniform_(layer.weight)
            init.normal_(layer.bias, 0.0, 1e-6)

    def forward(self, input: Any) -> Any:
        x = self.ln_1(input)
        x = input + self.dropout(self.self_attention(x, x, x, need_weights=False)[0])
        return x + self.mlp(self.ln_2(x))


class _Encoder(Module):
    """Learned positions, the blocks, and a norm."""

    def __init__(self, length: int, layers: int, heads: int, width: int, mlp_dim: int, dropout: float,
                 attention_dropout: float, dtype: DTypeLike | None) -> None:
        super().__init__()
        self.pos_embedding = Parameter(empty(1, length, width, dtype=dtype))
        init.normal_(self.pos_embedding, 0.0, 0.02)
        self.dropout = Dropout(dropout)
        self.layers = Sequential()
        for i in range(layers):
            self.layers.add_module(f"encoder_layer_{i}",
                                   ViTBlock(heads, width, mlp_dim, dropout, attention_dropout, dtype=dtype))
        self.ln = LayerNorm(width, 1e-6, dtype=dtype)

    def forward(self, input: Any) -> Any:
        return self.ln(self.layers(self.dropout(input + self.pos_embedding)))


class VisionTransformer(Module):
    """Scores of classes for images:  x (N, in_channels, image_size, image_size) -> logits (N, num_classes).

    Patches and a learned token before them go through the blocks; a linear map, which starts at 0, reads the token.
    Names of parameters: "class_token", "conv_proj", "encoder.pos_embedding",
    "encoder.layers.encoder_layer_0.ln_1", ..., "encoder.ln", "heads.head".
    """

    def __init__(self, image_size: int, patch_size: int, num_layers: int, num_heads: int, hidden_dim: int, mlp_dim: int,
                 dropout: float = 0.0, attention_dropout: float = 0.0, num_classes: int = 1000, in_channels: int = 3, *,
                 dtype: DTypeLike | None = None) -> None:
        super().__init__()
        if image_size % patch_size:
            raise ValueError(f"VisionTransformer: image_size must be a multiple of patch_size; got {image_size} and "
                             f"{patch_size}")
        self.image_size, self.patch_size = image_size, patch_size
        self.class_token = Parameter(zeros(1, 1, hidden_dim, dtype=dtype))
        self.conv_proj = PatchEmbedding(in_channels, hidden_dim, patch_size, dtype=dtype)
        init.trunc_normal_(self.conv_proj.weight, 0.0, (in_channels * patch_size ** 2) ** -0.5)
        self.encoder = _Encoder(1 + (image_size // patch_size) ** 2, num_layers, num_heads, hidden_dim, mlp_dim,
                                dropout, attention_dropout, dtype)
        self.heads = Sequential()
        head = Linear(hidden_dim, num_classes, dtype=dtype)
        self.heads.add_module("head", head)
        for parameter in (self.conv_proj.bias, head.weight, head.bias):
            assert parameter is not None
            init.zeros_(parameter)

    def forward(self, x: Any) -> Any:
        if tuple(x.shape[2:]) != (self.image_size,) * 2:
            raise ShapeError(f"VisionTransformer: expected images (N, C, {self.image_size}, {self.image_size}); got "
                             f"shape {tuple(x.shape)}")
        patches = self.conv_proj(x)
        token = autograd.expand(self.class_token, shape=(patches.shape[0], 1, patches.shape[2]))
        return self.heads(self.encoder(autograd.cat([token, patches], 1))[:, 0])
