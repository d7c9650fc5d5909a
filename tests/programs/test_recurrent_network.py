"""A recurrent network that predicts the next character of a text, with its weights in a dict."""

import numpy as onp

import autograd.numpy as np
import autograd.numpy.random as npr
from autograd import grad
from autograd.misc.optimizers import adam
from autograd.test_util import check_grads

pieces = "abcab" "cabca" "bcabc"
letters = sorted(set(pieces))
one_hot = onp.eye(len(letters))[[letters.index(c) for c in pieces]]
sequences = onp.stack([one_hot[i:i + 8] for i in range(5)], axis=1)      # (time, sequence, letter)


def create(inputs, hidden, outputs, rs):
    return {"first": onp.zeros((1, hidden)), "change": 0.3 * rs.randn(inputs + hidden + 1, hidden),
            "predict": 0.3 * rs.randn(hidden + 1, outputs)}


def concat_and_multiply(weights, *args):
    together = np.hstack(args + (np.ones((args[0].shape[0], 1)),))
    return np.dot(together, weights)


def log_softmax(x):
    top = np.max(x, axis=1, keepdims=True)
    return x - (top + np.log(np.sum(np.exp(x - top), axis=1, keepdims=True)))


def predictions(params, inputs):
    hiddens = np.repeat(params["first"], inputs.shape[1], axis=0)
    output = [log_softmax(concat_and_multiply(params["predict"], hiddens))]
    for step in inputs:
        hiddens = np.tanh(concat_and_multiply(params["change"], step, hiddens))
        output.append(log_softmax(concat_and_multiply(params["predict"], hiddens)))
    return output


def loss(params, i=0):
    logs = predictions(params, sequences)
    total = 0.0
    for t in range(len(sequences)):
        total = total + np.sum(logs[t] * sequences[t])
    return -total / (sequences.shape[0] * sequences.shape[1])


def test_it_learns_the_text():
    params = create(3, 6, 3, npr.RandomState(0))
    check_grads(loss, modes=["rev"], order=1)(params)
    assert loss(params) > 0.8
    params = adam(grad(loss), params, step_size=0.05, num_iters=60)
    assert set(params) == {"first", "change", "predict"}
    assert loss(params) < 0.25                                           # all but the first letter can be known
    guesses = onp.stack([onp.argmax(p, axis=1) for p in predictions(params, sequences)])
    assert onp.mean(guesses[1:-1] == onp.argmax(sequences, axis=2)[1:]) > 0.95
