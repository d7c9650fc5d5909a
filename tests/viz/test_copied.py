"""A copy of a module draws as the module itself: parameters stay parameters, frozen ones too."""

import copy
import pickle

import numpy as np
import pytest

import nn
import viz
from autograd import Tensor
from autograd.graph import graph


def kinds(result):
    return sorted((n.kind, n.shape) for n in graph(result).nodes if n.kind != "op")


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda m: pickle.loads(pickle.dumps(m))],
                         ids=["deepcopy", "copy", "pickle"])
@pytest.mark.parametrize("frozen", [False, True])
def test_parameters_of_a_copy_are_parameters(copied, frozen):
    model, x = nn.Linear(3, 2), Tensor(np.ones((1, 3)), requires_grad=True)
    model.weight.requires_grad_(not frozen)
    assert kinds(copied(model)(x)) == kinds(model(x))


def test_a_copy_of_one_parameter_is_a_parameter():
    assert graph(copy.deepcopy(nn.Parameter(np.ones(2))).sum()).nodes[0].kind == "parameter"


def test_layers_of_an_encoder_have_their_parameters_in_rows():
    encoder = nn.TransformerEncoder(nn.TransformerEncoderLayer(8, 2, 16), 2)
    out = encoder(Tensor(np.ones((3, 1, 8)), requires_grad=True))
    cards = [item for item in viz.draw(out).view.items if item.kind == "leaf"]
    assert len(cards) == 1
