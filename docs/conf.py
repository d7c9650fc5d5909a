"""The site: `./run docs` builds it from README, these pages, the docstrings and the executed notebooks."""

from __future__ import annotations

import json
import re
import shutil
import sys
from functools import partial
from itertools import groupby
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path.insert(0, str(ROOT))

project, author, copyright = "glassgrad", "the authors of glassgrad", "the authors of glassgrad"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx-mathjax-offline"]
exclude_patterns = ["_build"]
html_theme, html_title, html_copy_source = "furo", "glassgrad", False
html_static_path, html_css_files = ["_static"], ["site.css"]
html_theme_options = {"navigation_with_keys": True}
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence", "attrs_inline"]
myst_heading_anchors = 4
nb_execution_mode = "off"                      # they are executed by `./run notebooks`, and committed so
nb_render_markdown_format = "gfm"
autodoc_member_order = "groupwise"
autodoc_typehints = "none"
autodoc_preserve_defaults = True
maximum_signature_line_length = 100

OURS = ("autograd", "nn", "optim", "viz")
COLUMNS = re.compile(r"^ |\S {3,}\S|^>>>")
ESCAPED = str.maketrans({sign: "\\" + sign for sign in "\\*`|_"})
LINK = re.compile(r"\]\(([^)\s]+)\)")
FROM_ROOT = {"README.md": "readme.md", "CHANGELOG.md": "changelog.md", "CONTRIBUTING.md": "contributing.md",
             "benchmarks/RESULTS.md": "results.md", "benchmarks/TARGETS.md": "targets.md"}


def gather(app) -> None:
    """Puts what lies outside this folder where Sphinx looks: pages of the root, and the notebooks."""
    made = HERE / "_made"
    shutil.rmtree(made, ignore_errors=True)
    (made / "notebooks").mkdir(parents=True)
    for source, target in FROM_ROOT.items():
        if (ROOT / source).exists():
            text = LINK.sub(partial(seen_from_made, Path(source).parent), (ROOT / source).read_text("utf-8"))
            (made / target).write_text(text, encoding="utf-8")
    for path in sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        for cell in notebook["cells"]:
            if cell["cell_type"] == "markdown":
                cell["source"] = LINK.sub(partial(seen_from_made, Path("notebooks")), "".join(cell["source"]))
        (made / "notebooks" / path.name).write_text(json.dumps(notebook), encoding="utf-8")


def seen_from_made(folder: Path, found) -> str:
    """A link of a page of the root, as it has to be once the page stands in `_made`."""
    path, hash_, anchor = found[1].partition("#")
    if "://" in path or not path:
        return found[0]
    there = (ROOT / folder / path).resolve()
    name = there.relative_to(ROOT).as_posix()
    if name in FROM_ROOT or there.suffix == ".ipynb":
        return f"](/_made/{FROM_ROOT.get(name, name)}{hash_}{anchor})"
    if there.is_dir():                         # a site has no folders to look into: the file that says what is there
        name += "/__init__.py"
    if there.is_relative_to(HERE):
        return f"](/{there.relative_to(HERE).as_posix()}{hash_}{anchor})"
    return f"](/../{name})"


def as_written(app, what, name, found, options, lines) -> None:
    """A docstring is plain text: paragraphs stay paragraphs, and what stands in columns keeps them."""
    done: list[str] = []
    for _, block in groupby(lines, key=lambda line: bool(line.strip())):
        block = list(block)
        if not block[0].strip():
            done.append("")
        elif any(COLUMNS.search(line) for line in block):
            done += [".. code-block:: text", "", *["   " + line for line in block]]
        else:
            done.append(" ".join(line.strip() for line in block).translate(ESCAPED))
    lines[:] = [*done, ""]


def anchored(app, name, source) -> None:
    """`<a id="x"></a>`, which any reader of Markdown takes, in the form that MyST can refer to."""
    source[0] = re.sub(r'<a id="([^"]+)"></a>', r"[]{#\1}", source[0])


def documented(app, what, name, found, skip, options) -> bool | None:
    """Only what is ours, and each once: a package also has names from typing, and from another of ours."""
    foreign = str(getattr(found, "__module__", "autograd")).partition(".")[0] not in OURS
    return True if foreign or (name == "Parameter" and app.env.docname == "api/autograd") else None


def setup(app) -> None:
    app.connect("builder-inited", gather)
    app.connect("source-read", anchored)
    app.connect("autodoc-skip-member", documented)
    app.connect("autodoc-process-docstring", as_written)
