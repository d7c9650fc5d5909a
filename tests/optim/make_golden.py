"""Writes golden.json: what PyTorch's optimizers and schedules do, in float64.  Run with torch 2.13 installed:

    python tests/optim/make_golden.py
"""

import json
import warnings
from pathlib import Path

import numpy as np

SHAPES = [(2, 3), (4,), ()]

RULES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.01, "momentum": 0.5, "maximize": True, "weight_decay": 0.05}),
    ("RMSprop", {}),
    ("RMSprop", {"lr": 0.02, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.05}),
    ("RMSprop", {"momentum": 0.9}),
    ("RMSprop", {"centered": True}),
    ("RMSprop", {"centered": True, "momentum": 0.9, "weight_decay": 0.05, "maximize": True}),
    ("Adagrad", {}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "initial_accumulator_value": 0.1, "eps": 1e-3, "weight_decay": 0.05}),
    ("Adagrad", {"lr": 0.1, "maximize": True}),
    ("Adam", {}),
    ("Adam", {"lr": 0.02, "betas": [0.5, 0.9], "eps": 1e-2, "weight_decay": 0.05}),
    ("Adam", {"lr": 0.02, "amsgrad": True, "betas": [0.0, 0.5]}),
    ("Adam", {"lr": 0.02, "amsgrad": True, "weight_decay": 0.05, "maximize": True}),
    ("AdamW", {"lr": 0.02}),
    ("AdamW", {"lr": 0.02, "weight_decay": 0.5, "amsgrad": True, "betas": [0.8, 0.5]}),
    ("AdamW", {"lr": 0.02, "weight_decay": 0.1, "maximize": True}),
    ("ASGD", {"lambd": 0.1, "t0": 5}),
    ("Rprop", {"etas": [0.4, 1.5], "step_sizes": [0.001, 0.1]}),
    ("Adadelta", {"lr": 0.5, "weight_decay": 0.05}),
    ("Adamax", {"weight_decay": 0.05, "maximize": True}),
    ("NAdam", {"weight_decay": 0.05}),
    ("NAdam", {"momentum_decay": 0.02, "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("RAdam", {"weight_decay": 0.05}),
    ("RAdam", {"betas": [0.8, 0.9], "weight_decay": 0.1, "decoupled_weight_decay": True}),
    ("Adafactor", {"weight_decay": 0.1}),
    ("Adafactor", {"lr": 0.5, "beta2_decay": -0.5, "eps": [1e-4, 1e-2], "d": 1.5, "maximize": True}),
]

SCHEDULES = [
    [("StepLR", {"step_size": 7, "gamma": 0.3})],
    [("StepLR", {"step_size": 1})],
    [("MultiStepLR", {"milestones": [3, 3, 10, 30], "gamma": 0.5})],
    [("ConstantLR", {})],
    [("ConstantLR", {"factor": 0.2, "total_iters": 20})],
    [("LinearLR", {})],
    [("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 30})],
    [("ExponentialLR", {"gamma": 0.9})],
    [("CosineAnnealingLR", {"T_max": 20})],
    [("CosineAnnealingLR", {"T_max": 50, "eta_min": 0.01})],
    [("PolynomialLR", {"total_iters": 20, "power": 0.7})],
    [("CosineAnnealingWarmRestarts", {"T_0": 4, "T_mult": 2, "eta_min": 0.01})],
    [("CyclicLR", {"base_lr": 0.1, "max_lr": 0.5, "step_size_up": 4, "step_size_down": 7, "mode": "triangular2"})],
    [("OneCycleLR", {"max_lr": [0.3, 0.2], "total_steps": 60})],
    [("OneCycleLR", {"max_lr": 0.3, "total_steps": 60, "three_phase": True, "anneal_strategy": "linear"})],
    [("LinearLR", {"start_factor": 0.1, "total_iters": 10}), ("ExponentialLR", {"gamma": 0.9})],
    [("ConstantLR", {"factor": 0.5}), ("StepLR", {"step_size": 4, "gamma": 0.5})],
    [("MultiStepLR", {"milestones": [5]}), ("CosineAnnealingLR", {"T_max": 9, "eta_min": 0.01})],
    [("CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}), ("StepLR", {"step_size": 7, "gamma": 0.3})],
]


def gradient(p, t, i):
    """What parameter i is given at step t, or None: the tests have the same function."""
    if (t + i) % 5 == 4:
        return None
    return 0.3 * p + np.cos(1.7 * t + 2.3 * i + np.arange(p.size).reshape(p.shape))


def start(i):
    """The first value of parameter i."""
    return np.sin(1.0 + i + np.arange(np.prod(SHAPES[i], dtype=int))).reshape(SHAPES[i])


def main():
    import torch
    torch.set_default_dtype(torch.float64)                # in which the numbers of a state are kept

    def groups(params, settings):
        return [{"params": params[:2]}, {"params": params[2:], "lr": 3 * settings.get("lr", 0.01), "weight_decay": 0.2}]

    def run(optimizer, params, steps):
        for t in steps:
            for i, p in enumerate(params):
                g = gradient(p.detach().numpy(), t, i)
                p.grad = None if g is None else torch.tensor(g)
            optimizer.step()

    def values(params):
        return [p.tolist() for p in params]

    rules = []
    for name, settings in RULES:
        params = [torch.tensor(start(i), requires_grad=True) for i in range(len(SHAPES))]
        optimizer = getattr(torch.optim, name)(groups(params, settings), **settings)
        run(optimizer, params, range(1))
        first = values(params)
        run(optimizer, params, range(1, 10))
        state = {i: {k: v.tolist() for k, v in s.items()} for i, s in optimizer.state_dict()["state"].items()}
        saved = {"state": state, "param_groups": optimizer.state_dict()["param_groups"]}
        middle = values(params)
        run(optimizer, params, range(10, 20))
        rules.append({"name": name, "settings": settings, "first": first, "middle": middle, "state_dict": saved,
                      "last": values(params)})

    schedules = []
    for chain in SCHEDULES:
        optimizer = torch.optim.SGD([{"params": [torch.zeros(1, requires_grad=True)]},
                                     {"params": [torch.zeros(1, requires_grad=True)], "lr": 0.5}], lr=0.1)
        stack = [getattr(torch.optim.lr_scheduler, name)(optimizer, **settings) for name, settings in chain]
        rates = []
        for _ in range(50):
            rates.append([group["lr"] for group in optimizer.param_groups])
            optimizer.step()
            for scheduler in stack:
                scheduler.step()
        schedules.append({"chain": chain, "rates": rates})

    text = json.dumps({"torch": torch.__version__, "rules": rules, "schedules": schedules}, separators=(",", ":"))
    for key in ("name", "chain"):                         # one case a line
        text = text.replace(f'{{"{key}"', f'\n{{"{key}"')
    Path(__file__).with_name("golden.json").write_text(text + "\n")


if __name__ == "__main__":
    warnings.simplefilter("error")
    main()
