"""A watched run as a panel of HTML: the loss above, below it a row a layer.  No script, nothing from elsewhere.

    activations      histogram (heights are square roots of counts, so that the tails of ReLU are seen), std over time
    gradient         the same of the parameters' gradients; the swatch is on viz's ramp, relative to the last layer
    update / weight  size of the last update over that of the weights, on a log scale with its trail
    dead             units that gave nothing, or whose weights got no gradient, for 100 samples in a row
"""

from __future__ import annotations

import math
from functools import cache

from ..svg import escape
from ..text import clean, number, shape
from ..theme import THEMES, Ramp
from .record import Record, Track
from .statistics import Spread
from .table import broken, headline, state, verdict

ROLES = ("page", "ink", "sub", "edge", "hair", "module", "module-ink", "activation", "activation-ink", "linear-ink",
         "parameter", "parameter-ink", "loss-ink", "input-ink", "alarm", "alarm-ink",
         *(f"ramp{k}" for k in range(9)), *(f"ramp{k}-ink" for k in range(9)))
MANY = 16                                      # layers from which on rows are low
LEFT, RIGHT = -6.0, 0.0                        # decades of the scale of updates
TRAIL = 24                                     # frames whose updates are shown behind the last one
FOOT = ("Update / weight is the size of the last step over that of the weights: about 1e-3 (dashed) is usual, ◂ under "
        "1e-4 learns slowly, ▸ over 1e-2 is rough. The swatch of a gradient is its RMS over that of the last layer. "
        "Dead units gave 0, or got no gradient, for 100 samples in a row.")


@cache
def style() -> str:
    """The rules, with the colours of viz: the reader's setting decides, unless the panel or the notebook says."""
    from pathlib import Path
    light, dark = ("".join(f"--{role}:{THEMES[name][role]};" for role in ROLES) for name in ("light", "dark"))
    night = f"color-scheme:dark;{dark}"
    rules = Path(__file__).with_name("panel.css").read_text(encoding="utf-8")
    return (f"{rules}.gw{{{light}}}@media (prefers-color-scheme:dark){{.gw:not([data-theme=light]){{{night}}}}}"
            f"[data-jp-theme-light=true] .gw:not([data-theme=dark]){{color-scheme:light;{light}}}"
            f"[data-jp-theme-light=false] .gw:not([data-theme=light]),.vscode-dark .gw:not([data-theme=light]),"
            f".gw[data-theme=dark]{{{night}}}")


def panel(record: Record, theme: str = "auto") -> str:
    """The panel without its style."""
    known = theme if theme in ("light", "dark", "auto") else "dark" if _is_dark(theme) else "light"
    chosen = "" if known == "auto" else f' data-theme="{known}"'
    bad = record.first_bad is not None
    kind = "alarm" if bad else record.state
    sign = "▲" if bad or record.state == "stopped" else {"live": "●", "finished": "■"}.get(record.state, "○")
    said = state(record) + (f" ({record.state})" if bad and record.state in ("finished", "stopped") else "")
    return (f'<div class="gw"{chosen} role="region" aria-label="training of {escape(clean(record.name))}">'
            f'<div class="head"><h2>{escape(clean(record.name))}</h2>'
            f'<span class="badge {kind}">{sign} {escape(clean(said, 240))}</span>'
            f"{escape(headline(record))}</div>{_loss(record)}{_table(record)}</div>")


def _is_dark(theme: str) -> bool:
    from ..theme import luminance
    return luminance(THEMES[theme]["page"]) < 0.2


# -- the loss ---------------------------------------------------------------------------------------------------------


def _loss(record: Record) -> str:
    points = record.curve.all()
    if not points:
        said = "" if record.state == "waiting" else (
            '<p class="foot">No loss is known: say it with <code>watch.step(loss)</code> after each step.</p>')
        return said
    fine = [(s, v) for s, v in points if math.isfinite(v)]
    both = [v for _, v in fine] + [v for _, v in record.validation if math.isfinite(v)]
    low, high = (min(both), max(both)) if both else (0.0, 1.0)
    log = low > 0 and high / low > 20
    scale = math.log10 if log else float
    bottom, top = scale(low), scale(high)
    room = (top - bottom) * 0.06 or abs(top) * 0.1 or 1.0
    bottom, top = bottom - room, top + room
    first, last = points[0][0], max(points[-1][0], points[0][0] + 1)

    def place(s: float, v: float) -> tuple[float, float]:
        return 1000 * (s - first) / (last - first), 120 * (top - scale(v)) / (top - bottom)

    raw = _line([place(s, v) if math.isfinite(v) else None for s, v in points])
    lines = [f'<path class="{"raw" if len(points) > 30 else "mean"}" d="{raw}"/>']
    if len(points) > 30:
        smooth = [place(s, v) if math.isfinite(v) else None for s, v in _smoothed(points)]
        lines.append(f'<path class="mean" d="{_line(smooth)}"/>')
    known = [(s, v) for s, v in record.validation if math.isfinite(v)]
    if len(known) > 1:
        lines.append(f'<path class="val" d="{_line([place(s, v) for s, v in known])}"/>')
    marks = "".join(f'<span style="top:{100 * (top - scale(v)) / (top - bottom):.1f}%">{number(v)}</span>'
                    for v in (high, low)) if both else ""
    broken_at = next((s for s, v in points if not math.isfinite(v)), None)
    nan = "" if broken_at is None else (
        f'<div class="nan" style="left:{100 * (broken_at - first) / (last - first):.1f}%"></div>')
    key = f'<span class="keyloss">loss <b>{number(points[-1][1] if record.loss is None else record.loss)}</b></span>'
    if known:
        key += f' <span class="keyval">┄ validation <b>{number(known[-1][1])}</b></span>'
    ticks = f"<span>step {first:,}</span><span>{'log scale' if log else ''}</span><span>{last:,}</span>"
    return (f'<div class="loss"><div class="axis">{marks}</div><div class="plot"><svg viewBox="0 0 1000 120" '
            f'preserveAspectRatio="none" role="img" aria-label="loss over steps">{"".join(lines)}</svg>{nan}'
            f'<div class="key">{key}</div></div><div class="x">{ticks}</div></div>')


def _smoothed(points: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """Each point as the mean of its neighbourhood; NaN stays NaN."""
    reach = max(1, len(points) // 40)
    found = []
    for k, (s, v) in enumerate(points):
        near = [w for _, w in points[max(0, k - reach):k + reach + 1] if math.isfinite(w)]
        found.append((s, sum(near) / len(near) if math.isfinite(v) else v))
    return found


def _line(points: list[tuple[float, float] | None]) -> str:
    """A path through the points, interrupted where there is none."""
    steps, pen = [], False
    for k, point in enumerate(points):
        if point is not None:
            alone = not pen and (k + 1 == len(points) or points[k + 1] is None)
            steps.append(f"{'L' if pen else 'M'}{point[0]:.1f} {point[1]:.1f}" + ("h6" if alone else ""))
        pen = point is not None
    return "".join(steps)


# -- the layers -------------------------------------------------------------------------------------------------------


def _table(record: Record) -> str:
    if not record.tracks:
        return ""
    known = [t.seen.gradient.rms for t in record.tracks.values()
             if t.seen.gradient is not None and t.seen.gradient.sound and t.seen.gradient.rms > 0]
    ramp = Ramp(known[-1] if known else 0.0)
    small = len(record.tracks) > MANY
    rows = "".join(_row(track, ramp) for track in record.tracks.values())
    ticks = "".join(f'<span style="left:{_at(10.0 ** k):.1f}%">1e{k}</span>' for k in (-5, -3, -1))
    widths = ("21%", "26%", "25%", "19%", "9%")
    columns = "".join(f'<col style="width:{w}">' for w in widths)
    head = ("layer", "activations<br>histogram · std over time", "gradient<br>histogram · RMS over time (log)",
            f'update / weight<div class="ticks">{ticks}</div>', "dead units")
    return (f'<table class="{"small" if small else "large"}"><colgroup>{columns}</colgroup><thead><tr>'
            f"{''.join(f'<th scope=col>{h}</th>' for h in head)}</tr></thead><tbody>{rows}</tbody></table>"
            f'<p class="foot">{FOOT}</p>')


def _row(track: Track, ramp: Ramp) -> str:
    seen = track.seen
    small = [f"{clean(seen.kind)}{f' ×{seen.calls}' if seen.calls > 1 else ''}",
             "" if seen.shape is None else shape(seen.shape) + (f" +{seen.outputs - 1}" if seen.outputs > 1 else "")]
    name = escape(clean(seen.name))
    said = escape(" · ".join(w for w in small if w))
    return (f'<tr><th scope="row" title="{name} {said}"><b>{name}</b> <small>{said}</small></th>'
            f"<td>{_activation(track)}</td><td>{_gradient(track, ramp)}</td><td>{_update(track)}</td>"
            f"<td>{_dead(track)}</td></tr>")


def _activation(track: Track) -> str:
    part = track.seen.activation
    if part is None:
        return '<span class="none">not called</span>'
    said = broken(part)
    words = f"<span><i>{number(part.mean)} ± </i>{number(part.std)}</span>"
    words = f'<span class="bad">{said}</span>' if said else words
    return _cell(_bars(part, "act"), _trend(track.trails["std"], "actline", False), words, part)


def _gradient(track: Track, ramp: Ramp) -> str:
    part = track.seen.gradient
    if part is None:
        return f'<span class="none">{"no gradient" if track.seen.size else "–"}</span>'
    role = ramp.swatch(part.rms) if part.sound else "alarm"
    words = (f'<span class="swatch" style="background:var(--{role});color:var(--{role}-ink)">'
             f"{broken(part) or number(part.rms)}</span>")
    return _cell(_bars(part, "grad"), _trend(track.trails["gradient"], "gradline", True), words, part)


def _cell(bars: str, trend: str, words: str, part: Spread) -> str:
    span = f'<span class="range">{number(part.low)} … {number(part.high)}</span>' if part.bins else ""
    return f'<div class="cell"><div class="two">{bars}{trend}</div><div class="say">{words}{span}</div></div>'


def _bars(part: Spread, kind: str) -> str:
    if not part.bins:
        return "<span></span>"
    most = math.sqrt(max(part.bins))
    steps = "".join(f"V{26 - 25 * math.sqrt(n) / most:.1f}H{k + 1}" for k, n in enumerate(part.bins))
    zero = ""
    if part.low < 0 < part.high:
        x = len(part.bins) * -part.low / (part.high - part.low)
        zero = f'<line class="zero" x1="{x:.2f}" x2="{x:.2f}" y1="0" y2="26"/>'
    return (f'<svg viewBox="0 0 {len(part.bins)} 26" preserveAspectRatio="none" aria-hidden="true">'
            f'<path class="{kind}" d="M0 26{steps}V26Z"/>{zero}</svg>')


def _trend(values: list[float | None], kind: str, log: bool) -> str:
    values = values[::-(-len(values) // 60)] if len(values) > 60 else values
    shown = [None if v is None or not math.isfinite(v) or (log and v <= 0) else math.log10(v) if log else v
             for v in values]
    known = [v for v in shown if v is not None]
    if len(known) < 2:
        return "<span></span>"
    low, high = min(known), max(known)
    least = 0.5 if log else 0.2 * abs(high)                # a value that hardly moves is a line that hardly moves
    if high - low < least:
        low, high = (low + high - least) / 2, (low + high + least) / 2
    span = high - low or 1.0
    points = [None if v is None else (100 * k / (len(shown) - 1), 24 - 22 * (v - low) / span)
              for k, v in enumerate(shown)]
    return ('<svg viewBox="0 0 100 26" preserveAspectRatio="none" aria-hidden="true">'
            '<line class="floor" x1="0" x2="100" y1="25.5" y2="25.5"/>'
            f'<path class="{kind}" d="{_line(points)}"/></svg>')


def _at(ratio: float) -> float:
    """Where a ratio stands on the scale, in percent."""
    return 100 * (min(max(math.log10(ratio), LEFT), RIGHT) - LEFT) / (RIGHT - LEFT)


def _update(track: Track) -> str:
    ratio = track.seen.ratio
    if ratio is None:
        return '<span class="none">–</span>' if not track.seen.size else '<span class="none">no update</span>'
    if not math.isfinite(ratio):
        return f'<span class="bad">{number(ratio)}</span>'
    if ratio == 0:
        return '<span class="none">0, weights stand still</span>'
    grid = "".join(f'<i class="{"guide" if k == -3 else ""}" style="left:{_at(10.0 ** k):.1f}%"></i>'
                   for k in range(int(LEFT) + 1, int(RIGHT)))
    trail = "".join(f'<u style="left:{_at(r):.1f}%"></u>' for r in track.trails["ratio"][-TRAIL:-1]
                    if r is not None and 0 < r < math.inf)
    kind = verdict(ratio)
    word = {"slow": " ◂<i> slow</i>", "fast": " ▸<i> fast</i>"}.get(kind, "")
    return (f'<div class="cell wide"><div class="scale">{grid}{trail}'
            f'<b class="{kind}" style="left:{_at(ratio):.1f}%"></b></div>'
            f'<div class="say"><span>{number(ratio)}{word}</span></div></div>')


def _dead(track: Track) -> str:
    if track.dead is None:
        return '<span class="none">–</span>'
    dead, units = track.dead
    percent = 100 * dead / max(1, units)
    return (f'<div class="cell wide dead" title="{dead:,} of {units:,} units"><div class="meter"><i class="'
            f'{"many" if percent >= 50 else ""}" style="width:{percent:.1f}%"></i></div>'
            f'<div class="say"><span>{percent:.0f} %</span></div></div>')
