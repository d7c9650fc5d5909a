"""The backward pass as a standalone SVG that moves by itself, for slides and README files: style rules, no script.

The picture stands whole, fades, and comes back card by card as the gradient reaches it; what is happening is written
below, with the memory still held.  Readers without animation, and those who asked for less motion, see it whole.
"""

from __future__ import annotations

import re
from typing import Any

from ..scene import Card
from ..svg import escape, number, svg
from ..text import fit
from ..theme import AUTO, THEMES, colours
from .walk import Stop, Walk, alive_words, walk

FOOT = 62.0                                    # height of the lines below the picture
WHOLE, AFTER = 1.5, 2.5                        # seconds at the start and at the end of a round
PACE = (0.25, 1.4)                             # seconds a step: least, most
ROUND = 45.0                                   # seconds of a round that is not short, about
BOLD = ' font-weight="bold"'
RING = 5.0                                     # distance of the ring from its card


def animated(drawing: Any) -> str:
    """A drawing as an SVG document that steps through its backward pass, over and over.

    drawing: a Drawing.  Where no gradient flows it is the still picture.
    """
    dark = THEMES[AUTO[1]] if drawing.theme == "auto" else None
    still = svg(drawing.sheet, colours(drawing.theme), dark=dark)
    steps = walk(drawing)
    head = re.search(r'<svg[^>]* id="([\w-]+)" width="([\d.]+)" height="([\d.]+)" viewBox="[^"]*"', still)
    if not steps.stops or head is None:
        return still
    scope, wide, high = head[1], float(head[2]), float(head[3])
    clock = Clock(len(steps.stops))
    rules, parts = _cards(drawing, steps, clock, scope, (wide - drawing.placed.width) / 2)
    caption_rules, captions = _captions(steps.stops, steps.saved, clock, scope, wide, high)
    style = "".join([
        f"#{scope} .a{{animation-duration:{clock.total:.2f}s;animation-iteration-count:infinite;"
        "animation-timing-function:step-end}",
        f"#{scope} .once{{opacity:0}}#{scope} .ring{{fill:none;stroke-width:3;stroke-dasharray:9 5}}",
        _colours(scope, colours(drawing.theme)),
        f"@media(prefers-color-scheme:dark){{{_colours(scope, dark)}}}" if dark else "",
        f"@keyframes {scope}-m{{to{{stroke-dashoffset:-14}}}}", *rules, *caption_rules,
        # said last, and for all of them: nothing moves for who asked for that
        f"@media(prefers-reduced-motion:reduce){{#{scope} *{{animation:none!important}}}}"])
    body, _, _ = still.rpartition("</svg>")
    old = head[0]
    new = old.replace(f'height="{head[3]}"', f'height="{number(high + FOOT)}"')
    new = re.sub(r'viewBox="[^"]*"', f'viewBox="0 0 {number(wide)} {number(high + FOOT)}"', new)
    return f"{body.replace(old, new, 1)}<style>{style}</style>\n{''.join(parts)}{''.join(captions)}</svg>\n"


class Clock:
    """When each step of a round happens, in per cent of the round."""

    def __init__(self, count: int) -> None:
        pace = max(PACE[0], min(PACE[1], ROUND / count))
        self.total = WHOLE + count * pace + AFTER
        self.starts = [100 * (WHOLE + k * pace) / self.total for k in range(count + 1)]

    def rule(self, name: str, values: list[tuple[float, str]]) -> str:
        """Keyframes of values that each hold until the next."""
        return f"@keyframes {name}{{" + "".join(f"{at:.3f}%{{{value}}}" for at, value in values) + "}"


def _cards(drawing: Any, steps: Walk, clock: Clock, scope: str, shift: float) -> tuple[list[str], list[str]]:
    """Rules that fade cards and wires until their step, and the rings."""
    first, rules = steps.reached, []
    leaves = {card.key for card in drawing.scene.cards if drawing.graph.nodes[card.nodes[0]].kind != "op"}
    for k in sorted(set(first.values())):
        rules.append(clock.rule(f"{scope}-f{k}", [(0, "opacity:1"), (clock.starts[0], "opacity:.25"),
                                                  (clock.starts[k], "opacity:1")]))
        chosen = [f'#{scope} [data-id="{escape(key)}"]' for key, at in first.items() if at == k]
        chosen += [f'#{scope} .wire[data-from="{escape(wire.source)}"][data-to="{escape(wire.target)}"]'
                   for wire in drawing.scene.wires
                   if first.get(wire.source if wire.target in leaves else wire.target, first.get(wire.source)) == k]
        play = f"animation:{scope}-f{k} {clock.total:.2f}s step-end infinite"
        rules.append(f"{','.join(dict.fromkeys(chosen))}{{{play}}}")
    cards: dict[str, Card] = {card.key: card for card in drawing.scene.cards}
    rings = []
    for k, stop in enumerate(steps.stops):
        rules.append(clock.rule(f"{scope}-r{k}", _visible(clock, k)))
        for key in stop.keys:
            x, y = drawing.placed.cards[key]
            card = cards[key]
            rings.append(
                f'<rect class="once ring" x="{number(x + shift - RING)}" y="{number(y - RING)}" '
                f'width="{number(card.width + 2 * RING)}" height="{number(card.height + 2 * RING)}" rx="11" '
                f'style="animation:{scope}-r{k} {clock.total:.2f}s step-end infinite,{scope}-m .7s linear infinite"/>')
    return rules, rings


def _colours(scope: str, theme: dict[str, str]) -> str:
    roles = (("ring", "stroke", "linear-ink"), ("told", "fill", "ink"), ("foot", "fill", "page"),
             ("bar", "fill", "flow2"))
    return "".join(f"#{scope} .{name}{{{what}:var(--{role},{theme[role]})}}" for name, what, role in roles)


def _visible(clock: Clock, k: int) -> list[tuple[float, str]]:
    """Seen during one step; the last one stays to the end of the round."""
    values = [(0.0, "opacity:0"), (clock.starts[k], "opacity:1")]
    return values + ([(clock.starts[k + 1], "opacity:0")] if k + 2 < len(clock.starts) else [])


def _captions(stops: tuple[Stop, ...], saved: int, clock: Clock, scope: str, wide: float, high: float
              ) -> tuple[list[str], list[str]]:
    """What happens at each step, and a bar of the memory still held."""
    left, room = 14.0, wide - 28
    parts = [f'<rect class="foot" x="0" y="{number(high)}" width="{number(wide)}" height="{number(FOOT)}"/>']
    rules = []
    if saved:
        levels = [(0.0, "transform:scaleX(1)")]
        levels += [(clock.starts[k + 1], f"transform:scaleX({stop.alive / saved:.4f})") for k, stop in enumerate(stops)]
        rules += [clock.rule(f"{scope}-b", levels), f"#{scope} .bar{{transform-origin:{left}px 0}}"]
        parts.append(f'<rect class="bar a" x="{left}" y="{number(high + 2)}" width="{number(room)}" height="4" '
                     f'rx="2" style="animation-name:{scope}-b"/>')
    for k, stop in enumerate(stops):
        words = [(stop.title, 12.0, True, 22.0), ("; ".join(stop.lines[:3]), 10.5, False, 38.0),
                 (alive_words(stop, saved), 10.0, False, 53.0)]
        lines = "".join(
            f'<text class="told" x="{left}" y="{number(high + y)}" font-size="{size:g}"'
            f'{BOLD * bold}>{escape(fit(text, room, size, bold))}</text>' for text, size, bold, y in words if text)
        parts.append(f'<g class="once" style="animation:{scope}-r{k} {clock.total:.2f}s step-end infinite">{lines}</g>')
    return rules, parts
