"""A real Chromium with the network off: what the pages are opened in."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import pytest


class Opened(NamedTuple):
    """A page, what it asked for beside its own file, and what it complained of."""

    page: Any
    requests: list[str]
    errors: list[str]

    def all_keys(self) -> list[str]:
        """The keys of all cards and headers that are seen, in the order of Tab."""
        return self.page.eval_on_selector_all("#stage [data-key]", "all => all.map(g => g.dataset.key)")

    def cards(self) -> list[str]:
        return self.page.eval_on_selector_all("#stage .node", "all => all.map(g => g.dataset.key)")

    def classes(self, key: str) -> list[str]:
        return self.page.get_attribute(f'#stage [data-key="{key}"]', "class").split()

    def focused(self) -> str:
        return self.page.evaluate("document.activeElement.dataset?.key ?? document.activeElement.id")

    def measured(self, name: str) -> list[float]:
        """Milliseconds of all that the page measured under a name."""
        return self.page.evaluate(f"performance.getEntriesByName('{name}').map(e => e.duration)")


@pytest.fixture
def opened(chromium: Any, tmp_path: Any) -> Iterator[Callable[..., Opened]]:
    """`opened(text)` opens it from a file; nothing but that file may be asked for."""
    contexts = []

    def open_text(text: str, ready: str = "html[data-ready]", **settings: Any) -> Opened:
        file = tmp_path / f"page{len(contexts)}.html"
        file.write_text(text, encoding="utf-8")
        context = chromium.new_context(viewport={"width": 1400, "height": 900}, **settings)
        contexts.append(context)
        context.set_default_timeout(5000)
        context.set_offline(True)
        found = Opened(context.new_page(), [], [])

        def asked(route: Any) -> None:
            if route.request.url == file.as_uri():
                route.continue_()
            else:
                found.requests.append(route.request.url)
                route.abort()

        context.route("**/*", asked)
        found.page.on("console", lambda m: found.errors.append(m.text) if m.type in ("error", "warning") else None)
        found.page.on("pageerror", lambda error: found.errors.append(str(error)))
        found.page.goto(file.as_uri())
        found.page.wait_for_selector(ready, state="attached", timeout=10_000)
        return found

    yield open_text
    for context in contexts:
        context.close()
