"""A notebook, executed and converted: the picture is in it, and plays."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[3]
CELL = """
import sys
sys.path.insert(0, {root!r})
import viz
from autograd import Tensor
from viz.offline import inline
x = Tensor(3.0, requires_grad=True, name="x")
y = (x * x).tanh()
y.backward()
class Played:
    def _repr_html_(self):
        return inline(viz.draw(y))
display(Played())
viz.draw(y)
"""


@pytest.fixture(scope="module")
def converted(tmp_path_factory):
    nbformat = pytest.importorskip("nbformat", reason="runs a notebook: pip install nbconvert ipykernel")
    pytest.importorskip("nbconvert", reason="runs a notebook: pip install nbconvert ipykernel")
    pytest.importorskip("ipykernel", reason="runs a notebook: pip install nbconvert ipykernel")
    folder = tmp_path_factory.mktemp("notebook")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(CELL.format(root=str(ROOT)))])
    nbformat.write(book, folder / "picture.ipynb")
    # in a process of its own: the kernel leaves sockets behind, which pytest would complain of
    done = subprocess.run([sys.executable, "-m", "nbconvert", "--to", "html", "--execute", "picture.ipynb"], cwd=folder,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return (folder / "picture.html").read_text(encoding="utf-8")


def test_the_pictures_are_in_it(converted):
    pictures = re.findall(r"<svg[^>]*>\s*<title[^>]*>Computation graph of 2 operations", converted)
    assert len(pictures) == 2 and 'data-id="n' in converted


def test_they_are_seen_and_one_plays(chromium, converted, tmp_path):
    file = tmp_path / "notebook.html"
    file.write_text(converted, encoding="utf-8")
    context = chromium.new_context()
    context.route("**/*", lambda route: route.continue_() if route.request.url == file.as_uri() else route.abort())
    page = context.new_page()
    page.goto(file.as_uri(), wait_until="domcontentloaded")
    pictures = page.query_selector_all("g.node")
    assert pictures and all(g.bounding_box()["width"] > 20 for g in pictures)
    page.query_selector("input[type=range]").fill("2")
    assert "multiply" in page.inner_text("[role=status]")
    context.close()
