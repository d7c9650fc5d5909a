"""Small correct training programs, of all the kinds people write: (model, loss, batch, optimizer)."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

import autograd
import nn
import optim
from autograd import Parameter, Tensor, cat, exp, matmul, randn, relu, softmax, stack, tanh
from nn import functional as F

PROGRAMS = {}
rng = np.random.default_rng(0)
X = rng.standard_normal((16, 6)).astype(np.float32)
LABELS = rng.integers(0, 3, 16)
LABELS[:3] = 0, 1, 2
YES = (X[:, :1] + X[:, 1:2] > 0).astype(np.float32)
IMAGES = rng.standard_normal((12, 2, 6, 6)).astype(np.float32)
TOKENS = rng.integers(0, 20, (16, 7))


def program(function):
    PROGRAMS[function.__name__] = function
    return function


def mlp(*sizes, act=nn.ReLU):
    layers = []
    for a, b in pairwise(sizes):
        layers += [nn.Linear(a, b), act()]
    return nn.Sequential(*layers[:-1])


class Net(nn.Module):
    """Attributes from keywords, forward from a function."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *args):
        return self.function(self, *args)


@program
def linear_regression():
    return nn.Linear(6, 1), nn.MSELoss(), (X, X[:, :1] * 2 + 1), "sgd"


@program
def logistic_regression():
    return nn.Linear(6, 1), nn.BCEWithLogitsLoss(), (X, YES), "sgd"


@program
def classifier():
    return mlp(6, 16, 3), nn.CrossEntropyLoss(), (X, LABELS), "adam"


@program
def classifier_with_dropout():
    model = nn.Sequential(nn.Linear(6, 32), nn.ReLU(), nn.Dropout(0.5), nn.Linear(32, 3))
    return model, "cross_entropy", (X, LABELS), "adam"


@program
def functional_dropout():
    net = Net(lambda m, x: m.out(F.dropout(relu(m.a(x)), 0.3, m.training)), a=nn.Linear(6, 16), out=nn.Linear(16, 3))
    return net, nn.CrossEntropyLoss(label_smoothing=0.1), (X, LABELS), "adam"


@program
def batch_norm():
    return (nn.Sequential(nn.Linear(6, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 3)), nn.CrossEntropyLoss(),
            (X, LABELS), "sgd")


@program
def layer_norm_and_gelu():
    return (nn.Sequential(nn.Linear(6, 16), nn.LayerNorm(16), nn.GELU(), nn.Linear(16, 1)), nn.HuberLoss(),
            (X, X[:, 2:3]), "adam")


@program
def sigmoid_and_bce():
    return nn.Sequential(mlp(6, 8, 1), nn.Sigmoid()), nn.BCELoss(), (X, YES), "adam"


@program
def log_softmax_and_nll():
    return nn.Sequential(mlp(6, 8, 3), nn.LogSoftmax(1)), nn.NLLLoss(), (X, LABELS), "adam"


@program
def brier_score():
    return (nn.Sequential(mlp(6, 8, 3), nn.Softmax(1)),
            lambda p, t: ((p - F.one_hot(t, 3)) ** 2).sum(1).mean(), (X, LABELS), "adam")


@program
def distillation():
    soft = np.exp(rng.standard_normal((16, 3)))
    return (nn.Sequential(mlp(6, 8, 3), nn.LogSoftmax(-1)), nn.KLDivLoss(reduction="batchmean"),
            (X, (soft / soft.sum(1, keepdims=True)).astype(np.float32)), "adam")


@program
def sigmoid_and_mse():
    return nn.Sequential(mlp(6, 8, 1), nn.Sigmoid()), nn.MSELoss(), (X, YES), "adam"


@program
def bag_of_words():
    return Net(lambda m, t: m.out(m.table(t).mean(1)), table=nn.Embedding(20, 8), out=nn.Linear(8, 3)), \
        nn.CrossEntropyLoss(), (TOKENS, LABELS), "adam"


@program
def convolution():
    def forward(m, x):
        x = F.max_pool2d(relu(F.conv2d(x, m.kernel, padding=1)), 2)
        return m.out(x.flatten(1))
    return (Net(forward, kernel=Parameter(randn(4, 2, 3, 3) * 0.3), out=nn.Linear(36, 3)), nn.CrossEntropyLoss(),
            (IMAGES, LABELS[:12]), "adam")


@program
def segmentation():
    t = rng.integers(0, 3, (12, 6, 6))
    t[0, 0] = -100
    return (Net(lambda m, x: F.conv2d(relu(F.conv2d(x, m.a, padding=1)), m.b), a=Parameter(randn(4, 2, 3, 3) * 0.3),
                b=Parameter(randn(3, 4, 1, 1) * 0.3)), nn.CrossEntropyLoss(), (IMAGES, t), "adam")


def recurrent(m, steps):
    h = autograd.zeros(steps[0].shape[0], 8)
    for x in steps:
        h = tanh(m.into(x) + m.on(h))
    return m.out(h)


@program
def recurrent_batch_first():
    x = rng.standard_normal((16, 5, 6)).astype(np.float32)
    return (Net(lambda m, x: recurrent(m, [x[:, t] for t in range(5)]), into=nn.Linear(6, 8), on=nn.Linear(8, 8),
                out=nn.Linear(8, 3)), nn.CrossEntropyLoss(), (x, LABELS), "adam")


@program
def recurrent_time_first():
    x = rng.standard_normal((5, 16, 6)).astype(np.float32)
    return (Net(lambda m, x: recurrent(m, [x[t] for t in range(5)]), into=nn.Linear(6, 8), on=nn.Linear(8, 8),
                out=nn.Linear(8, 3)), nn.CrossEntropyLoss(), (x, LABELS), "adam")


@program
def tagging_time_first():
    x = rng.standard_normal((5, 16, 6)).astype(np.float32)

    def forward(m, x):
        h, outs = autograd.zeros(16, 8), []
        for t in range(5):
            h = tanh(m.into(x[t]) + m.on(h))
            outs.append(m.out(h))
        return stack(outs)
    return (Net(forward, into=nn.Linear(6, 8), on=nn.Linear(8, 8), out=nn.Linear(8, 3)),
            lambda o, t: F.cross_entropy(o.flatten(0, 1), t.flatten()), (x, rng.integers(0, 3, (5, 16))), "adam")


@program
def attention():
    x = rng.standard_normal((16, 5, 6)).astype(np.float32)

    def forward(m, x):
        q, k, v = m.qkv(x).chunk(3, dim=-1)
        return m.out((softmax(matmul(q, k.transpose(1, 2)) / 6 ** 0.5, dim=-1) @ v).mean(1))
    return Net(forward, qkv=nn.Linear(6, 18), out=nn.Linear(6, 3)), nn.CrossEntropyLoss(), (x, LABELS), "adam"


@program
def variational_autoencoder():
    def forward(m, x):
        mean, log_var = m.encode(x).chunk(2, dim=-1)
        z = mean + exp(log_var / 2) * randn(*mean.shape)
        return m.decode(z), mean, log_var

    def loss(out, x):
        y, mean, log_var = out
        return ((y - x) ** 2).sum(1).mean() + 0.1 * (exp(log_var) + mean ** 2 - 1 - log_var).sum(1).mean() / 2
    return Net(forward, encode=mlp(6, 16, 8), decode=mlp(4, 16, 6)), loss, (X, X), "adam"


@program
def autoencoder():
    return mlp(6, 3, 6, act=nn.Tanh), nn.MSELoss(), (X, X), "adam"


@program
def residual_that_starts_as_identity():
    last = nn.Linear(16, 6)
    nn.init.zeros_(last.weight)
    nn.init.zeros_(last.bias)
    return (Net(lambda m, x: m.out(x + m.last(relu(m.first(x)))), first=nn.Linear(6, 16), last=last,
                out=nn.Linear(6, 3)), nn.CrossEntropyLoss(), (X, LABELS), "adam")


@program
def last_layer_of_zeros():
    model = mlp(6, 16, 3)
    nn.init.zeros_(model[2].weight)
    return model, nn.CrossEntropyLoss(), (X, LABELS), "sgd"


@program
def frozen_backbone():
    model = nn.Sequential(mlp(6, 16, 8).requires_grad_(False), nn.Linear(8, 3))
    return model, nn.CrossEntropyLoss(), (X, LABELS), optim.Adam(model[1].parameters(), lr=1e-2)


@program
def low_rank_adapter():
    base = nn.Linear(6, 8).requires_grad_(False)
    return (Net(lambda m, x: m.out(relu(m.base(x) + (x @ m.a) @ m.b)), base=base, a=Parameter(randn(6, 2)),
                b=Parameter(autograd.zeros(2, 8)), out=nn.Linear(8, 3)), nn.CrossEntropyLoss(), (X, LABELS), "adam")


@program
def two_inputs():
    return (Net(lambda m, x, t: m.out(cat([relu(m.a(x)), m.table(t).mean(1)], dim=1)), a=nn.Linear(6, 8),
                table=nn.Embedding(20, 4), out=nn.Linear(12, 1)), nn.L1Loss(), (X, TOKENS, X[:, :1]), "adam")


@program
def graph_convolution():
    links = (rng.random((16, 16)) < 0.3).astype(np.float32) + np.eye(16, dtype=np.float32)
    net = Net(lambda m, x: m.b(m.links @ relu(m.a(m.links @ x))), a=nn.Linear(6, 8), b=nn.Linear(8, 3))
    net.register_buffer("links", Tensor(links / links.sum(1, keepdims=True)))
    return net, nn.CrossEntropyLoss(), (X, LABELS), "adam"


@program
def permute_then_reshape():
    x = rng.standard_normal((4, 16, 6)).astype(np.float32)          # time first
    return (Net(lambda m, x: m.out(x.permute(1, 0, 2).reshape(16, -1)), out=nn.Linear(24, 3)), nn.CrossEntropyLoss(),
            (x, LABELS), "adam")


@program
def straight_through():
    def forward(m, x):
        h = m.a(x)
        return m.out(h + ((h > 0) * 1.0 - h).detach())
    return Net(forward, a=nn.Linear(6, 16), out=nn.Linear(16, 3)), nn.CrossEntropyLoss(), (X, LABELS), "adam"


@program
def momentum_teacher():
    """A teacher that no gradient is to reach, as in self-distillation."""
    def forward(m, x):
        with autograd.no_grad():
            aim = m.teacher(x)
        return m.student(x), aim
    return (Net(forward, student=mlp(6, 8, 4), teacher=mlp(6, 8, 4).requires_grad_(False)),
            lambda out, y: ((out[0] - out[1]) ** 2).mean(), (X, LABELS), "adam")


@program
def several_labels():
    many = (rng.random((16, 4)) < 0.3).astype(np.float32)
    return mlp(6, 8, 4), nn.BCEWithLogitsLoss(pos_weight=Tensor([2., 2, 2, 2])), (X, many), "adam"


@program
def counts():
    return nn.Linear(6, 1), lambda o, t: F.poisson_nll_loss(o, t), \
        (X, rng.poisson(2, (16, 1)).astype(np.float32)), "sgd"


@program
def mean_and_variance():
    return mlp(6, 16, 2), lambda o, t: F.gaussian_nll_loss(o[:, :1], t, exp(o[:, 1:])), (X, X[:, :1]), "adam"


@program
def support_vectors():
    signs = np.where(YES > 0, 1, -1).astype(np.float32)
    return nn.Linear(6, 1), lambda o, t: relu(1 - o * t).mean(), (X, signs), "sgd"


@program
def squeezed_regression():
    return Net(lambda m, x: m.net(x).squeeze(-1), net=mlp(6, 8, 1)), nn.MSELoss(), (X, X[:, 0]), "adam"


@program
def contrastive():
    """Each sample against the others, in the loss."""
    other = X + 0.1 * rng.standard_normal(X.shape).astype(np.float32)
    return (Net(lambda m, a, b: (F.normalize(m.net(a), dim=1), F.normalize(m.net(b), dim=1)), net=mlp(6, 16, 4)),
            lambda z, y: F.cross_entropy(z[0] @ z[1].T / 0.2, y), (X, other, np.arange(16)), "adam")


@program
def tied_weights():
    return (Net(lambda m, t: F.linear(m.a(m.table(t).mean(1)), m.table.weight), table=nn.Embedding(20, 8),
                a=nn.Linear(8, 8)), nn.CrossEntropyLoss(), (TOKENS, TOKENS[:, 0]), "adam")


@program
def already_trained():
    model = nn.Linear(6, 1)
    w, *_ = np.linalg.lstsq(np.c_[X, np.ones(16)], YES, rcond=None)
    model.weight.data, model.bias.data = Tensor(w[:6].T.astype(np.float32)), Tensor(w[6].astype(np.float32))
    return model, nn.MSELoss(), (X, YES), "adam"


@program
def deep_and_double():
    return (mlp(6, 12, 12, 12, 12, 1, act=nn.Tanh).double(), nn.MSELoss(),
            (X.astype(np.float64), X[:, :1].astype(np.float64)), "adam")
