"""One HTML file that shows several pictures together; it needs no other file and no network."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

from . import files
from .drawing import Drawing
from .plots.animation import Animation
from .theme import THEMES

# no name here is a role of viz.theme: pictures keep their own colours
STYLE = """
:root { color-scheme: light dark;
        --page-ink: #1B1F24; --page-sub: #57606A; --page-ground: #FFFFFF; --page-line: #D0D7DE; }
@media (prefers-color-scheme: dark) {
  :root { --page-ink: #F0F3F6; --page-sub: #B1BAC4; --page-ground: #0D1117; --page-line: #3D444D; } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1.25rem 4rem;
       background: var(--page-ground); color: var(--page-ink);
       font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .25rem } h2 { font-size: 1.2rem; margin: 2.5rem 0 .25rem }
p { color: var(--page-sub); margin: .25rem 0 1rem; max-width: 46rem }
nav a { margin-right: 1rem; color: inherit }
figure { margin: 0; padding: 1rem; overflow: auto; border: 1px solid var(--page-line); border-radius: 10px }
figure svg, figure img { display: block; margin: 0 auto; max-width: 100%; height: auto }
"""
# nothing is fetched, nothing runs: what a page shows is in it
POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def page(title: str, sections: Iterable[tuple[str, str, Any]], lead: str = "") -> str:
    """The page as HTML: sections are (heading, sentence, picture), a picture being a Drawing, an Animation (it plays)
    or a matplotlib Figure, each on the ground of its own theme.

    Raises TypeError for any other kind of picture.
    """
    from html import escape
    body, links = [], []
    for k, (heading, sentence, picture) in enumerate(sections):
        links.append(f'<a href="#s{k}">{escape(heading)}</a>')
        body.append(f'<section id="s{k}"><h2>{escape(heading)}</h2><p>{escape(sentence)}</p>'
                    f'<figure style="background:{_ground(picture)}">{_shown(picture, heading, f"s{k}-")}</figure>'
                    "</section>")
    return ('<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}"><title>{escape(title)}</title>'
            f"<style>{STYLE}</style></head><body><h1>{escape(title)}</h1><p>{escape(lead)}</p><nav>{''.join(links)}</nav>"
            f"{''.join(body)}</body></html>\n")


def save_page(path: str | os.PathLike[str], title: str, sections: Iterable[tuple[str, str, Any]],
              lead: str = "") -> None:
    """Write `page(...)` to a .html file, whole or not at all; the errors are those of `Drawing.save`."""
    real, _ = files.checked(path, (".html",))
    files.write(real, page(title, sections, lead).encode())


def _ground(picture: Any) -> str:
    """The colour that the picture is made for."""
    if isinstance(picture, Drawing):
        return THEMES[picture.theme]["page"] if picture.theme in THEMES else "var(--page-ground)"
    figure = getattr(picture, "figure", picture)
    if not hasattr(figure, "get_facecolor"):
        return "#FFFFFF"
    from matplotlib.colors import to_hex
    return to_hex(figure.get_facecolor())


def _shown(picture: Any, words: str, scope: str) -> str:
    """The picture as an inline SVG whose ids do not meet those of the others on the page; an Animation as a GIF."""
    if isinstance(picture, Animation):
        from base64 import b64encode
        from html import escape
        return f'<img alt="{escape(words)}: {escape(picture.words)}" src="data:image/gif;base64,' \
               f'{b64encode(picture.gif()).decode()}">'
    if isinstance(picture, Drawing):
        text = picture.svg
    elif hasattr(picture, "savefig"):
        import io
        import re
        buffer = io.StringIO()
        picture.savefig(buffer, format="svg", metadata={"Date": None})
        text = buffer.getvalue()
        text = re.sub(r'(\bid="|url\(#|href="#)', lambda m: m[1] + scope, text)
    else:
        raise TypeError(f"page: expected a Drawing, an Animation or a matplotlib Figure; got {type(picture).__name__}")
    text = text[text.index("<svg"):]
    if isinstance(picture, Drawing):
        return text                           # it names itself
    from html import escape
    return f'<svg role="img" aria-label="{escape(words)}"{text[4:]}'
