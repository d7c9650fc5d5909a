"""The programs that are timed in this library and, in a process of its own, in HIPS autograd: the same text for both.

    python -P hips_programs.py            # reads "name repeats" lines, answers each with seconds per call
"""

import sys
from itertools import pairwise
from time import perf_counter

import numpy as onp

import autograd.numpy as np
from autograd import grad, hessian_vector_product


def classifier(sizes, batch):
    """(loss of a list of weights and biases, that list): a network of tanh layers, and cross entropy."""
    rs = onp.random.RandomState(0)
    params = [(rs.randn(m, n) / onp.sqrt(m), rs.randn(n) * 0.1) for m, n in pairwise(sizes)]
    inputs, targets = rs.randn(batch, sizes[0]), onp.eye(sizes[-1])[rs.randint(0, sizes[-1], batch)]

    def loss(params):
        hidden = inputs
        for W, b in params:
            outputs = np.dot(hidden, W) + b
            hidden = np.tanh(outputs)
        top = np.max(outputs, axis=1, keepdims=True)
        logs = outputs - top - np.log(np.sum(np.exp(outputs - top), axis=1, keepdims=True))
        return -np.sum(logs * targets) / batch
    return loss, params


def gradient(sizes, batch):
    """The gradient of the classifier's loss to all its weights."""
    loss, params = classifier(sizes, batch)
    slope = grad(loss)
    return lambda: slope(params)


def product(sizes, batch):
    """The Hessian of the classifier's loss, of its first weights, times a matrix."""
    loss, params = classifier(sizes, batch)
    (W, b), rest = params[0], params[1:]
    times_hessian = hessian_vector_product(lambda W: loss([(W, b), *rest]))
    direction = onp.ones_like(W)
    return lambda: times_hessian(W, direction)


PROGRAMS = {
    "gradient of the loss of an MLP 64-32-10, batch 32": lambda: gradient((64, 32, 10), 32),
    "gradient of the loss of an MLP 784-128-10, batch 128": lambda: gradient((784, 128, 10), 128),
    "Hessian-vector product of the MLP 64-32-10": lambda: product((64, 32, 10), 32),
}


def value_of(found):
    """One number that two libraries must agree on."""
    while isinstance(found, (list, tuple)):
        found = found[0]
    return float(onp.sum(onp.asarray(found) ** 2))


def serve():
    """Run what the lines of the standard input name, so many times each, and say how long a call took."""
    made = {}
    for line in sys.stdin:
        repeats, _, name = line.strip().partition(" ")
        if name not in made:
            made[name] = PROGRAMS[name]()
        program = made[name]
        if repeats == "value":
            print(value_of(program()), flush=True)
            continue
        program()
        start = perf_counter()
        for _ in range(int(repeats)):
            program()
        print((perf_counter() - start) / int(repeats), flush=True)


if __name__ == "__main__":
    serve()
