"""Hooks of all modules at once, with the names and arguments of PyTorch's torch.nn.modules.module.

They are called before a module's own; while there is none, a module pays nothing for them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .hooks import HookHandle
from .module import Module


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> HookHandle:
    """Call hook(module, args) before the forward of every module; what it returns takes the place of the arguments."""
    return HookHandle(Module, "before", hook)


def register_module_forward_hook(hook: Callable[..., Any], *, with_kwargs: bool = False,
                                 always_call: bool = False) -> HookHandle:
    """Call hook(module, args, output) after the forward of every module; what it returns takes the place of the output.

    `with_kwargs` and `always_call` as in `Module.register_forward_hook`.
    """
    return HookHandle(Module, "after", hook, with_kwargs=with_kwargs, always=always_call)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> HookHandle:
    """Call hook(module, grad_input, grad_output) when the gradients of the inputs of a module, any, are known."""
    return HookHandle(Module, "backward", hook)


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> HookHandle:
    """Call hook(module, grad_output) when the gradients of the outputs of a module, any, are known."""
    return HookHandle(Module, "backward_before", hook)
