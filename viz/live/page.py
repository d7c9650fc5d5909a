"""The page of a watched run: one file, with the history inside, that needs no network and runs no script."""

from __future__ import annotations

from ..svg import escape
from ..text import clean
from .panel import panel, style
from .record import MOST_FRAMES, Record

POLICY = "default-src 'none'; style-src 'unsafe-inline'"
AGAIN = 2                                      # seconds after which an open page reads the file again, during the run
FEW = 60                                       # frames of the history in a page that is written again in a second
BODY = ("body{margin:0;padding:20px;background:#fff}.gw{margin:0 auto}"
        "@media (prefers-color-scheme:dark){body:not([data-theme=light]){background:#0d1117}}"
        "body[data-theme=dark]{background:#0d1117}")


def page(record: Record, theme: str = "auto") -> str:
    """The whole document.  While the run is live it asks the browser to read it again."""
    import json
    live = record.state in ("waiting", "live")
    again = f'<meta http-equiv="refresh" content="{AGAIN}">' if live else ""
    # the run as data, for whoever wants more than the picture: no script runs
    known = record.to_dict(FEW if live else MOST_FRAMES)
    data = json.dumps(known, separators=(",", ":"), ensure_ascii=True).replace("<", "\\u003c")
    chosen = f' data-theme="{escape(theme)}"' if theme != "auto" else ""
    return ('<!doctype html><html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">{again}'
            f"<title>{escape(clean(record.name))}: training</title><style>{style()}{BODY}</style></head>"
            f"<body{chosen}>{panel(record, theme)}"
            f'<script type="application/json" id="glassgrad-watch">{data}</script></body></html>\n')
