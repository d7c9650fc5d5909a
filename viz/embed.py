"""The graph inside its own picture: an SVG gives back what it was drawn from.

    <metadata class="glassgrad-graph" data-format="glassgrad.graph/2" data-encoding="zlib+base64">...</metadata>

The text is that of `Graph.to_json`, compressed where that is shorter.  Reading it back is a search for this one
element: no XML is parsed, no entity expanded, and nothing is unpacked beyond a limit.
"""

from __future__ import annotations

import os
import re
import zlib
from typing import Any

from autograd.graph import Graph

MOST_ELEMENTS = 1000                           # of an array that goes into a picture; larger ones have their summary
MOST_BYTES = 256 * 2**20                       # of a file, and of the text that is unpacked from it
_ELEMENT = re.compile(r'<metadata class="glassgrad-graph" data-format="([^"<>]{1,80})" data-encoding="([^"<>]{1,40})">'
                      r"([^<]*)(</metadata>)?")
_ESCAPES = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))


def element(graph: Graph) -> str:
    """The element that holds a graph; "" where an attribute of it has no form as text.

    Parameters and data of more than 1000 numbers are left out: the picture of a model is not its weights.
    """
    from base64 import b64encode
    try:
        text = thin(graph).to_json()
    except TypeError:                          # an attribute of a user's own class
        return ""
    form = re.search(r'"format":"([\w./-]+)"', text)
    packed = b64encode(zlib.compress(text.encode(), 6)).decode("ascii")
    plain = text
    for character, escape in _ESCAPES:
        plain = plain.replace(character, escape)
    encoding, content = ("zlib+base64", packed) if len(packed) < len(plain) else ("text", plain)
    return (f'<metadata class="glassgrad-graph" data-format="{form[1] if form else ""}" data-encoding="{encoding}">'
            f"{content}</metadata>")


def thin(graph: Graph) -> Graph:
    """The graph without its large arrays."""
    nodes = tuple([n._replace(data=None) if getattr(n.data, "size", 1) > MOST_ELEMENTS else n for n in graph.nodes])
    return graph._replace(nodes=nodes)


def load(path: str | os.PathLike[str]) -> Graph:
    """The graph in an SVG that `Drawing.save` wrote, or in a JSON file of `Graph.to_json`.

        graph = viz.load("model.svg")
        viz.draw(graph, theme="dark")

    Of an SVG, arrays of more than 1000 numbers come back as their summaries: the graph is drawn, compared and read as
    before, and runs if parameters are given.  Raises OSError for a file that cannot be read, ValueError, with the
    reason, for one that holds no whole graph.  Nothing in such a file can run.
    """
    name = os.fspath(path)
    with open(name, "rb") as file:
        data = file.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise _wrong(name, f"it is larger than {MOST_BYTES // 2**20} MB")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _wrong(name, "it is no text: a PNG or PDF holds no graph") from None
    try:
        return Graph.from_json(text if text.lstrip()[:1] == "{" else _held(text))
    except ValueError as error:
        raise _wrong(name, str(error).removeprefix("from_json: expected what Graph.to_json wrote; ")) from None


def _held(text: str) -> str:
    """The JSON text in a picture."""
    found = _ELEMENT.search(text)
    if found is None:
        what = "an SVG without a graph in it" if "<svg" in text[:10_000] else "neither an SVG nor JSON"
        raise ValueError(f"it is {what}")
    _, encoding, content, end = found.groups()
    if end is None:
        raise ValueError("it ends in the middle of its graph")
    if encoding == "text":
        for character, escape in reversed(_ESCAPES):
            content = content.replace(escape, character)
        return content
    if encoding != "zlib+base64":
        raise ValueError(f"its graph is written as {encoding!r}, and this version reads 'text' and 'zlib+base64'")
    from base64 import b64decode
    opener: Any = zlib.decompressobj()
    try:
        raw = opener.decompress(b64decode(content, validate=True), MOST_BYTES)
    except (ValueError, zlib.error):
        raise ValueError("its graph is damaged") from None
    if not opener.eof:
        raise ValueError("its graph is larger than it may be" if opener.unconsumed_tail else "its graph is cut short")
    return str(raw, "utf-8", "replace")


def _wrong(name: str, why: str) -> ValueError:
    return ValueError(f"load: expected an .svg or .json file that a picture was saved to; got {name!r}, and {why}; "
                      "save it again with viz.draw(...).save(...)")
