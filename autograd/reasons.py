"""`why(tensor)`: in one paragraph, why a tensor has no gradient, or what it is worth."""

from __future__ import annotations

from os.path import basename
from typing import Any

from .ancestry import history, path
from .modes import Mode, current
from .node import Node
from .op import Op
from .tensor import Parameter, Tensor


def why(tensor: Any, loss: Tensor | None = None) -> str:
    """Why `.grad` of a tensor is what it is: a paragraph for reading.  With `loss`, whether that depends on it.

        >>> print(autograd.why(model.weight, loss))

    Raises TypeError for what is not a Tensor.
    """
    if not isinstance(tensor, Tensor):
        raise TypeError(f"why: expected a Tensor; got {type(tensor).__name__}, which has no gradient in any case")
    who = f"{tensor.name!r}" if tensor.name else "parameter" if isinstance(tensor, Parameter) else "tensor"
    who = f"The {who} of shape {tensor.shape} and dtype {tensor.dtype}" if not tensor.name else \
        f"{who}, of shape {tensor.shape} and dtype {tensor.dtype},"
    if tensor.node is None:
        return f"{who} {_without_history(tensor)}"
    if loss is not None:
        return f"{who} {_beside(tensor, tensor.node, loss)}"
    if tensor.grad is not None:
        return f"{who} has a gradient of root mean square {_rms(tensor.grad):.3g}: a backward() reached it."
    if tensor.node.op is None:
        return (f"{who} requires a gradient and has none yet: since the last zero_grad() no backward() has reached it. "
                "Either backward() was not called, or what it was called on does not depend on this tensor: "
                "why(tensor, loss) tells which.")
    return f"{who} {_computed(tensor, tensor.node)}"


def _rms(g: Tensor) -> float:
    return float((abs(g.value) ** 2).mean() ** 0.5) if g.numel() else 0.0


def _computed(tensor: Tensor, node: Node) -> str:
    assert node.op is not None
    text = (
        f"was computed, by {node.op.name}{_line(node)}, and gradients of computed tensors pass through and are not kept"
    )
    if tensor.retains_grad:
        return text + "; retain_grad() was called for it, and no backward() has reached it since."
    return text + ": call retain_grad() on it before backward(), or read it with register_hook()."


def _line(node: Node) -> str:
    return f" at {node.extra.line}" if node.extra is not None and node.extra.line else ""


def _without_history(tensor: Tensor) -> str:
    cut = getattr(tensor, "cut", None)
    if isinstance(cut, Mode):
        at = f" at {cut.since}" if cut.since else ""
        return (
            "has no gradient: it was computed inside no_grad() (or inference_mode, or set_grad_enabled(False)) that "
            f"was entered{at}, from tensors that require gradients. Compute it outside, or open enable_grad() inside."
        )
    if isinstance(cut, Op):
        return (
            f"has no gradient: {cut.name} gives {tensor.dtype}, which jumps from value to value and has no derivative, "
            "although what it was computed from requires one."
        )
    if isinstance(cut, tuple):
        return (
            f"has no gradient: it was cut off by detach() (or .data) at {basename(cut[0])}:{cut[1]}. Use the tensor "
            "it was detached from."
        )
    if tensor.dtype.kind not in "fc":
        return (
            f"has no gradient: {tensor.dtype} is not a floating-point type, so it cannot vary smoothly. Comparisons, "
            "argmax and integer data end the flow of gradients; make it float with requires_grad=True if it is meant "
            "to be learned."
        )
    mode = current()
    text = (
        "has no gradient because it does not require one: it was made from plain data, without requires_grad=True, or "
        "computed from such tensors only. Call requires_grad_() on what should be learned before computing with it."
    )
    if mode is not None and not mode.grad:
        text += f" (Gradients are off just now, since {mode.since or 'a set_grad_enabled(False)'}.)"
    return text


def _beside(tensor: Tensor, node: Node, loss: Tensor) -> str:
    if not isinstance(loss, Tensor):
        raise TypeError(f"why: expected the loss as a Tensor; got {type(loss).__name__}")
    if loss.node is None:
        return f"gets no gradient from this loss, for the loss has no history itself: it {_without_history(loss)}"
    order = history([loss.node])
    if node not in order:
        used = [n for n in order if n.op is None]
        text = (
            f"gets no gradient from this loss: the loss does not depend on it. Of its {len(order)} steps and leaves "
            f"none is this tensor; its leaves are {_names(used)}."
        )
        if node.op is None:
            text += (
                " If it should be one of them, look for a detach(), an .item() or .numpy(), a no_grad() block, or a "
                "tensor that was made anew from its values, between the two."
            )
        else:
            text += f" (It was computed by {node.op.name}{_line(node)}.)"
        return text
    steps = path(loss.node, node)[:-1]
    freed = any(n.saved is None for n in steps)
    chain = " <- ".join(f"{n.op.name}{_line(n)}" for n in steps[:6] if n.op is not None)
    chain += f" <- ({len(steps) - 7} more)" if len(steps) > 7 else ""
    has = tensor.grad
    if has is not None:
        return (
            f"is reached from the loss: {chain or 'it is the loss'}. Its gradient has root mean square {_rms(has):.3g}."
        )
    if freed:
        return (f"is reached from the loss ({chain}), and a backward() has passed already: "
                + ("its gradient was cleared since." if node.op is None else _computed(tensor, node)))
    flat = [n.op.name for n in steps if n.op is not None and n.op.name in _FLAT]
    note = f" On the way {flat[0]} is constant between jumps, so the gradient will be 0." if flat else ""
    return (f"is reached from the loss: {chain or 'it is the loss'}. It gets its gradient when loss.backward() is "
            f"called.{note}")


_FLAT = {"floor", "ceil", "round", "trunc", "sign"}


def _names(leaves: list[Node]) -> str:
    shown = [repr(n.extra.name) if n.extra is not None and n.extra.name else f"one of shape {n.shape}" for n in leaves]
    return ", ".join(shown[:6]) + (f" and {len(shown) - 6} more" if len(shown) > 6 else "") if shown else "none"
