"""Attention: what it is in closed form, masks, one op against a composition, and where a sequence stands."""

from __future__ import annotations

import math

import numpy as np
import pytest

import autograd as ag
from autograd import ShapeError, Tensor, gradcheck, gradgradcheck, gradients
from nn import functional as F
from nn.attention import MultiheadAttention
from nn.functional import attending
from nn.positions import (
    LearnedPositionalEncoding,
    PositionalEncoding,
    RotaryPositionalEncoding,
    alibi,
    sinusoidal_positions,
)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def leaf(*shape, seed=0):
    return Tensor(drawn(*shape, seed=seed), requires_grad=True)


def plain(q, k, v, mask=None, scale=None):
    """Attention as the formula has it."""
    scores = q @ k.swapaxes(-1, -2) * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    scores = scores if mask is None else np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True) @ v


# -- scaled_dot_product_attention ------------------------------------------------------------------------


@pytest.mark.parametrize("lead", [(), (2,), (2, 3)])
def test_formula(lead):
    q, k, v = drawn(*lead, 4, 5), drawn(*lead, 6, 5, seed=1), drawn(*lead, 6, 2, seed=2)
    assert np.allclose(F.scaled_dot_product_attention(Tensor(q), Tensor(k), Tensor(v)).numpy(), plain(q, k, v))
    assert np.allclose(F.scaled_dot_product_attention(q, k, v, scale=0.1), plain(q, k, v, scale=0.1))
    mask = np.random.default_rng(0).random((4, 6)) < 0.6
    mask[:, 0] = True
    assert np.allclose(F.scaled_dot_product_attention(q, k, v, mask), plain(q, k, v, mask))
    assert np.allclose(F.scaled_dot_product_attention(q, k, v, drawn(4, 6)), plain(q, k, v, drawn(4, 6)))
    causal = np.tril(np.ones((4, 6), bool))
    assert np.allclose(F.scaled_dot_product_attention(q, k, v, is_causal=True), plain(q, k, v, causal))


def test_equal_keys_give_the_mean_and_one_large_score_one_value():
    v = drawn(6, 2)
    assert np.allclose(F.scaled_dot_product_attention(drawn(4, 5), np.ones((6, 5)), v), v.mean(0))
    sharp = F.scaled_dot_product_attention(100 * np.eye(6), 100 * np.eye(6), v)
    assert np.allclose(sharp, v)


def test_a_row_that_may_look_at_nothing_is_0_with_gradient_0():
    mask = np.ones((3, 4), bool)
    mask[1] = False
    q, k, v = leaf(3, 2), leaf(4, 2, seed=1), leaf(4, 2, seed=2)
    out = F.scaled_dot_product_attention(q, k, v, Tensor(mask))
    out.sum().backward()
    assert not out.detach().numpy()[1].any() and not q.grad.numpy()[1].any() and np.isfinite(k.grad.numpy()).all()


@pytest.mark.parametrize("mask", [None, "bool", "float", "blind"])
def test_rules_against_differences(mask):
    given = {"bool": np.tril(np.ones((3, 4), bool)), "float": drawn(2, 3, 4, seed=5),
             "blind": np.arange(3)[:, None] > np.zeros(4)}.get(mask)
    f = lambda q, k, v: F.scaled_dot_product_attention(q, k, v, given)
    inputs = (leaf(2, 3, 2), leaf(2, 4, 2, seed=1), leaf(2, 4, 2, seed=2))
    assert gradcheck(f, inputs)
    assert gradgradcheck(f, tuple(leaf(*x.shape[1:], seed=k) for k, x in enumerate(inputs))
                         if given is None or given.ndim == 2 else inputs)


def test_a_learned_mask_gets_a_gradient():
    inputs = (leaf(3, 2), leaf(4, 2, seed=1), leaf(4, 2, seed=2), leaf(3, 4, seed=3))
    assert gradcheck(F.scaled_dot_product_attention, inputs)


def test_broadcasting_and_groups_of_heads():
    q, k, v = leaf(2, 4, 3, 5), leaf(2, 6, 5, seed=1), leaf(2, 6, 5, seed=2)
    with pytest.raises((ShapeError, ValueError)):
        F.scaled_dot_product_attention(q, k, v)
    k, v = leaf(2, 2, 6, 5, seed=1), leaf(2, 2, 6, 5, seed=2)
    grouped = F.scaled_dot_product_attention(q, k, v, enable_gqa=True)
    wide = plain(q.value, np.repeat(k.value, 2, 1), np.repeat(v.value, 2, 1))
    assert np.allclose(grouped.detach().numpy(), wide)
    grouped.sum().backward()
    assert k.grad.shape == k.shape
    assert gradcheck(F.scaled_dot_product_attention, (leaf(1, 3, 2), leaf(2, 4, 2, seed=1), leaf(2, 4, 2, seed=2)))


def test_dropout_keeps_the_mean_and_the_rule_follows_it():
    ag.manual_seed(0)
    q, k, v = drawn(1, 4, 2), drawn(1, 6, 2, seed=1), drawn(1, 6, 3, seed=2)
    many = F.scaled_dot_product_attention(*(np.repeat(x, 4000, 0) for x in (q, k, v)), dropout_p=0.4)
    assert np.allclose(many.mean(0), plain(q, k, v)[0], atol=0.05) and not np.allclose(many[0], many[1])
    keep = (np.random.default_rng(0).random((4, 6)) < 0.5) * 2.0
    f = lambda q, k, v: attending.attention(q, k, v, None, keep, scale=0.7)
    inputs = (leaf(4, 2), leaf(6, 2, seed=1), leaf(6, 3, seed=2))
    assert gradcheck(f, inputs)
    first = gradients(f(*inputs).square().sum(), inputs, create_graph=True)
    shares = ag.softmax(inputs[0] @ inputs[1].mT * 0.7, dim=-1) * keep
    other = gradients((shares @ inputs[2]).square().sum(), inputs, create_graph=True)
    assert all(np.allclose(a.detach().numpy(), b.detach().numpy()) for a, b in zip(first, other))
    with pytest.raises(ValueError, match="between 0 and 1"):
        F.scaled_dot_product_attention(q, k, v, dropout_p=1.5)


def test_float32_stays_and_large_scores_do_not_overflow():
    q = (drawn(2, 3, 4) * 1e3).astype(np.float32)
    out = F.scaled_dot_product_attention(Tensor(q, requires_grad=True), Tensor(q), Tensor(q))
    out.sum().backward()
    assert out.dtype == np.float32 and np.isfinite(out.detach().numpy()).all()


# -- MultiheadAttention ----------------------------------------------------------------------------------


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("masked", [False, True])
def test_one_op_for_all_heads_is_what_they_are_apart(first, masked):
    layer = MultiheadAttention(6, 2, batch_first=first).double()
    x = leaf(3, 4, 6) if first else leaf(4, 3, 6)
    padding = Tensor(np.arange(4) >= np.array([[4], [3], [2]])) if masked else None
    seen = Tensor(np.triu(np.ones((4, 4), bool), 1)) if masked else None
    made = []
    for wants in (False, True):
        out, shares = layer(x, x, x, padding, wants, seen)
        parts = gradients((out * out).sum(), [x, *layer.parameters()], create_graph=True)
        made.append([out, *parts, *gradients(sum((p * p).sum() for p in parts), [x, *layer.parameters()])])
    assert shares.shape == (3, 4, 4) and np.allclose(shares.detach().numpy().sum(-1), 1)
    assert all(np.allclose(a.detach().numpy(), b.detach().numpy(), 1e-10, 1e-11) for a, b in zip(*made, strict=True))
    assert "self_attention" in {n.op for n in ag.graph.graph(layer(x, x, x, padding, False, seen)[0]).nodes}


def test_forms_of_input_agree():
    layer, x, y = MultiheadAttention(6, 3).double(), drawn(4, 2, 6), drawn(5, 2, 6, seed=1)
    out, shares = layer(Tensor(x), Tensor(y), Tensor(y), average_attn_weights=False)
    assert out.shape == (4, 2, 6) and shares.shape == (2, 3, 4, 5)
    single, alone = layer(Tensor(x[:, 0]), Tensor(y[:, 0]), Tensor(y[:, 0]))
    assert np.allclose(single.detach().numpy(), out.detach().numpy()[:, 0])
    assert np.allclose(alone.detach().numpy(), shares.detach().numpy()[0].mean(0))
    layer.batch_first = True
    turned, _ = layer(Tensor(x.swapaxes(0, 1)), Tensor(y.swapaxes(0, 1)), Tensor(y.swapaxes(0, 1)), need_weights=False)
    assert np.allclose(turned.detach().numpy().swapaxes(0, 1), out.detach().numpy())


def test_parameters_start_and_are_named_as_told():
    assert list(MultiheadAttention(8, 2).state_dict()) == ["in_proj_weight", "in_proj_bias", "out_proj.weight",
                                                           "out_proj.bias"]
    wide = MultiheadAttention(8, 2, bias=False, add_bias_kv=True, kdim=3, vdim=5)
    assert {k: v.shape for k, v in wide.state_dict().items()} == {
        "q_proj_weight": (8, 8), "k_proj_weight": (8, 3), "v_proj_weight": (8, 5), "bias_k": (1, 1, 8),
        "bias_v": (1, 1, 8), "out_proj.weight": (8, 8)}
    layer = MultiheadAttention(32, 4)
    assert not layer.in_proj_bias.value.any() and not layer.out_proj.bias.value.any()
    assert 0.9 < np.abs(layer.in_proj_weight.value).max() / math.sqrt(6 / 128) <= 1
    assert repr(layer) == ("MultiheadAttention(\n  (out_proj): NonDynamicallyQuantizableLinear(in_features=32, "
                           "out_features=32, bias=True)\n)")


def test_merged_masks():
    layer, x = MultiheadAttention(6, 2), Tensor(drawn(3, 4, 6))
    seen, padding = Tensor(np.eye(4)), Tensor(np.zeros((3, 4)))
    assert layer.merge_masks(None, None, x) == (None, None) and layer.merge_masks(None, padding, x) == (padding, 1)
    merged, kind = layer.merge_masks(seen, padding, x)
    assert merged.shape == (3, 2, 4, 4) and kind == 2 and np.array_equal(merged[1, 1].numpy(), np.eye(4))


@pytest.mark.parametrize(("act", "error", "text"), [
    (lambda x: MultiheadAttention(6, 4), AssertionError, "divisible by num_heads; got 6 and 4"),
    (lambda x: MultiheadAttention(0, 4), ValueError, "greater than 0"),
    (lambda x: MultiheadAttention(6, 2)(x, x, x, attn_mask=Tensor(np.ones((3, 3)))), ShapeError, "expected attn_mask"),
    (lambda x: MultiheadAttention(6, 2)(x, x, x, Tensor(np.ones((4, 2), bool))), ShapeError,
     "expected key_padding_mask"),
    (lambda x: MultiheadAttention(6, 2)(x, x, x, is_causal=True), ValueError, "hint about attn_mask"),
    (lambda x: MultiheadAttention(6, 2, batch_first=True)(x, x, x, None, False, is_causal=True), ValueError,
     "hint about attn_mask"),
    (lambda x: MultiheadAttention(4, 2)(x, x, x), ShapeError, "embedding dimension 4"),
    (lambda x: F.scaled_dot_product_attention(x, x, x, Tensor(np.ones((2, 2), bool)), is_causal=True), ValueError,
     "both given"),
    (lambda x: F.scaled_dot_product_attention(x, x[..., :3], x), ShapeError, r"expected query \(..., L, d\)"),
])
def test_refusals(act, error, text):
    with pytest.raises(error, match=text):
        act(Tensor(drawn(4, 2, 6)))


# -- positions -------------------------------------------------------------------------------------------


def test_waves():
    table = sinusoidal_positions(50, 7, dtype=np.float64).numpy()
    assert table.shape == (50, 7) and np.allclose(table[3, 2], math.sin(3 / 10000 ** (2 / 7)))
    assert np.allclose(table[3, 5], math.cos(3 / 10000 ** (4 / 7)))
    even = sinusoidal_positions(50, 8, dtype=np.float64).numpy()
    near = even[10:30] @ even[12]             # the product of two positions depends on their distance alone
    assert np.allclose(near[:15], even[20:35] @ even[22]) and near.argmax() == 2
    layer = PositionalEncoding(8, max_len=20)
    x = drawn(2, 5, 8)
    assert np.allclose(layer(Tensor(x)).numpy() - x, even[:5], atol=1e-6) and not list(layer.parameters())
    turned = PositionalEncoding(8, max_len=20, batch_first=False)(Tensor(x.swapaxes(0, 1))).numpy()
    assert np.allclose(turned.swapaxes(0, 1), layer(Tensor(x)).numpy()) and not layer.state_dict()
    assert np.allclose(layer(Tensor(x[0])).numpy() - x[0], even[:5], atol=1e-6)
    with pytest.raises(ShapeError, match=r"L at most max_len=20; got shape \(2, 21, 8\)"):
        layer(Tensor(np.ones((2, 21, 8))))


def test_learned_rows():
    layer = LearnedPositionalEncoding(8, max_len=20)
    out = layer(Tensor(np.zeros((2, 5, 8), np.float32)))
    assert np.array_equal(out.detach().numpy()[1], layer.weight.value[:5])
    out.sum().backward()
    assert (layer.weight.grad.numpy()[:5] == 2).all() and not layer.weight.grad.numpy()[5:].any()
    assert repr(layer).startswith("LearnedPositionalEncoding(\n  8, max_len=20, batch_first=True\n")


@pytest.mark.parametrize("interleaved", [False, True])
def test_rotations(interleaved):
    layer, x = RotaryPositionalEncoding(6, interleaved=interleaved), drawn(2, 9, 6)
    out = layer(Tensor(x)).numpy()
    assert np.allclose(np.square(out).sum(-1), np.square(x).sum(-1)) and np.allclose(out[:, 0], x[:, 0])
    same = layer(Tensor(np.ones((9, 6)))).numpy()
    products = same @ same.T                  # of the same vector: the distance alone counts
    assert np.allclose(products[:-1, :-1], products[1:, 1:]) and not np.allclose(products[0, 1], products[0, 2])
    assert np.allclose(layer(Tensor(x[:, 4:]), offset=4).numpy(), out[:, 4:])
    k = 1 if interleaved else 3
    turn = np.arctan2(out[0, 1, k], out[0, 1, 0]) - np.arctan2(x[0, 1, k], x[0, 1, 0])
    assert np.isclose(np.exp(1j * turn), np.exp(1j))          # one step turns the first pair by 1
    assert gradcheck(layer, (leaf(3, 6),))
    with pytest.raises(ValueError, match="must be even"):
        RotaryPositionalEncoding(5)
    with pytest.raises(ShapeError, match=r"expected an input \(..., L, 6\)"):
        layer(Tensor(np.ones((2, 5))))


def test_slopes_by_distance():
    bias = alibi(8, 4).numpy()
    assert bias.shape == (8, 4, 4) and np.allclose(bias[0, 3], [-1.5, -1, -0.5, 0])
    assert np.isclose(bias[7, 0, 1], -2.0 ** -8)
    assert np.allclose(alibi(8, 1, 4).numpy()[:, 0], bias[:, 3])
