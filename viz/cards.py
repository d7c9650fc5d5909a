"""The card of each item: what it says, in rows and cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from . import marks, measure
from .measure import lay, with_rules
from .scene import SLANT, Card, Cell, Row
from .text import MAX_PATH, amount, clean, exact, fit, number, shape, width
from .theme import SIGNS, Ramp, rms_of
from .words import chunk_words, leaf_name, leaf_words, module_words, repeat_words, tooltip

if TYPE_CHECKING:
    from autograd.graph import GraphNode

    from .view import Item, View

MOST_ROWS = 8                                  # parameters, or rules, that one card shows
HEADER, ROW = 25.0, 20.0
TITLE, MONO = 12.0, 9.5                        # sizes of type
FORMS = {"reduction": "reduction", "shape": "view", "index": "view", "custom": "custom"}


class Cards:
    """Makes cards; knows what they share: the graph's main dtype, the ramp, whether gradients are shown at all."""

    def __init__(self, view: View, ramp: Ramp, rankdir: str, values: bool | str = "auto",
                 gradients: bool | str = "auto", titled: bool = True) -> None:
        self.view, self.graph, self.ramp, self.titled = view, view.graph, ramp, titled
        self.values, self.gradients = values, gradients
        self.sideways = rankdir == "LR"
        floats = [n.dtype for n in self.graph.nodes if n.dtype.startswith(("float", "bfloat", "complex"))]
        self.dtype = max(sorted(set(floats)), key=floats.count) if floats else ""
        self.grads = any(n.grad is not None for n in self.graph.nodes)
        # unless a backward pass was recorded, only leaves know their gradients
        self.inner = any(n.grad is not None for n in self.graph.nodes if n.kind == "op")
        self.backward = view.direction == "backward"
        self.bad = {bad.node for bad in marks.first_bad(self.graph) if not bad.backward or gradients is not False}
        self.freed = marks.freed(self.graph) if self.backward else {}
        self.kinds: set[str] = set()           # what the legend must explain

    def card(self, item: Item) -> Card:
        """The card of one item, with its marks."""
        node = self.graph.nodes[item.nodes[0]]
        single = item.kind in ("op", "loss", "leaf")
        kind = item.kind if item.kind in ("module", "repeat", "output", "seed") else node.kind
        facts = [("kind", kind), ("op", clean(node.op)), ("name", clean(node.name)), ("line", clean(node.line))]
        data = [(f"data-{what}", fact) for what, fact in (facts if single else facts[:1]) if fact]
        module = clean(item.path or node.module, MAX_PATH)
        card = self._card(item)
        found = marks.signs(node) if single else ()
        self.kinds.update(found)
        return card._replace(data=(*data, *((("data-module", module),) if module else ())), signs=found,
                             ring=not self.bad.isdisjoint(item.nodes))

    def title(self, item: Item) -> str:
        """The tooltip of a card; "" where nobody will see it."""
        return tooltip(self.graph, item) if self.titled else ""

    def _card(self, item: Item) -> Card:
        if item.kind in ("module", "repeat"):
            return self._closed(item)
        if item.kind in ("output", "seed"):
            return self._end(item)
        if self.view.scalar:
            return self._number(item)
        if item.kind == "leaf":
            return self._leaf(item)
        return self._loss(item) if item.kind == "loss" else self._op(item)

    # -- cells ------------------------------------------------------------------------------------------------

    def shape(self, node: GraphNode, size: float = 10.0) -> Cell:
        """16×32, with the dtype where it is not the main one."""
        words = shape(node.shape)
        return Cell(words if node.dtype in (self.dtype, "") else f"{words} {clean(node.dtype, 16)}", size=size,
                    align="end", column="shape")

    def value(self, node: GraphNode) -> tuple[Cell, ...]:
        """What the value is, in a column of its own, where values are asked for: mean ± standard deviation."""
        if self.values is not True or node.value is None or self.backward:
            return ()
        value = node.value
        words = exact(value.item) if value.item is not None else f"{number(value.mean)} ± {number(value.std)}"
        return (Cell(words, size=9, align="end", column="value"),)

    def scalar(self, node: GraphNode) -> float | None:
        """The one number of a scalar, unless values are to be left out."""
        return node.value.item if node.value and node.shape == () and self.values is not False else None

    def rms(self, nodes: tuple[int, ...]) -> float | None:
        """RMS of the gradients of several nodes taken together; NaN or infinity where there is any; None if unknown."""
        total, count = 0.0, 0
        for i in nodes:
            grad = self.graph.nodes[i].grad
            rms = rms_of(grad)
            if grad is not None and rms is not None:
                total, count = total + rms * rms * max(1, grad.size), count + max(1, grad.size)
        return math.sqrt(total / count) if count else None

    def swatch(self, nodes: tuple[int, ...]) -> tuple[Cell, ...]:
        """The gradient of these nodes as a coloured number, or as a word where there is none."""
        hidden = not self.grads or (not self.inner and self.graph.nodes[nodes[0]].kind == "op")
        if self.gradients is False or (hidden and self.gradients is not True):
            return ()
        rms = self.rms(nodes)
        if rms is None:
            none = all(self.graph.nodes[i].grad_state == "none" for i in nodes)
            return (Cell("no grad" if none else "pending", "sub", 8.5, align="middle", column="swatch"),)
        role = self.ramp.swatch(rms)
        self.kinds.add("alarm" if role == "alarm" else "ramp")
        grad = self.graph.nodes[nodes[0]].grad
        shown = rms if len(nodes) > 1 or grad is None or grad.item is None else grad.item          # with its sign
        return (Cell(number(shown), role + "-ink", 9, align="middle", fill=role, column="swatch"),)

    def _strip(self, turns: tuple[tuple[int, ...], ...], most: int = 40) -> tuple[Row, ...]:
        """A swatch for each turn's result, first to last; evenly thinned where there are very many."""
        step = math.ceil(len(turns) / most)
        values = [self.rms(turn[-1:]) for turn in turns[::step]]
        if not self.grads or self.gradients is False or all(v is None for v in values):
            return ()
        self.kinds.add("ramp")
        size = 16.0 if len(values) <= 14 else 9.0
        roles = ["hair" if v is None else self.ramp.swatch(v) for v in values]
        label = f"∇ 1 … {len(turns)}"
        first = Cell(label, "sub", 9, width=math.ceil(width(label, 9)) + 6.0)
        cells = [Cell("", role + "-ink", 9, fill=role, width=size) for role in roles]
        return (Row((first, *cells), 19),)

    # -- rows -------------------------------------------------------------------------------------------------

    def _leaf_row(self, row: tuple[int, ...], item: Item) -> Row:
        node = self.graph.nodes[row[0]]
        self.kinds.add(node.kind)
        ink = f"{node.kind}-ink"
        name = leaf_name(node, self._module(item))
        cells: tuple[Cell, ...] = (Cell(fit(name, 170, 10), ink, sign=node.kind), *self._signs(node), *self.value(node),
                                   self.shape(node, 9))
        if node.kind == "constant" and not name:
            values = {n.value.item if n.value else None for n in (self.graph.nodes[a] for a in row)}
            value = values.pop() if len(values) == 1 else None
            first = Cell(exact(value) if value is not None else "constant", ink, sign="constant")
            cells = (first,) if node.shape == () else (first, *cells[1:])
        grad = self.swatch(row) if node.requires_grad else ()
        return Row((*cells, *grad), ROW, node.kind, row, node.kind == "buffer", title=leaf_words(node))

    def _signs(self, node: GraphNode) -> tuple[Cell, ...]:
        """The marks of a leaf in a row: hooks, a kept gradient, and where it was cut from its history."""
        found = (*marks.signs(node), *(("cut",) if marks.cut_words(node) else ()))
        self.kinds.update(found)
        return tuple(Cell("", "ink", 10, sign=name, width=20.0, align="middle") for name in found)

    def _result_row(self, leaves: tuple[int, ...], formula: str, gathers: bool, item: Item) -> Row:
        node = self.graph.nodes[leaves[0]]
        self.kinds.add(node.kind)
        name = fit(f"{leaf_name(node, self._module(item))}.grad", 150, 10, bold=True)
        rule = fit(f"{'+=' if gathers else '='} {formula or '…'}", 230, MONO, mono=True)
        return Row((Cell(name, f"{node.kind}-ink", bold=True, sign=node.kind),
                    Cell(rule, size=MONO, mono=True, column="formula"), self.shape(node, 9), *self.swatch(leaves)),
                   ROW, node.kind, leaves, title=leaf_words(node))

    def _module(self, item: Item) -> str:
        return self.graph.nodes[item.nodes[0]].module

    # -- cards ------------------------------------------------------------------------------------------------

    def _op(self, item: Item) -> Card:
        node = self.graph.nodes[item.nodes[0]]
        role = role_of(node)
        self.kinds.add(role)
        name = clean(node.name)
        title = clean(node.op) + (f" → {name}" if name and not self.backward else "")
        rows = [Row((Cell(fit(title, 210, TITLE, bold=True), f"{role}-ink", TITLE, True, sign=sign_of(node, role)),
                     *self.value(node), self.shape(node), *self.swatch(item.nodes)), HEADER, role)]
        if item.path:
            rows.append(Row((Cell(fit(module_words(self.graph, item.path), 210, 9), "sub", 9),), 14, role))
        results = [r for r in item.rules if r.leaves]
        rows += [self._leaf_row(row, item) for row in item.rows[:MOST_ROWS]]
        rows += [self._result_row(r.leaves, r.text, r.gathers, item) for r in results[:MOST_ROWS]]
        more = max(len(item.rows), len(results)) - MOST_ROWS
        if more > 0:
            rows.append(Row((Cell(f"… {more} more", "sub", 9),), ROW, "buffer"))
        if node.id in self.freed:
            rows.append(Row((Cell(fit(marks.freed_words(self.freed[node.id]), 240, 9), "sub", 9),), 15))
        return self._ruled(item, FORMS.get(role, "card"), role, rows, 96)

    def _ruled(self, item: Item, form: str, role: str, rows: list[Row], least: float, left: float = measure.PAD,
               mark: str = "") -> Card:
        """A card with the rules of its op at the foot, in a backward view."""
        rules = [r for r in item.rules if not r.leaves]
        feet = [(r.arg, Cell(fit(r.text, 300, MONO, mono=True), size=MONO, mono=True)) for r in rules[:MOST_ROWS]]
        if len(rules) > MOST_ROWS:
            feet.append((-1, Cell(f"… {len(rules) - MOST_ROWS} more", "sub", MONO)))
        slant = 2 * SLANT if form == "reduction" and feet else 0.0             # its sides come closer towards the foot
        rows, total = lay(rows, max(least, measure.rules_need(feet, self.sideways, left) + slant), left)
        rows, ports = with_rules(rows, total, feet, self.sideways, left)
        badge = f"Σ {item.gathers}" if item.gathers and self.backward else ""
        return measure.card(item, form, role, rows, total, self.title(item), badge, ports, mark, self.sideways)

    def _leaf(self, item: Item) -> Card:
        node = self.graph.nodes[item.nodes[0]]
        self.kinds.add(node.kind)
        name = leaf_name(node, "") + (".grad" if self.backward else "")
        value = self.scalar(node) if not self.backward else None
        if node.kind == "constant" and not name and value is not None:
            cells: tuple[Cell, ...] = (Cell(exact(value), "ink", TITLE, True, sign="constant"),)
        else:
            size = (*self.value(node), self.shape(node)) if value is None else (value_cell(value),)
            cells = (Cell(fit(name, 210, TITLE, bold=True), f"{node.kind}-ink", TITLE, True, sign=node.kind),
                     *(self._signs(node)[-1:] if marks.cut_words(node) else ()), *size)
        rows, total = lay([Row((*cells, *(self.swatch(item.nodes) if node.requires_grad else ())), HEADER + 2)])
        form = "input" if node.kind == "input" and not self.backward else "pill"
        return measure.card(item, form, node.kind, rows, total, self.title(item),
                            f"Σ {item.gathers}" if item.gathers and self.backward else "")

    def _loss(self, item: Item) -> Card:
        node = self.graph.nodes[item.nodes[0]]
        self.kinds.add("loss")
        words = " → ".join(w for w in (clean(node.op), clean(node.name)) if w)
        title = fit(words, 240, TITLE, bold=True)
        rows = [Row((Cell(title, "loss-ink", TITLE, True, align="middle", sign="loss"),), 18)]
        if node.value and node.value.item is not None and self.values is not False:
            rows.append(Row((Cell(exact(node.value.item), size=13, bold=True, align="middle"),), 18))
        rows, total = lay(rows)
        return measure.card(item, "loss", "loss", rows, total, self.title(item))

    def _end(self, item: Item) -> Card:
        """Where a result comes out; in a backward view, where the sweep starts with g = 1."""
        node = self.graph.nodes[item.nodes[0]]
        self.kinds.add("loss")
        seed = item.kind == "seed"
        name = clean(node.name) or (clean(node.op) if seed and node.category == "loss" else "output")
        value = self.scalar(node)
        size = self.shape(node) if value is None else value_cell(value)
        rows = [Row((Cell(fit(name, 200, TITLE, bold=True), "loss-ink", TITLE, True, sign="loss"), size),
                    20 if seed else HEADER + 2)]
        if seed:
            given = "g = 1" if node.shape == () else f"g {shape(node.shape)}"
            rows.append(Row((Cell(given, size=MONO, mono=True, align="middle"),), 18))
        rows, total = lay(rows)
        return measure.card(item, "loss" if seed else "output", "loss", rows, total, self.title(item))

    def _number(self, item: Item) -> Card:
        """A value of a graph of scalars, as micrograd draws it: name, data, grad, and the sign of its op."""
        node = self.graph.nodes[item.nodes[0]]
        op = node.kind == "op"
        role = "loss" if node.id in self.graph.outputs else role_of(node)
        self.kinds.add(role)
        mark = (clean(node.symbol, 4) or clean(node.op, 8)) if op else ""
        name = clean(node.name) or (node.kind if node.kind in ("parameter", "buffer") else "")
        rows = []
        if name:
            rows.append(Row((Cell(fit(name, 120, 11, bold=True), f"{role}-ink", 11, True),), 19, role))
        value = self.scalar(node)
        if value is not None and (op or not self.backward):
            if node.kind == "constant" and not name:
                rows.append(Row((Cell(exact(value), size=11, bold=True, align="middle"),), 22))
            else:
                rows.append(Row((Cell("data", "sub", 9),
                                 Cell(exact(value), size=10.5, bold=True, align="end", column="swatch")), 18))
        if node.grad is not None and node.grad.item is not None and self.gradients is not False:
            fill = self.ramp.swatch(abs(node.grad.item))
            self.kinds.add("alarm" if fill == "alarm" else "ramp")
            rows.append(Row((Cell("grad", "sub", 9), Cell(exact(node.grad.item), fill + "-ink", 10.5, fill=fill,
                                                          align="end", column="swatch")), 19))
        elif node.requires_grad and self.gradients is not False and (
                self.gradients is True or (self.grads and (self.inner or not op))):
            rows.append(Row((Cell("grad", "sub", 9), Cell("pending", "sub", 9, align="end", column="swatch")), 18))
        if not rows:
            rows.append(Row((Cell(clean(node.op or node.kind, 24), f"{role}-ink", 11, True),), 22))
        lead = measure.mark_width(mark) / 2 + 7 if mark else measure.PAD
        return self._ruled(item, "number" if op else "pill", role, rows, 78 if op or name else 40, lead, mark)

    def _closed(self, item: Item) -> Card:
        """A closed module as a folder; equal ones in a row as a stack with a gradient swatch for each."""
        self.kinds.add("repeat" if item.turns else "closed")
        title, detail = module_words(self.graph, item.path), ""
        if item.turns:
            title, detail = repeat_words(self.graph, item.path, item.turns)
        elif not item.path:
            title, detail = chunk_words(self.graph, item.nodes)
        last = (item.turns[-1] if item.turns else item.nodes)[-1:]
        first = Cell(fit(title, 260, TITLE, bold=True), "ink", TITLE, True, sign="closed")
        rows = [Row((first, *self.swatch(last)), HEADER), Row((Cell(self._stats(item.nodes), "sub", 9),), 15)]
        if detail:
            rows.append(Row((Cell(fit(detail, 280, 9), "sub", 9),), 15))
        rows, total = lay([*rows, *self._strip(item.turns)] if item.turns else rows)
        return measure.card(item, "stack" if item.turns else "folder", "module", rows, total, self.title(item))

    def _stats(self, nodes: tuple[int, ...]) -> str:
        params = {a for i in nodes for a in self.graph.nodes[i].inputs if self.graph.nodes[a].kind == "parameter"}
        count = sum(math.prod(self.graph.nodes[a].shape) for a in params)
        flops = sum(self.graph.nodes[i].flops for i in nodes)
        saved = sum(self.graph.nodes[i].saved_bytes for i in nodes)
        words = [f"{len(nodes)} ops" if len(nodes) > 1 else "1 op"]
        words += [f"{amount(count)} params"] if count else []
        words += [amount(flops, "FLOP")] if flops else []
        words += [amount(saved, "B") + " saved"] if saved else []
        return " · ".join(words)

    def header(self, path: str, turns: tuple[tuple[int, ...], ...]) -> tuple[tuple[Row, ...], float, float]:
        """Rows, width and height of the header of an open module."""
        self.kinds.add("repeat" if turns else "open")
        if turns:
            title, detail = repeat_words(self.graph, path, turns)
        else:
            title, _, detail = module_words(self.graph, path).partition(": ")
        cells = [Cell(fit(title, 260, 11, bold=True), "ink", 11, True, sign="repeat" if turns else "open")]
        cells += [Cell(fit(detail, 260, 10), "sub", 10)] if detail else []
        rows, total = lay([Row(tuple(cells), 24), *(self._strip(turns) if turns else ())])
        return tuple(rows), total, sum(row.height for row in rows)


def value_cell(value: float) -> Cell:
    """The value of a scalar, in place of its shape."""
    return Cell(exact(value), size=11, bold=True, align="end", column="shape")


def role_of(node: GraphNode) -> str:
    """The colour role of a node: an op's category, a leaf's kind; what is unknown is custom."""
    known = node.category if node.kind == "op" else node.kind
    return known if known in SIGNS else "custom"


def sign_of(node: GraphNode, role: str) -> str:
    """The sign before a title: the op's own symbol if it is one character, else that of its category."""
    return f"'{node.symbol}" if len(node.symbol) == 1 and clean(node.symbol) == node.symbol else role
