"""The table of a model's layers, output shapes and parameter counts, as Keras prints it."""

from __future__ import annotations

from math import prod
from typing import Any

from autograd import default_rng, no_grad, zeros

from ..module import Module

_HEADER = ("Layer (type)", "Output Shape", "Param #")
_STOPS = (0.45, 0.80, 1.0)                    # where the columns end, as fractions of the line


def summary(module: Module, name: str, input_shape: tuple[int, ...] | None = None, dtype: Any = "float32",
            optimizer: Any = None, line_length: int | None = None, expand_nested: bool = False) -> str:
    """The table as text.

    `input_shape` is that of one sample; with it (or where the first layer tells it) a batch of zeros is run through the
    model, in evaluation mode, to see the output shapes.  Memory is counted in units of 1024 bytes.
    """
    layers = _layers(module, expand_nested)
    shapes = _output_shapes(module, [layer for _, layer in layers], _input_shape(module, input_shape), dtype)
    rows = [(label, shapes.get(id(layer), "?"), f"{_count(layer, recurse=True):,}") for label, layer in layers]
    own = _count(module, recurse=False)
    if own and layers[-1][1] is not module:
        rows.append((f"of {type(module).__name__} itself", "-", f"{own:,}"))
    learned = [p for p in module.parameters() if p.requires_grad]
    fixed = [p for p in module.parameters() if not p.requires_grad] + _state(module)
    kept = optimizer_state(optimizer)
    lines = [f'Model: "{name}"', *_table(rows, _widths(line_length)),
             _total("Total", learned + fixed + kept), _total("Trainable", learned), _total("Non-trainable", fixed)]
    if kept:
        lines.append(_total("Optimizer", kept))
    return "\n".join(lines) + "\n"


def optimizer_state(optimizer: Any) -> list[Any]:
    """The arrays an optimizer keeps, such as momenta; step counts are not among them."""
    if optimizer is None:
        return []
    return [value for kept in optimizer.state_dict()["state"].values() for value in kept.values()
            if len(getattr(value, "shape", ()))]


def _state(module: Module, recurse: bool = True) -> list[Any]:
    """Buffers that are numbers: running means and the like; a count of batches is no parameter."""
    return [b for b in module.buffers(recurse=recurse) if b.dtype.kind in "fc"]


def _count(module: Module, recurse: bool) -> int:
    return sum(prod(t.shape) for t in (*module.parameters(recurse=recurse), *_state(module, recurse)))


def _layers(module: Module, expand: bool) -> list[tuple[str, Module]]:
    """(label, layer) of what is listed: the parts of the model, or the model itself where it has none."""
    return _parts(module, expand) or [(f"{type(module).__name__.lower()} ({type(module).__name__})", module)]


def _parts(module: Module, expand: bool, depth: int = 0, prefix: str = "") -> list[tuple[str, Module]]:
    found = []
    for name, child in module.named_children():
        path = f"{prefix}{name}"
        if type(child).forward is Module.forward:             # a ModuleList or the like is never called itself
            found += _parts(child, expand, depth, path + ".")
            continue
        indent = "   " * depth + "└ " if depth else ""
        found.append((f"{indent}{path} ({type(child).__name__})", child))
        if expand:
            found += _parts(child, expand, depth + 1, path + ".")
    return found


def _input_shape(module: Module, given: tuple[int, ...] | None) -> tuple[int, ...] | None:
    """The shape of one sample, where the user or the first layer says it."""
    if given is not None:
        return tuple(given)
    for layer in module.modules():
        if not any(True for _ in layer.children()):
            features = getattr(layer, "in_features", None)
            return (features,) if isinstance(features, int) else None
    return None


def _output_shapes(module: Module, layers: list[Module], shape: tuple[int, ...] | None, dtype: Any) -> dict[int, str]:
    """The output shape of each layer for a batch of zeros; of those that were not reached, nothing."""
    if shape is None:
        return {}
    shapes: dict[int, str] = {}
    handles = [layer.register_forward_hook(lambda part, args, output: shapes.__setitem__(id(part), _shape(output)))
               for layer in layers]
    modes = [(part, part.training) for part in module.modules()]
    draws = default_rng().bit_generator.state
    try:
        module.eval()
        with no_grad():
            module(zeros((2, *shape), dtype=dtype))
    except Exception:                          # a model for which zeros are no input: the shapes stay unknown
        pass
    finally:
        for handle in handles:
            handle.remove()
        for part, training in modes:
            part.training = training
        default_rng().bit_generator.state = draws
    return shapes


def _shape(output: Any) -> str:
    """(None, 32): the first axis counts samples and is left open."""
    if isinstance(output, (tuple, list)):
        return f"({', '.join(map(_shape, output))})"
    if isinstance(output, dict):
        return f"{{{', '.join(f'{key}: {_shape(value)}' for key, value in output.items())}}}"
    shape = getattr(output, "shape", None)
    return "?" if shape is None else f"({', '.join(['None', *map(str, shape[1:])])}{',' if len(shape) == 1 else ''})"


def _total(what: str, tensors: list[Any]) -> str:
    count, size = sum(prod(t.shape) for t in tensors), float(sum(t.nbytes for t in tensors))
    for unit in ("B", "KB", "MB", "GB", "TB"):
        if size < 1024 or unit == "TB":
            break
        size /= 1024
    return f" {what} params: {count:,} ({size:.2f} {unit})"


def _widths(line_length: int | None) -> list[int]:
    """The widths of the columns, for the terminal at hand (88 at most): rich's arithmetic, which Keras leaves it to."""
    from shutil import get_terminal_size

    length = line_length or min(88, get_terminal_size().columns - 4)
    ends = [int(stop * length) for stop in _STOPS]
    widths = [end - start + 2 for start, end in zip([0, *ends], ends)]        # and a space on either side
    excess, columns = sum(widths) + 4 - length, len(widths)
    for k in range(len(widths)):
        part = round(excess / columns)
        widths[k], excess, columns = widths[k] - part, excess - part, columns - 1
    if min(widths) < 4:
        raise ValueError(f"summary: line_length={length} is too short for the table; it needs 60 characters or more")
    return widths


def _table(rows: list[tuple[str, str, str]], widths: list[int]) -> list[str]:
    def rule(left: str, line: str, cross: str, right: str) -> str:
        return left + cross.join(line * width for width in widths) + right

    def cells(row: tuple[str, ...], bar: str) -> list[str]:
        parts = [_wrap(text, width - 2) for text, width in zip(row, widths)]
        return [bar + bar.join(f" {part[k] if k < len(part) else '':{'>' if at == 2 else '<'}{widths[at] - 2}} "
                               for at, part in enumerate(parts)) + bar for k in range(max(map(len, parts)))]

    lines: list[str] = [rule("┏", "━", "┳", "┓"), *cells(_HEADER, "┃"), rule("┡", "━", "╇", "┩")]
    for k, row in enumerate(rows):
        lines += [rule("├", "─", "┼", "┤")] * (k > 0) + cells(row, "│")
    return [*lines, rule("└", "─", "┴", "┘")]


def _wrap(text: str, width: int) -> list[str]:
    """Lines of at most `width` characters, broken at spaces where possible; leading spaces stay."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        joined = f"{line} {word}" if line or lines else word
        if len(joined) <= width:
            line = joined
            continue
        if line.strip():
            lines.append(line)
        while len(word) > width:
            lines.append(word[:width])
            word = word[width:]
        line = word
    return [*lines, line]
