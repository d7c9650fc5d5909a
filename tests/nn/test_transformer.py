"""Transformers: masks hide what they say they hide, norms stand where they are told, copies are copies."""

from __future__ import annotations

import numpy as np
import pytest

import autograd as ag
import nn
import optim
from autograd import ShapeError, Tensor, gradcheck
from nn.transformer import (
    Transformer,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def encoder_layer(**more):
    return TransformerEncoderLayer(6, 2, 8, **{"dropout": 0.0, "batch_first": True, **more}).double()


def decoder_layer(**more):
    return TransformerDecoderLayer(6, 2, 8, **{"dropout": 0.0, "batch_first": True, **more}).double()


def values(x):
    return x.detach().numpy()


@pytest.mark.parametrize("before", [False, True])
def test_the_layer_written_out(before):
    layer, x = encoder_layer(norm_first=before), Tensor(drawn(2, 5, 6))
    look = lambda v: layer.self_attn(v, v, v)[0]
    feed = lambda v: layer.linear2(layer.linear1(v).relu())
    if before:
        y = x + look(layer.norm1(x))
        y = y + feed(layer.norm2(y))
    else:
        y = layer.norm1(x + look(x))
        y = layer.norm2(y + feed(y))
    assert np.allclose(values(layer(x)), values(y))
    assert gradcheck(layer, (Tensor(drawn(1, 3, 6), requires_grad=True),))


def test_causal_mask_hides_the_future():
    mask = Transformer.generate_square_subsequent_mask(5, dtype=np.float64)
    assert np.isneginf(mask.numpy()[np.triu_indices(5, 1)]).all() and not np.tril(mask.numpy()).any()
    x = drawn(2, 5, 6)
    y = x.copy()
    y[:, 3:] = 7.0
    for layer in (encoder_layer(), encoder_layer(norm_first=True)):
        run = lambda v, layer=layer: values(layer(Tensor(v), mask, is_causal=True))
        assert np.allclose(run(x)[:, :3], run(y)[:, :3]) and not np.allclose(run(x)[:, 3:], run(y)[:, 3:])
    layer, memory = decoder_layer(), Tensor(drawn(2, 4, 6, seed=1))
    run = lambda v: values(layer(Tensor(v), memory, mask, tgt_is_causal=True))
    assert np.allclose(run(x)[:, :3], run(y)[:, :3])


def test_padding_is_not_looked_at():
    x, padding = drawn(2, 5, 6), np.arange(5) >= np.array([[3], [5]])
    y = x.copy()
    y[0, 3:] = 7.0
    layer = TransformerEncoder(encoder_layer(), 2)
    run = lambda v: values(layer(Tensor(v), src_key_padding_mask=Tensor(padding)))
    assert np.allclose(run(x)[0, :3], run(y)[0, :3]) and np.allclose(run(x)[1], run(y)[1])
    assert np.allclose(run(x)[0, :3], values(layer(Tensor(x[:1, :3])))[0])        # as if it were not there
    decoder, target = decoder_layer(), Tensor(drawn(2, 4, 6, seed=1))
    run = lambda v: values(decoder(target, Tensor(v), memory_key_padding_mask=Tensor(padding)))
    assert np.allclose(run(x), run(y))


def test_masks_of_both_kinds_go_together():
    layer, x = encoder_layer(), Tensor(drawn(2, 5, 6))
    causal, padding = np.triu(np.ones((5, 5), bool), 1), np.arange(5) >= np.array([[3], [5]])
    floats = Tensor(np.where(causal, -np.inf, 0.0))
    a = layer(x, Tensor(causal), Tensor(padding))
    assert np.allclose(values(a), values(layer(x, floats, Tensor(padding))))
    assert np.allclose(values(a), values(layer(x, Tensor(causal), Tensor(np.where(padding, -np.inf, 0.0)))))


def test_without_positions_order_does_not_matter():
    layer, x, order = TransformerEncoder(encoder_layer(), 2), drawn(1, 5, 6), [3, 0, 4, 1, 2]
    assert np.allclose(values(layer(Tensor(x)))[:, order], values(layer(Tensor(x[:, order]))))


def test_batch_first_and_single_sequences():
    layer, x, memory = decoder_layer(), drawn(2, 5, 6), drawn(2, 4, 6, seed=1)
    out = values(layer(Tensor(x), Tensor(memory)))
    assert np.allclose(values(layer(Tensor(x[0]), Tensor(memory[0]))), out[0])
    other = decoder_layer(batch_first=False)
    other.load_state_dict(layer.state_dict())
    turned = values(other(Tensor(x.swapaxes(0, 1)), Tensor(memory.swapaxes(0, 1))))
    assert np.allclose(turned.swapaxes(0, 1), out)


def test_stacks_hold_copies():
    layer = encoder_layer()
    stack = TransformerEncoder(layer, 3, nn.LayerNorm(6).double())
    first, last = stack.layers[0], stack.layers[2]
    assert np.array_equal(first.linear1.weight.value, last.linear1.weight.value)
    assert len({id(m.linear1.weight) for m in (layer, *stack.layers)}) == 4 and len(list(stack.parameters())) == 38
    (stack(Tensor(drawn(2, 5, 6))) * Tensor(drawn(2, 5, 6, seed=1))).sum().backward()
    assert layer.linear1.weight.grad is None
    assert not np.allclose(first.linear1.weight.grad.numpy(), last.linear1.weight.grad.numpy())
    decoder = TransformerDecoder(decoder_layer(), 2)
    assert decoder(Tensor(drawn(2, 5, 6)), Tensor(drawn(2, 3, 6))).shape == (2, 5, 6)


def test_activation_and_bias():
    x = Tensor(drawn(2, 5, 6))
    a, b = encoder_layer(activation="gelu"), encoder_layer(activation=nn.functional.gelu)
    b.load_state_dict(a.state_dict())
    assert np.array_equal(values(a(x)), values(b(x)))
    c = encoder_layer(activation=nn.Tanh())
    assert "activation" in dict(c.named_children()) and c(x).shape == x.shape
    assert not [name for name in encoder_layer(bias=False).state_dict() if "bias" in name]
    with pytest.raises(RuntimeError, match="activation should be relu/gelu"):
        encoder_layer(activation="tanh")


def test_whole_transformer():
    ag.manual_seed(0)
    model = Transformer(8, 2, 1, 2, 16, batch_first=True)
    assert (model.d_model, model.nhead, model.batch_first) == (8, 2, True)
    assert len(model.encoder.layers) == 1 and len(model.decoder.layers) == 2
    bound = np.sqrt(6 / (8 + 16))
    assert 0.8 < np.abs(model.encoder.layers[0].linear1.weight.value).max() / bound <= 1
    src, tgt = Tensor(drawn(2, 5, 8).astype(np.float32)), Tensor(drawn(2, 4, 8).astype(np.float32))
    a, b = values(model(src, tgt)), values(model(src, tgt))
    assert not np.allclose(a, b)              # dropout
    model.eval()
    assert np.array_equal(values(model(src, tgt)), values(model(src, tgt)))
    with pytest.raises(ShapeError, match="batch number of src and tgt must be equal"):
        model(src, tgt[:1])
    with pytest.raises(ShapeError, match="must be equal to d_model, 8"):
        model(src, tgt[..., :4])
    custom = Transformer(8, 2, custom_encoder=nn.Identity(), num_decoder_layers=1, dim_feedforward=8, batch_first=True)
    assert isinstance(custom.encoder, nn.Identity)


def test_it_learns_to_copy_the_token_before():
    ag.manual_seed(0)
    rng = np.random.default_rng(0)
    table, head = nn.Embedding(5, 16), nn.Linear(16, 5)
    layer = TransformerEncoderLayer(16, 2, 16, 0.0, batch_first=True)
    place = nn.Parameter(ag.randn(6, 16) * 0.5)
    optimizer = optim.Adam([*table.parameters(), *head.parameters(), *layer.parameters(), place], lr=2e-2)
    mask = Transformer.generate_square_subsequent_mask(6)
    losses = []
    for _ in range(60):
        tokens = rng.integers(0, 5, (16, 6))
        logits = head(layer(table(Tensor(tokens)) + place, mask, is_causal=True))
        loss = nn.functional.cross_entropy(logits[:, 1:].reshape(-1, 5), Tensor(tokens[:, :-1].reshape(-1)))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[0] > 1.4 and np.mean(losses[-5:]) < 0.2
