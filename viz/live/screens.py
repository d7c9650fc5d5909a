"""Where a watched run is seen: a notebook, a page, a terminal."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable
from typing import Any

from .. import files
from .page import page
from .panel import panel, style
from .record import Record
from .table import line, table


class Screen:
    """A place that shows the record at most every `interval` seconds."""

    interval = 1.0
    due = 0.0
    quiet = False                              # somebody else writes here while the run is live

    def show(self, record: Record, last: bool) -> None:
        """Show the state; `last`: nothing follows."""
        raise NotImplementedError

    def again(self, record: Record) -> bool:
        """Show it once more, as the result of a cell; False where that is not for this screen."""
        return False


def screens(html: Any, theme: str, show: bool | None, interval: float) -> list[Screen]:
    """Those that were asked for."""
    found: list[Screen] = [] if html is None else [Page(html, theme)]
    if show is False:
        return found
    if in_notebook():
        found.append(Notebook(theme, interval))
    elif show or html is None:
        found.append(Terminal())
    return found


def in_notebook() -> bool:
    """Whether a notebook's kernel runs this."""
    shell = sys.modules.get("IPython")
    return shell is not None and hasattr(shell.get_ipython() or shell, "kernel")


def when_the_cell_is_over(tell: Callable[[BaseException | None], None]) -> None:
    """Call tell(what went wrong, if anything) when the running cell of a notebook has ended, once."""
    if not in_notebook():
        return
    from IPython import get_ipython
    shell: Any = get_ipython()

    def over(result: Any = None) -> None:
        shell.events.unregister("post_run_cell", over)
        tell(getattr(result, "error_in_exec", None))
    shell.events.register("post_run_cell", over)


class Page(Screen):
    """A file, rewritten in one step."""

    def __init__(self, path: str | os.PathLike[str], theme: str) -> None:
        self.path, _ = files.checked(path, (".html",))
        self.theme, self.warned = theme, False

    def show(self, record: Record, last: bool) -> None:
        try:
            files.write(self.path, page(record, self.theme).encode())
        except OSError as error:               # a full disk must not end the training
            if not self.warned:
                warnings.warn(f"watch: the page could not be written, training goes on; {error}", stacklevel=2)
            self.warned = True


class Terminal(Screen):
    """A line that is redrawn while the run is live, where it can be; the table when it is over."""

    def __init__(self) -> None:
        self.width = 0

    def show(self, record: Record, last: bool) -> None:
        stream = sys.stderr
        if stream is None or record.state == "waiting":
            return
        if last:
            _write(stream, "\r" + " " * self.width + "\r" if self.width else "")
            _write(stream, table(record) + "\n")
            self.width = 0
        elif not self.quiet and stream.isatty():
            text = line(record)
            try:
                text = text[:os.get_terminal_size(stream.fileno()).columns - 1]
            except (OSError, ValueError):
                text = text[:79]
            _write(stream, "\r" + text.ljust(self.width))
            self.width = len(text)


def _write(stream: Any, text: str) -> None:
    try:
        stream.write(text)
    except UnicodeEncodeError:
        encoding = getattr(stream, "encoding", None) or "ascii"
        stream.write(text.encode(encoding, "replace").decode(encoding))
    stream.flush()


class Notebook(Screen):
    """An anywidget where that is installed, else a display that is updated; at the end plain HTML, which is kept."""

    def __init__(self, theme: str, interval: float) -> None:
        self.theme, self.interval = theme, interval
        self.handle: Any = None
        self.widget: Any = None
        self.cell: Any = None                  # the number of the cell that showed it

    def show(self, record: Record, last: bool) -> None:
        from IPython.display import display
        body = f"<style>{style()}</style>{panel(record, self.theme)}"
        still = {"text/html": body, "text/plain": table(record)}
        if self.handle is None:
            self.cell = _cell()
            self.widget = None if last else widget(body)
            shown = still if self.widget is None else {**still, **_view(self.widget)}
            self.handle = display(shown, raw=True, display_id=True)
        elif last or self.widget is None:
            self.handle.update(still, raw=True)
            if self.widget is not None:
                self.widget.close()
                self.widget = None
        else:
            self.widget.html = body

    def again(self, record: Record) -> bool:
        if self.handle is not None and self.cell is not None and self.cell == _cell():
            return True                        # it stands there already
        self.handle = None
        if self.widget is not None:
            self.widget.close()
        self.show(record, record.state in ("finished", "stopped"))
        return True


def _cell() -> Any:
    from IPython import get_ipython
    shell = get_ipython()
    return getattr(shell, "execution_count", None)


def _view(made: Any) -> dict[str, Any]:
    """What a front end needs to show the widget; others take the HTML beside it."""
    bundle = made._repr_mimebundle_()
    bundle = bundle[0] if isinstance(bundle, tuple) else bundle
    return {key: value for key, value in bundle.items() if key.startswith("application/")}


def widget(body: str) -> Any:
    """An anywidget with this panel; None where it is not installed, or no front end answers."""
    try:
        import anywidget
        import traitlets
    except ImportError:
        return None

    from pathlib import Path

    class Panel(anywidget.AnyWidget):
        """The panel; its HTML is made here."""

        _esm = Path(__file__).with_name("widget.js").read_text(encoding="utf-8")
        html = traitlets.Unicode("").tag(sync=True)

    return Panel(html=body)
