"""Lists and dicts of parameters, bilinear maps, bags of embeddings, dropout of channels."""

import numpy as np
import pytest

import autograd
import nn
from autograd import ShapeError, Tensor

rng = np.random.default_rng(0)


def t(*shape):
    return Tensor(rng.standard_normal(shape).astype(np.float32))


def refusal(error, act):
    with pytest.raises(error) as caught:
        act()
    return str(caught.value)


def test_a_list_of_parameters():
    row = nn.ParameterList([nn.Parameter(t(2)), t(3)])
    row.append(t(1, 2))
    row += [5]
    assert len(row) == 4 and row[-1] == 5 and isinstance(row[1], nn.Parameter) and row[1].requires_grad
    assert list(row.state_dict()) == ["0", "1", "2"] and len(list(row.parameters())) == 3
    row[0] = t(7)
    assert row[0].shape == (7,) and [type(v).__name__ for v in row[1:]] == ["Parameter", "Parameter", "int"]
    assert repr(row) == ("ParameterList(\n    (0): Parameter containing: [float32 of size 7]\n"
                         "    (1): Parameter containing: [float32 of size 3]\n"
                         "    (2): Parameter containing: [float32 of size 1x2]\n    (3): Object of type: int\n)")
    assert refusal(IndexError, lambda: row[4]) == "index 4 is out of range: this ParameterList has 4 values"
    assert refusal(TypeError, lambda: row.extend(t(2))).startswith("ParameterList.extend: expected several values")
    assert refusal(RuntimeError, lambda: row(1)).startswith("ParameterList should not be called")


def test_a_dict_of_parameters():
    named = nn.ParameterDict({"w": t(2), "b": nn.Parameter(t(3))})
    assert list(named) == ["w", "b"] and "w" in named and len(named) == 2 and named.get("x") is None
    assert list(named.state_dict()) == ["w", "b"] and list(reversed(named)) == ["b", "w"]
    named["note"] = "kept as it is"
    assert dict(named.items())["note"] == "kept as it is" and len(list(named.parameters())) == 2
    both = named | {"w": t(5)}
    assert both["w"].shape == (5,) and named["w"].shape == (2,) and both["b"] is named["b"]
    assert named.setdefault("c", t(1)) is named["c"] and named.popitem()[0] == "c" and named.pop("w").shape == (2,)
    assert refusal(KeyError, lambda: named["w"]) == '"\'w\': this ParameterDict has \'b\', \'note\'"'
    assert refusal(KeyError, lambda: named.update({"a.b": t(1)})).startswith('"parameter name')
    named.clear()
    assert not len(named) and list(nn.ParameterDict().fromkeys(["a", "b"], 1)) == ["a", "b"]

    class Model(nn.Module):
        def __init__(self):
            super().__init__()
            self.heads = nn.ParameterDict({"a": t(2), "b": t(2)})

    assert [name for name, _ in Model().named_parameters()] == ["heads.a", "heads.b"]


def test_bilinear():
    layer, a, b = nn.Bilinear(3, 4, 5), t(2, 6, 3), t(2, 6, 4)
    wanted = np.einsum("nli,kij,nlj->nlk", a.numpy(), layer.weight.value, b.numpy()) + layer.bias.value
    assert np.allclose(layer(a, b).detach().numpy(), wanted, atol=1e-5)
    assert all(np.abs(p.value).max() <= 3 ** -0.5 for p in layer.parameters())
    assert repr(layer) == "Bilinear(in1_features=3, in2_features=4, out_features=5, bias=True)"
    assert refusal(ValueError, lambda: nn.Bilinear(0, 4, 5)) == "Bilinear: in1_features must be at least 1; got 0"
    assert refusal(ShapeError, lambda: layer(b, a)).startswith("bilinear: expected input1 (..., n)")


def test_bags_of_embeddings():
    index, offsets = Tensor([0, 2, 1, 4]), Tensor([0, 3, 3])
    for mode, reduce in (("sum", np.sum), ("mean", np.mean), ("max", np.max)):
        layer = nn.EmbeddingBag(5, 3, mode=mode)
        table = layer.weight.value
        got = layer(index, offsets).detach().numpy()
        assert np.allclose(got, [reduce(table[[0, 2, 1]], 0), np.zeros(3), table[4]])
        assert np.allclose(layer(Tensor([[0, 2], [1, 1]])).detach().numpy(),
                           [reduce(table[[0, 2]], 0), reduce(table[[1, 1]], 0)])
    layer = nn.EmbeddingBag.from_pretrained(t(5, 3), mode="sum", padding_idx=1)
    assert not layer.weight.requires_grad and repr(layer) == "EmbeddingBag(5, 3, mode='sum', padding_idx=1)"
    assert (layer(Tensor([[1, 4]])).numpy() == layer.weight.value[[4]]).all()
    weighted = layer(Tensor([[0, 2]]), per_sample_weights=Tensor([[2.0, 0.5]])).numpy()
    assert np.allclose(weighted, 2 * layer.weight.value[0] + 0.5 * layer.weight.value[2])
    assert refusal(ValueError, lambda: nn.EmbeddingBag(5, 3, mode="median")) == \
        "EmbeddingBag: mode must be 'sum', 'mean' or 'max'; got 'median'"
    assert refusal(ShapeError, lambda: nn.Embedding(5, 3, _weight=t(5, 4))) == \
        "Embedding: expected a weight (5, 3); got shape (5, 4)"


@pytest.mark.parametrize(("layer", "shape", "lead"), [
    (nn.Dropout1d, (50, 40, 6), 2), (nn.Dropout2d, (50, 40, 3, 2), 2), (nn.Dropout3d, (50, 40, 3, 2, 2), 2),
    (nn.Dropout2d, (900, 3, 2), 1)])
def test_whole_channels_are_dropped(layer, shape, lead):
    autograd.manual_seed(0)
    drop = layer(0.3)
    y = drop(Tensor(np.ones(shape, np.float32))).numpy().reshape(*shape[:lead], -1)
    assert set(np.unique(y)) == {0, np.float32(1 / 0.7)} and (y == y[..., :1]).all()
    assert abs((y == 0).mean() - 0.3) < 0.05
    x = t(*shape)
    assert drop.eval()(x) is x and repr(drop) == f"{layer.__name__}(p=0.3, inplace=False)"


def test_alpha_dropout_keeps_mean_and_variance():
    autograd.manual_seed(0)
    for layer, shape in ((nn.AlphaDropout(0.2), (400, 400)), (nn.FeatureAlphaDropout(0.2), (400, 400, 2))):
        y = layer(t(*shape)).numpy()
        assert abs(y.mean()) < 0.02 and abs(y.var() - 1) < 0.03
    assert (y[..., 0] == y[..., 1]).mean() == pytest.approx(0.2, abs=0.02)
    assert refusal(ValueError, lambda: nn.AlphaDropout(-1)).startswith("AlphaDropout: dropout probability has to be")


def test_dropout_in_place_means_it():
    for layer in (nn.Dropout(0.5, inplace=True), nn.Dropout1d(0.5, inplace=True), nn.AlphaDropout(0.5, inplace=True)):
        x = Tensor(np.ones((4, 5, 6), np.float32))
        assert layer(x) is x and (x.numpy() != 1).any()
        leaf = nn.Parameter(t(2, 3, 4))
        name = {"Dropout": "dropout", "Dropout1d": "dropout1d", "AlphaDropout": "alpha_dropout"}[type(layer).__name__]
        assert refusal(autograd.GradientError, lambda f=layer, x=leaf: f(x)).startswith(f"{name}: a leaf")
        assert layer.eval()(leaf) is leaf


def test_rrelu_and_softmax2d():
    autograd.manual_seed(0)
    layer, x = nn.RReLU(0.1, 0.3), Tensor(-np.ones(1000, np.float32))
    slopes = -layer(x).numpy()
    assert 0.1 <= slopes.min() < 0.11 and 0.29 < slopes.max() <= 0.3
    assert np.allclose(layer.eval()(x).numpy(), -0.2) and repr(layer) == "RReLU(lower=0.1, upper=0.3)"
    y = nn.Softmax2d()(t(2, 3, 4, 5)).numpy()
    assert np.allclose(y.sum(1), 1, atol=1e-6) and np.allclose(nn.Softmax2d()(t(3, 4, 5)).numpy().sum(0), 1, atol=1e-6)
    assert refusal(ShapeError, lambda: nn.Softmax2d()(t(2, 3))) == \
        "Softmax2d: expected an input (N, C, H, W) or (C, H, W); got shape (2, 3)"
