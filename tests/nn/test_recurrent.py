"""Recurrent layers: the fused rule against the graph of steps, against differences, and in closed form."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import autograd as ag
from autograd import ShapeError, Tensor, gradcheck, gradgradcheck, gradients
from nn.cells import GRUCell, LSTMCell, RNNCell
from nn.functional import unrolled
from nn.packing import (
    PackedSequence,
    invert_permutation,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
    pad_sequence,
    unpack_sequence,
    unpad_sequence,
)
from nn.recurrent import GRU, LSTM, RNN

KINDS = [(RNN, {}), (RNN, {"nonlinearity": "relu"}), (LSTM, {}), (LSTM, {"proj_size": 2}), (GRU, {})]
kinds = pytest.mark.parametrize(("kind", "more"), KINDS, ids=lambda v: str(getattr(v, "__name__", v)))


def pair(kind, **settings):
    """The same layer as ops and as a graph of steps, in float64."""
    fused, seen = kind(3, 4, **settings).double(), kind(3, 4, steps=True, **settings).double()
    seen.load_state_dict(fused.state_dict())
    return fused, seen


def ends(result):
    return result if isinstance(result, tuple) else (result,)


def drawn(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def loss_of(layer, x, hx=None):
    out, last = layer(x, hx)
    out = out.data if isinstance(out, PackedSequence) else out
    return sum((t * Tensor(drawn(*t.shape, seed=k))).sum() for k, t in enumerate((out, *ends(last))))


@kinds
@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_one_op_is_what_its_steps_are(kind, more, packed, bias):
    fused, seen = pair(kind, num_layers=2, bidirectional=True, bias=bias, **more)
    made = []
    for layer in (fused, seen):
        x = Tensor(drawn(5, 3, 3), requires_grad=True)
        widths = (2 if more.get("proj_size") else 4, 4)[:2 if kind is LSTM else 1]
        states = [Tensor(drawn(4, 3, w, seed=w), requires_grad=True) for w in widths]
        given = pack_padded_sequence(x, [5, 2, 3], enforce_sorted=False) if packed else x
        value = loss_of(layer, given, tuple(states) if kind is LSTM else states[0])
        value.backward()
        made.append([value, x.grad, *[s.grad for s in states], *[p.grad for p in layer.parameters()]])
    assert all(np.allclose(a.detach().numpy(), b.detach().numpy(), 1e-12, 1e-13) for a, b in zip(*made, strict=True))
    names = {n.op for n in ag.graph.graph(loss_of(fused, Tensor(drawn(5, 3, 3)))).nodes}
    assert kind.__name__.lower() in names and "tanh" not in names and "sigmoid" not in names


@kinds
@pytest.mark.parametrize("reverse", [False, True])
def test_rule_against_differences(kind, more, reverse):
    layer = kind(2, 2, **({"proj_size": 1} if more.get("proj_size") else more)).double()
    op, weights, widths = layer._op(), layer._weights(0, 0), (layer.proj_size or 2, 2)[:2 if kind is LSTM else 1]
    given = [Tensor(drawn(4, 2), requires_grad=True), *(Tensor(drawn(2, w), requires_grad=True) for w in widths),
             *(w for w in weights if w is not None)]
    run = lambda *inputs: op(*inputs, sizes=(2, 1, 1), reverse=reverse)
    assert gradcheck(run, tuple(given))
    if reverse:
        assert gradgradcheck(run, tuple(given))


@kinds
def test_second_derivative_is_that_of_the_steps(kind, more):
    made = []
    for layer in pair(kind, **more):
        x = Tensor(drawn(4, 2, 3), requires_grad=True)
        first = gradients(loss_of(layer, x), [x, *layer.parameters()], create_graph=True)
        size = sum((g * g).sum() for g in first)
        made.append(gradients(size, [x, *layer.parameters()]))
    assert all(np.allclose(a.numpy(), b.numpy(), 1e-11, 1e-12) for a, b in zip(*made, strict=True))


def test_forward_mode():
    for fused, seen in (pair(kind, **more) for kind, more in KINDS):
        x, v = Tensor(drawn(4, 2, 3)), Tensor(drawn(4, 2, 3, seed=1))
        (_, a), (_, b) = (ag.jvp(lambda x, layer=layer: layer(x)[0], (x,), (v,)) for layer in (fused, seen))
        assert np.allclose(a.detach().numpy(), b.detach().numpy(), 1e-12, 1e-13)


def test_rules_of_a_node_share_their_work_and_keep_nothing_behind_it(monkeypatch):
    walks, back = [], unrolled.lstm_back

    def counted(g, *rest):
        found = back(g, *rest)
        walks.append(weakref.ref(found[0]))
        return found
    monkeypatch.setattr(unrolled, "lstm_back", counted)
    layer = LSTM(3, 4, 2, bidirectional=True)
    out, _ = layer(Tensor(drawn(5, 2, 3).astype(np.float32)))
    for _ in range(2):
        out.sum().backward(retain_graph=True)
    gc.collect()
    assert len(walks) == 8 and not any(made() is not None for made in walks)


def test_second_sweep_over_one_graph():
    layer, x = GRU(3, 4).double(), Tensor(drawn(5, 2, 3), requires_grad=True)
    out, _ = layer(x)
    above = Tensor(drawn(5, 2, 4))
    out.backward(above, retain_graph=True)
    first, x.grad = x.grad.numpy().copy(), None
    above.value[...] *= 2                     # the same array, with other numbers
    out.backward(above)
    assert np.allclose(x.grad.numpy(), 2 * first)


def test_closed_form():
    """With W = 0, U = u and no bias a linear unit is a geometric series; an LSTM whose gates are open counts."""
    layer = RNN(1, 1, nonlinearity="relu", bias=False).double()
    layer.load_state_dict({"weight_ih_l0": np.ones((1, 1)), "weight_hh_l0": np.full((1, 1), 0.5)})
    out, last = layer(Tensor(np.ones((6, 1))))
    assert np.allclose(out.detach().numpy()[:, 0], 2 - 0.5 ** np.arange(6)) and last.shape == (1, 1)
    assert last.item() == out[-1].item()
    counter = LSTM(1, 1).double()
    counter.load_state_dict({"weight_ih_l0": np.array([[0], [0], [50], [0]]), "weight_hh_l0": np.zeros((4, 1)),
                             "bias_ih_l0": np.array([50, 50, 0, 50]), "bias_hh_l0": np.zeros(4)})
    out, (_, c) = counter(Tensor(np.ones((7, 1))))
    assert np.allclose(c.item(), 7) and np.allclose(out.detach().numpy()[:, 0], np.tanh(np.arange(1, 8)))
    holder = GRU(2, 3).double()               # an update gate that stays shut keeps the state
    state = {k: np.zeros(v.shape) for k, v in holder.state_dict().items()}
    state["bias_ih_l0"][3:6] = 60
    holder.load_state_dict(state)
    start = drawn(1, 2, 3)
    assert np.allclose(holder(Tensor(drawn(9, 2, 2)), Tensor(start))[1].detach().numpy(), start)


@kinds
def test_forms_of_input_agree(kind, more):
    layer = kind(3, 4, 2, **more).double()
    x = Tensor(drawn(5, 2, 3))
    out, last = layer(x)
    single, alone = layer(x[:, 1])
    assert np.allclose(single.detach().numpy(), out.detach().numpy()[:, 1], atol=1e-14)
    assert all(np.allclose(a.detach().numpy(), b.detach().numpy()[:, 1], atol=1e-14)
               for a, b in zip(ends(alone), ends(last)))
    layer.batch_first = True
    assert np.allclose(layer(x.transpose(0, 1))[0].detach().numpy(), out.detach().numpy().swapaxes(0, 1), atol=1e-14)
    layer.batch_first = False
    rest, _ = layer(x[2:], layer(x[:2])[1])   # states hand over from one part to the next
    assert np.allclose(rest.detach().numpy(), out.detach().numpy()[2:], atol=1e-14)


@pytest.mark.parametrize(("kind", "cell", "more"), [(RNN, RNNCell, {}), (RNN, RNNCell, {"nonlinearity": "relu"}),
                                                    (LSTM, LSTMCell, {}), (GRU, GRUCell, {})])
def test_a_layer_is_its_cell_again_and_again(kind, cell, more):
    layer, one = kind(3, 4, **more).double(), cell(3, 4, **more).double()
    one.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    x, state = Tensor(drawn(5, 2, 3)), None
    out, _ = layer(x)
    for t in range(5):
        state = one(x[t], state)
        assert np.allclose(ends(state)[0].detach().numpy(), out[t].detach().numpy(), atol=1e-14)
    assert np.allclose(ends(one(x[0, 0]))[0].detach().numpy(), out[0, 0].detach().numpy(), atol=1e-14)


def test_dropout_stands_between_layers_in_training_only():
    ag.manual_seed(0)
    with pytest.warns(UserWarning, match="one layer only"):
        GRU(3, 4, dropout=0.5)
    layer, x = GRU(3, 4, 2, dropout=0.5), Tensor(drawn(5, 2, 3).astype(np.float32))
    a, b = layer(x)[0].detach().numpy(), layer(x)[0].detach().numpy()
    layer.eval()
    c, d = layer(x)[0].detach().numpy(), layer(x)[0].detach().numpy()
    assert not np.allclose(a, b) and np.array_equal(c, d)
    layer.dropout = 0.0
    assert np.array_equal(layer.train()(x)[0].detach().numpy(), c)


@kinds
def test_float32_stays(kind, more):
    layer, x = kind(3, 4, bidirectional=True, **more), Tensor(drawn(5, 2, 3).astype(np.float32), requires_grad=True)
    out, last = layer(x)
    out.sum().backward()
    assert {t.dtype for t in (out, *ends(last), x.grad, *[p.grad for p in layer.parameters()])} == {np.dtype("f4")}


def test_repr_and_settings():
    assert repr(LSTM(3, 4, 2, False, True, 0.5, True, 2)) == \
        "LSTM(3, 4, proj_size=2, num_layers=2, bias=False, batch_first=True, dropout=0.5, bidirectional=True)"
    assert repr(GRU(3, 4, steps=True)) == "GRU(3, 4, steps=True)" and repr(RNN(3, 4)) == "RNN(3, 4)"
    assert repr(RNNCell(3, 4, False, "relu")) == "RNNCell(3, 4, bias=False, nonlinearity=relu)"
    assert [len(w) for w in LSTM(3, 4, 2, proj_size=2).all_weights] == [5, 5]
    layer = RNN(3, 4, 1, "relu", False)
    assert layer.nonlinearity == "relu" and list(layer.state_dict()) == ["weight_ih_l0", "weight_hh_l0"]
    assert all(np.abs(p.value).max() <= 0.5 for p in GRU(3, 4).parameters())


@pytest.mark.parametrize(("act", "error", "text"), [
    (lambda: LSTM(3, 4, proj_size=4), ValueError, "proj_size must be smaller than hidden_size, 4; got 4"),
    (lambda: GRU(3, 4, proj_size=2), ValueError, "proj_size is only supported by LSTM"),
    (lambda: RNN(3, 4, nonlinearity="gelu"), ValueError, "unknown nonlinearity 'gelu'"),
    (lambda: GRU(0, 4), ValueError, "input_size must be greater than zero"),
    (lambda: GRU(3, 4.0), TypeError, "hidden_size must be an integer"),
    (lambda: GRU(3, 4, bias=1), TypeError, "bias must be True or False"),
    (lambda: GRU(3, 4, 2, dropout=1.5), ValueError, "dropout must be a probability"),
    (lambda: LSTM(3, 4)(Tensor(np.ones((5, 2, 4)))), ShapeError, r"\(T, B, 3\), 3 numbers on its last axis; got shape"),
    (lambda: LSTM(3, 4)(Tensor(np.ones(3))), ShapeError, r"expected an input \(T, B, 3\) or \(T, 3\)"),
    (lambda: GRU(3, 4).double()(Tensor(np.ones((0, 2, 3)))), ShapeError, "at least one step"),
    (lambda: GRU(3, 4).double()(Tensor(np.ones((5, 2, 3))), Tensor(np.ones((1, 3, 4)))), ShapeError,
     r"expected h_0 of shape \(1, 2, 4\).* got \(1, 3, 4\)"),
    (lambda: LSTM(3, 4).double()(Tensor(np.ones((5, 2, 3))), Tensor(np.ones((1, 2, 4)))), TypeError,
     r"a pair \(h_0, c_0\)"),
    (lambda: GRU(3, 4)(Tensor(np.ones((5, 2, 3)))), ValueError,
     r"input dtype float64 does not match weight dtype float32. Convert input: input.to\('float32'\)"),
    (lambda: GRUCell(3, 4)(Tensor(np.ones((2, 4)))), ShapeError, r"expected an input \(B, 3\)"),
    (lambda: LSTMCell(3, 4)(Tensor(np.ones((2, 3))), (Tensor(np.ones((2, 4))), Tensor(np.ones((3, 4))))), ShapeError,
     r"expected c of shape \(2, 4\)"),
])
def test_refusals(act, error, text):
    with pytest.raises(error, match=text):
        act()


# -- packing ---------------------------------------------------------------------------------------------


def test_padding_and_packing_undo_each_other():
    sequences = [Tensor(drawn(n, 2, seed=n), requires_grad=True) for n in (2, 4, 1)]
    padded = pad_sequence(sequences, padding_value=9.0)
    assert padded.shape == (4, 3, 2) and (padded.detach().numpy()[1:, 2] == 9).all()
    assert np.array_equal(pad_sequence(sequences, True, 9.0).detach().numpy(), padded.detach().numpy().swapaxes(0, 1))
    left = pad_sequence(sequences, padding_side="left")
    assert np.array_equal(left[2:, 0].detach().numpy(), sequences[0].detach().numpy()) and not left[:2, 0].any()
    for a, b in zip(unpad_sequence(padded, [2, 4, 1]), sequences):
        assert np.array_equal(a.detach().numpy(), b.detach().numpy())
    packed = pack_sequence(sequences, enforce_sorted=False)
    assert packed.batch_sizes.tolist() == [3, 2, 1, 1] and packed.sorted_indices.tolist() == [1, 0, 2]
    assert packed.unsorted_indices.tolist() == [1, 0, 2] and packed.data.shape == (7, 2)
    for a, b in zip(unpack_sequence(packed), sequences):
        assert np.array_equal(a.detach().numpy(), b.detach().numpy())
    again, lengths = pad_packed_sequence(packed, batch_first=True, padding_value=-np.inf, total_length=6)
    assert again.shape == (3, 6, 2) and lengths.tolist() == [2, 4, 1]
    assert np.isneginf(again.detach().numpy()[2, 1:]).all()
    unpad_sequence(again, lengths, True)[1].sum().backward()
    assert sequences[1].grad.numpy().sum() == 8 and not sequences[0].grad.numpy().any()


def test_packed_sequence_is_a_tuple_with_names():
    packed = pack_sequence([Tensor(drawn(3, 2)), Tensor(drawn(1, 2))])
    data, sizes, order, back = packed
    assert sizes.tolist() == [2, 1, 1] and order is None and back is None and data is packed.data
    assert packed.float().data.dtype == np.float32 and packed.double().data.dtype == np.float64
    assert invert_permutation(Tensor(np.array([2, 0, 1]))).tolist() == [1, 2, 0] and invert_permutation(None) is None
    assert PackedSequence(data, sizes, Tensor(np.array([1, 0]))).unsorted_indices.tolist() == [1, 0]


@pytest.mark.parametrize(("act", "error", "text"), [
    (lambda x: pack_padded_sequence(x, [2, 4, 1]), RuntimeError, "pass enforce_sorted=False"),
    (lambda x: pack_padded_sequence(x, [4, 2, 0]), ValueError, "sequence 2 has 0"),
    (lambda x: pack_padded_sequence(x, [5, 2, 1]), ValueError, "1 to 4.* sequence 0 has 5"),
    (lambda x: pack_padded_sequence(x, [4, 2]), ShapeError, r"lengths of shape \(3,\)"),
    (lambda x: pack_padded_sequence(x, [4, 2.5, 1]), TypeError, "lengths must be integers"),
    (lambda x: pad_packed_sequence(pack_padded_sequence(x, [4, 2, 1]), total_length=3), ValueError, "at least 4"),
    (lambda x: pad_sequence([]), ValueError, "at least one sequence"),
    (lambda x: pad_sequence([x, x[:, 0]]), ShapeError, "alike but for L"),
    (lambda x: pad_sequence([x], padding_side="top"), ValueError, "'left' or 'right'"),
])
def test_packing_refusals(act, error, text):
    with pytest.raises(error, match=text):
        act(Tensor(drawn(4, 3, 2)))
