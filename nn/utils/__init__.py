"""PyTorch's torch.nn.utils: clipping, parameters as one vector, fused layers, parametrizations, pruning, sequences.

Each name is imported when it is first asked for.
"""

from typing import Any

PARTS = ("parametrizations", "parametrize", "prune", "rnn")
FAMILIES = {
    "optim.clip": "clip_grad_norm_ clip_grad_value_ clip_grads_with_norm_ get_total_norm",
    "nn.utils.fusion": "fuse_conv_bn_eval fuse_conv_bn_weights fuse_linear_bn_eval fuse_linear_bn_weights",
    "nn.utils.reparametrized": "remove_spectral_norm remove_weight_norm spectral_norm weight_norm",
    "nn.utils.vectors": "parameters_to_vector vector_to_parameters",
}
LATE = {name: family for family, names in FAMILIES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    from importlib import import_module
    if name in PARTS:
        return import_module(f"nn.utils.{name}")
    if name not in LATE:
        raise AttributeError(f"module 'nn.utils' has no attribute {name!r}")
    found = globals()[name] = getattr(import_module(LATE[name]), name)
    return found


def __dir__() -> list[str]:
    return sorted([*globals(), *PARTS, *LATE])
