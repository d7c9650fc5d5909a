"""Pictures that move: shown in a notebook, saved as GIF or as a page that works offline."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

from .. import files
from ..theme import luminance

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PLAYER = """<div id="{name}" style="max-width:{width}px"><img alt="{words}" style="width:100%;height:auto">
<div style="display:flex;gap:.5rem;align-items:center;font:14px system-ui,sans-serif">
<button type="button" aria-label="play or stop">play</button>
<input type="range" min="0" max="{last}" value="{last}" step="1" aria-label="frame" style="flex:1">
<output>{last}</output></div>
<script>(() => {{
const frames = {frames}, root = document.getElementById("{name}");
const [image, button, slider, said] = ["img", "button", "input", "output"].map((name) => root.querySelector(name));
let timer = null;
const show = (k) => {{ image.src = "data:image/png;base64," + frames[k]; slider.value = k; said.value = k; }};
const stop = () => {{ clearInterval(timer); timer = null; button.textContent = "play"; }};
button.onclick = () => {{
  if (timer) return stop();
  if (+slider.value >= {last}) show(0);
  button.textContent = "stop";
  timer = setInterval(() => +slider.value >= {last} ? stop() : show(+slider.value + 1), {pause});
}};
slider.oninput = () => {{ stop(); show(+slider.value); }};
show({last});
}})();</script></div>"""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; \
script-src 'unsafe-inline'; img-src data:"><title>{words}</title></head>
<body style="margin:1rem;background:{page};color:{ink};color-scheme:{scheme}">{player}</body></html>
"""


class Animation:
    """Frames of one figure: shows itself in Jupyter with a slider; `save` writes .gif, .html, or .png of the last.

    Attributes: `figure`, `frames` (how many), `pause` (milliseconds between two), `words` (what is seen).
    """

    __slots__ = ("_draw", "figure", "frames", "pause", "words")

    def __init__(self, figure: Figure, draw: Callable[[int], Any], frames: int, pause: int, words: str) -> None:
        self.figure, self._draw, self.frames, self.pause, self.words = figure, draw, frames, pause, words

    def at(self, frame: int) -> Figure:
        """The figure as it is at a frame, counted from 0; from the end if negative.  IndexError where there is none."""
        if not -self.frames <= frame < self.frames:
            raise IndexError(f"expected a frame below {self.frames}; got {frame}")
        self._draw(frame % self.frames)
        return self.figure

    def save(self, path: str | os.PathLike[str], dpi: float = 100) -> None:
        """Write it to .gif (plays everywhere), .html (with a slider, works offline) or .png (the last frame).

        Whole or not at all; the errors are those of `Drawing.save`.
        """
        real, suffix = files.checked(path, (".gif", ".html", ".png"))
        data = self.gif(dpi) if suffix == ".gif" else self._html(dpi).encode() if suffix == ".html" \
            else self._png(self.frames - 1, dpi)
        files.write(real, data)

    def func_animation(self) -> Any:
        """The same as a `matplotlib.animation.FuncAnimation`, for its writers (.mp4 needs ffmpeg)."""
        from matplotlib.animation import FuncAnimation
        return FuncAnimation(self.figure, lambda k: self._draw(k) or (), frames=self.frames, interval=self.pause)

    def _png(self, frame: int, dpi: float) -> bytes:
        import io
        buffer = io.BytesIO()
        self.at(frame).savefig(buffer, format="png", dpi=dpi)
        return buffer.getvalue()

    def gif(self, dpi: float = 100) -> bytes:
        """All frames as one GIF, which plays again and again."""
        import io
        shown = self._pictures(dpi)
        buffer = io.BytesIO()
        shown[0].save(buffer, format="GIF", save_all=True, append_images=shown[1:], loop=0,
                      duration=[self.pause] * (len(shown) - 1) + [max(self.pause, 2000)])
        return buffer.getvalue()

    def _pictures(self, dpi: float) -> list[Any]:
        """The frames in 256 colours, the same for all of them: small, and nothing flickers."""
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from PIL import Image  # comes with matplotlib
        figure = self.figure
        engine, usual, canvas = figure.get_layout_engine(), figure.dpi, figure.canvas
        agg, pictures = FigureCanvasAgg(figure), []
        try:
            figure.dpi = dpi
            self.at(-1).draw_without_rendering()
            figure.set_layout_engine("none")  # found once: the axes stand still, and a frame takes half the time
            for k in range(self.frames):
                self.at(k)
                agg.draw()
                pictures.append(Image.fromarray(np.array(agg.buffer_rgba())[..., :3]))
        finally:
            figure.set_layout_engine(engine)
            figure.dpi = usual
            figure.set_canvas(canvas)
        palette = pictures[-1].quantize(255, kmeans=2)
        known = np.zeros((256, 3), np.uint8)
        found = np.array(palette.getpalette(), np.uint8).reshape(-1, 3)[:255]
        known[:len(found)] = found
        ground = known[255] = np.asarray(pictures[-1])[0, 0]
        palette.putpalette(known.tobytes())
        shown = []
        for picture in pictures:
            indices = np.array(picture.quantize(palette=palette, dither=Image.Dither.NONE))
            indices[(np.asarray(picture) == ground).all(-1)] = 255            # exactly: it stands beside the page
            made = Image.fromarray(indices)
            made.putpalette(known.tobytes())
            shown.append(made)
        return shown

    def _player(self, dpi: float) -> str:
        import io
        import json
        from base64 import b64encode
        from html import escape
        frames = []
        for picture in self._pictures(dpi):
            buffer = io.BytesIO()
            picture.save(buffer, format="PNG")
            frames.append(b64encode(buffer.getvalue()).decode())
        return PLAYER.format(name=f"player-{crc32(''.join(frames).encode()):08x}", words=escape(self.words, quote=True),
                             width=round(self.figure.get_figwidth() * dpi), last=self.frames - 1, pause=self.pause,
                             frames=json.dumps(frames))

    def _html(self, dpi: float) -> str:
        from html import escape

        from matplotlib.colors import to_hex
        page = to_hex(self.figure.get_facecolor())
        light = luminance(page) > 0.18
        return PAGE.format(words=escape(self.words), page=page, ink="#1B1F24" if light else "#F0F3F6",
                           scheme="light" if light else "dark", player=self._player(dpi))

    def _repr_html_(self) -> str:
        """In a notebook: a GIF, a twentieth of the player's size; `save` to .html gives that."""
        from base64 import b64encode
        from html import escape
        return (f'<img alt="{escape(self.words, quote=True)}" style="max-width:100%" '
                f'src="data:image/gif;base64,{b64encode(self.gif()).decode()}">')

    def __repr__(self) -> str:
        return f"Animation({self.frames} frames: {self.words})"
