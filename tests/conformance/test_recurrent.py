"""Recurrent layers, attention and transformers beside PyTorch's: values, all gradients, states and repr, in float64."""

from __future__ import annotations

import sys
from itertools import product

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from nn.attention import MultiheadAttention
from nn.cells import GRUCell, LSTMCell, RNNCell
from nn.functional import scaled_dot_product_attention as ag_attention
from nn.packing import pack_padded_sequence, pack_sequence, pad_packed_sequence, pad_sequence, unpad_sequence
from nn.recurrent import GRU, LSTM, RNN
from nn.transformer import (
    Transformer,
    TransformerDecoder,
    TransformerDecoderLayer,
    TransformerEncoder,
    TransformerEncoderLayer,
)

if not any("conformance" in argument for argument in sys.argv[1:]):
    pytest.skip("name tests/conformance to run it", allow_module_level=True)
torch = pytest.importorskip("torch")

pytestmark = pytest.mark.filterwarnings("ignore")
OURS = {c.__name__: c for c in (RNN, LSTM, GRU, RNNCell, LSTMCell, GRUCell, MultiheadAttention, Transformer,
                                TransformerDecoder, TransformerDecoderLayer, TransformerEncoder,
                                TransformerEncoderLayer)}


def both(name, *args, **settings):
    """The layer here and there, the same repr and names, with weights exchanged both ways."""
    ours, theirs = OURS[name](*args, **settings).double(), getattr(torch.nn, name)(*args, **settings).double()
    assert repr(ours) == repr(theirs)
    alike(ours, theirs)
    return ours, theirs


def alike(ours, theirs):
    state = theirs.state_dict()
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: tuple(v.shape) for k, v in state.items()}
    assert list(ours.state_dict()) == list(state)
    assert [n for n, _ in ours.named_parameters()] == [n for n, _ in theirs.named_parameters()]
    rng = np.random.default_rng(0)
    drawn = {k: torch.tensor(rng.standard_normal(tuple(v.shape)) * 0.4) for k, v in state.items()}
    assert str(theirs.load_state_dict(drawn)) == "<All keys matched successfully>"
    assert str(ours.load_state_dict(drawn)) == "<All keys matched successfully>"
    back = {k: torch.tensor(v.numpy() * 0.9) for k, v in ours.state_dict().items()}
    theirs.load_state_dict(back)
    ours.load_state_dict(back)


def leaves(seed, *shapes):
    rng = np.random.default_rng(seed)
    arrays = [rng.standard_normal(s) for s in shapes]
    return [Tensor(a, requires_grad=True) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]


def flat(results):
    """All tensors in a nest of tuples."""
    if results is None:
        return []
    if isinstance(results, (tuple, list)):
        return [t for r in results for t in flat(r)]
    return [results]


def agree(ours, theirs, mine, yours, model, peer):
    """Results, then the gradients of a weighted sum of them, of inputs and parameters."""
    ours, theirs = flat(ours), flat(theirs)
    assert len(ours) == len(theirs)
    rng = np.random.default_rng(5)
    for a, b in zip(ours, theirs):
        assert a.shape == tuple(b.shape)
        assert np.allclose(a.detach().numpy(), b.detach().numpy(), 1e-12, 1e-12)
    ours = [a for a in ours if a.dtype.kind == "f"]
    theirs = [b for b in theirs if b.is_floating_point()]
    weights = [rng.standard_normal(a.shape) for a in ours]
    sum((a * w).sum() for a, w in zip(ours, weights)).backward()
    sum((b * torch.tensor(w)).sum() for b, w in zip(theirs, weights)).backward()
    pairs = [*zip(mine, yours), *zip(model.parameters(), peer.parameters())]
    for a, b in pairs:
        assert (a.grad is None) == (b.grad is None)
        if a.grad is not None:
            assert np.allclose(a.grad.numpy(), b.grad.numpy(), 1e-11, 1e-12)


KINDS = [("RNN", {}), ("RNN", {"nonlinearity": "relu"}), ("LSTM", {}), ("LSTM", {"proj_size": 3}), ("GRU", {})]


def state_shapes(settings, lanes, batch, hidden, name):
    first = (lanes, *batch, settings.get("proj_size", hidden))
    return [first, (lanes, *batch, hidden)] if name == "LSTM" else [first]


@pytest.mark.parametrize("steps", [False, True])
@pytest.mark.parametrize(("name", "more"), KINDS)
def test_recurrent_layers(name, more, steps):
    for layers, bias, first, two, given, lone in product((1, 2), *[(False, True)] * 5):
        settings = {"num_layers": layers, "bias": bias, "batch_first": first, "bidirectional": two, **more}
        ours, theirs = both(name, 4, 5, **settings)
        ours.steps = steps
        shape, batch = ((6, 4), ()) if lone else (((3, 6, 4) if first else (6, 3, 4)), (3,))
        shapes = state_shapes(more, layers * (1 + two), batch, 5, name) if given else []
        (x, *hx), (y, *hy) = mine, yours = leaves(1, shape, *shapes)
        pick = lambda h: None if not h else tuple(h) if name == "LSTM" else h[0]
        agree(ours(x, pick(hx)), theirs(y, pick(hy)), mine, yours, ours, theirs)


@pytest.mark.parametrize("steps", [False, True])
@pytest.mark.parametrize(("name", "more"), KINDS)
def test_packed_sequences(name, more, steps):
    pack = torch.nn.utils.rnn.pack_padded_sequence
    for lengths, two, given in product(([6, 4, 4, 1], [2, 6, 1, 5], [3, 3, 3, 3]), (False, True), (False, True)):
        ours, theirs = both(name, 4, 5, num_layers=2, bidirectional=two, **more)
        ours.steps = steps
        shapes = state_shapes(more, 2 * (1 + two), (4,), 5, name) if given else []
        (x, *hx), (y, *hy) = mine, yours = leaves(2, (6, 4, 4), *shapes)
        pick = lambda h: None if not h else tuple(h) if name == "LSTM" else h[0]
        out, h = ours(pack_padded_sequence(x, lengths, enforce_sorted=False), pick(hx))
        out2, h2 = theirs(pack(y, lengths, enforce_sorted=False), pick(hy))
        assert out.batch_sizes.tolist() == out2.batch_sizes.tolist()
        padded, found = pad_packed_sequence(out, padding_value=-1.5, total_length=7)
        padded2, found2 = torch.nn.utils.rnn.pad_packed_sequence(out2, padding_value=-1.5, total_length=7)
        assert found.tolist() == found2.tolist() == lengths
        agree((out.data, padded, h), (out2.data, padded2, h2), mine, yours, ours, theirs)


def test_packing_functions():
    rnn = torch.nn.utils.rnn
    arrays = [np.random.default_rng(n).standard_normal((n, 2)) for n in (2, 5, 3)]
    a, b = [Tensor(v) for v in arrays], [torch.tensor(v) for v in arrays]
    for first, side in product((False, True), ("left", "right")):
        ours, theirs = pad_sequence(a, first, 2.5, side), rnn.pad_sequence(b, first, 2.5, side)
        assert np.array_equal(ours.numpy(), theirs.numpy())
    back = rnn.unpad_sequence(rnn.pad_sequence(b), torch.tensor([2, 5, 3]))
    for ours, theirs in zip(unpad_sequence(pad_sequence(a), [2, 5, 3]), back):
        assert np.array_equal(ours.numpy(), theirs.numpy())
    ours, theirs = pack_sequence(a, False), rnn.pack_sequence(b, False)
    assert type(ours)._fields == type(theirs)._fields
    for x, y in zip(ours, theirs):
        assert x.tolist() == y.tolist()


@pytest.mark.parametrize(("name", "more"), [("RNNCell", {}), ("RNNCell", {"nonlinearity": "relu"}), ("LSTMCell", {}),
                                            ("GRUCell", {})])
def test_cells(name, more):
    for bias, given, batch in product((False, True), (False, True), ((), (3,))):
        ours, theirs = both(name, 4, 5, bias=bias, **more)
        shapes = [(*batch, 5)] * (2 if name == "LSTMCell" else 1) if given else []
        (x, *hx), (y, *hy) = mine, yours = leaves(3, (*batch, 4), *shapes)
        pick = lambda h: None if not h else tuple(h) if name == "LSTMCell" else h[0]
        agree(ours(x, pick(hx)), theirs(y, pick(hy)), mine, yours, ours, theirs)


def masks_of(batch, heads, length, many, kinds, rng):
    """(key_padding_mask, attn_mask) as arrays; position 0 may always be looked at."""
    padding, seen = rng.random((batch, many)) < 0.3, rng.random((length, many)) < 0.3
    padding[:, 0] = seen[:, 0] = False
    if kinds[1] == "3d":
        seen = rng.random((batch * heads, length, many)) < 0.3
        seen[..., 0] = False
    floats = lambda m: np.where(m, -np.inf, rng.standard_normal(m.shape))
    pick = lambda kind, m: None if kind == "none" else floats(m) if kind == "float" else m
    return pick(kinds[0], padding), pick(kinds[1], seen)


def here(v):
    return None if v is None else Tensor(v)


def there(v):
    return None if v is None else torch.tensor(v)


def shapes(lone, first, n):
    """The shape of a batch of n sequences, or of one, by length and width."""
    return lambda length, width=6: (length, width) if lone else (n, length, width) if first else (length, n, width)


MASKS = [("none", "none"), ("bool", "bool"), ("float", "float"), ("none", "3d")]
SETTINGS = [{}, {"bias": False}, {"add_bias_kv": True}, {"add_zero_attn": True}, {"kdim": 5, "vdim": 3},
            {"add_bias_kv": True, "add_zero_attn": True, "vdim": 3, "bias": False}]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_multihead_attention(settings):
    rng = np.random.default_rng(0)
    cases = product((False, True), (False, True), (False, True), (False, True),
                    [("none", "none"), ("bool", "bool"), ("float", "float"), ("none", "3d"), ("bool", "none")])
    for first, lone, wants, average, kinds in cases:
        if lone and kinds[1] == "3d":
            continue
        ours, theirs = both("MultiheadAttention", 6, 2, batch_first=first, **settings)
        n = 1 if lone else 3
        padding, seen = masks_of(n, 2, 4, 5, kinds, rng)
        shape = shapes(lone, first, n)
        mine, yours = leaves(4, shape(4, 6), shape(5, settings.get("kdim", 6)), shape(5, settings.get("vdim", 6)))
        padding = padding[0] if lone and padding is not None else padding
        options = {"need_weights": wants, "average_attn_weights": average}
        agree(ours(*mine, here(padding), attn_mask=here(seen), **options),
              theirs(*yours, there(padding), attn_mask=there(seen), **options), mine, yours, ours, theirs)


@pytest.mark.parametrize("first", [False, True])
def test_attention_of_a_sequence_to_itself(first):
    rng = np.random.default_rng(0)
    for wants, kinds in product((False, True), MASKS):
        ours, theirs = both("MultiheadAttention", 6, 2, batch_first=first)
        padding, seen = masks_of(3, 2, 4, 4, kinds, rng)
        mine, yours = leaves(4, (3, 4, 6) if first else (4, 3, 6))
        agree(ours(*mine * 3, here(padding), wants, here(seen)), theirs(*yours * 3, there(padding), wants, there(seen)),
              mine, yours, ours, theirs)
    causal = torch.nn.Transformer.generate_square_subsequent_mask(4, dtype=torch.float64)
    assert np.array_equal(Transformer.generate_square_subsequent_mask(4, dtype="float64").numpy(), causal.numpy())
    mine, yours = leaves(4, (3, 4, 6) if first else (4, 3, 6))
    agree(ours(*mine * 3, None, False, here(causal.numpy()), is_causal=True),
          theirs(*yours * 3, None, False, causal, is_causal=True), mine, yours, ours, theirs)


def test_scaled_dot_product_attention():
    ours, theirs = ag_attention, torch.nn.functional.scaled_dot_product_attention
    rng = np.random.default_rng(0)
    for causal, scale, (a, b) in product((False, True), (None, 0.3), [((2, 3), (2, 3)), ((), ()), ((4, 1), (1, 3))]):
        mine, yours = leaves(4, (*a, 5, 4), (*b, 6, 4), (*b, 6, 2))
        agree(ours(*mine, is_causal=causal, scale=scale), theirs(*yours, is_causal=causal, scale=scale), mine, yours,
              LSTM(1, 1), torch.nn.LSTM(1, 1))
    for mask in (rng.random((5, 6)) < 0.6, rng.standard_normal((2, 1, 5, 6)), rng.random((3, 5, 6)) < 0.4):
        mine, yours = leaves(4, (2, 3, 5, 4), (2, 3, 6, 4), (2, 3, 6, 2))
        agree(ours(*mine, here(mask)), theirs(*yours, there(mask)), mine, yours, LSTM(1, 1), torch.nn.LSTM(1, 1))
    mine, yours = leaves(4, (2, 3, 5, 4), (2, 3, 6, 4), (2, 3, 6, 2), (5, 6))                # a mask that is learned
    agree(ours(*mine), theirs(*yours), mine, yours, LSTM(1, 1), torch.nn.LSTM(1, 1))
    mine, yours = leaves(4, (2, 4, 5, 4), (2, 2, 6, 4), (2, 2, 6, 2))
    agree(ours(*mine, enable_gqa=True), theirs(*yours, enable_gqa=True), mine, yours, LSTM(1, 1), torch.nn.LSTM(1, 1))


@pytest.mark.parametrize("settings", [{}, {"norm_first": True}, {"activation": "gelu", "bias": False}], ids=str)
def test_transformer_layers(settings):
    rng = np.random.default_rng(0)
    for first, lone, kinds in product((False, True), (False, True), MASKS):
        if lone and kinds[1] == "3d":
            continue
        n = 1 if lone else 3
        shape = shapes(lone, first, n)
        options = {"dim_feedforward": 7, "dropout": 0.0, "batch_first": first, **settings}
        ours, theirs = both("TransformerEncoderLayer", 6, 2, **options)
        padding, seen = masks_of(n, 2, 4, 4, kinds, rng)
        padding2, seen2 = masks_of(n, 2, 4, 5, kinds, rng)
        if lone and padding is not None:
            padding, padding2 = padding[0], padding2[0]
        mine, yours = leaves(4, shape(4))
        agree(ours(*mine, here(seen), here(padding)), theirs(*yours, there(seen), there(padding)), mine, yours, ours,
              theirs)
        ours, theirs = both("TransformerDecoderLayer", 6, 2, **options)
        mine, yours = leaves(4, shape(4), shape(5))
        masks = [seen, seen2, padding, padding2]
        agree(ours(*mine, *map(here, masks)), theirs(*yours, *map(there, masks)), mine, yours, ours, theirs)


def test_transformer():
    for first, before in product((False, True), (False, True)):
        options = {"num_encoder_layers": 2, "num_decoder_layers": 2, "dim_feedforward": 7, "dropout": 0.0,
                   "batch_first": first, "norm_first": before}
        ours, theirs = both("Transformer", 6, 2, **options)
        shape = shapes(False, first, 3)
        mine, yours = leaves(4, shape(5), shape(4))
        causal = torch.nn.Transformer.generate_square_subsequent_mask(4, dtype=torch.float64)
        padding = np.arange(5) >= np.array([[5], [3], [4]])
        agree(ours(*mine, tgt_mask=here(causal.numpy()), src_key_padding_mask=here(padding), tgt_is_causal=True),
              theirs(*yours, tgt_mask=causal, src_key_padding_mask=there(padding), tgt_is_causal=True), mine, yours,
              ours, theirs)


def test_initial_values_are_drawn_as_there():
    torch.manual_seed(0)
    ag.manual_seed(0)
    for name, args, settings in (("LSTM", (30, 40), {"num_layers": 2}), ("GRUCell", (30, 40), {}),
                                 ("MultiheadAttention", (64, 4), {"add_bias_kv": True}),
                                 ("Transformer", (32, 4, 1, 1, 64), {})):
        ours, theirs = OURS[name](*args, **settings), getattr(torch.nn, name)(*args, **settings)
        for (key, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters()):
            a, b = a.detach().numpy(), b.detach().numpy()
            assert abs(np.abs(a).max() - np.abs(b).max()) <= 0.1 * np.abs(b).max() + (0.35 if "bias_" in key else 0)
            assert abs(a.std() - b.std()) <= 0.2 * b.std()
