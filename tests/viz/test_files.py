"""Saving: every suffix, whole or not at all, and errors before any work."""

import os
import shutil
import warnings
from xml.etree import ElementTree

import pytest

import viz
from autograd.graph import Graph
from viz import files

needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="needs the dot program")


def test_text_formats(graphs, tmp_path):
    drawing = viz.draw(graphs["residual"]())
    for suffix in (".svg", ".dot", ".json", ".txt", ".SVG", ".mmd", ".tex"):
        assert drawing.save(tmp_path / f"g{suffix}") is None
    assert ElementTree.parse(tmp_path / "g.svg").getroot().get("role") == "img"
    assert (tmp_path / "g.dot").read_text() == drawing.source
    assert (tmp_path / "g.txt").read_text() == drawing.text + "\n"
    assert Graph.from_json((tmp_path / "g.json").read_text()) == drawing.graph
    assert (tmp_path / "g.mmd").read_text(encoding="utf-8") == drawing.mermaid
    assert (tmp_path / "g.tex").read_text(encoding="utf-8") == drawing.tex
    assert (tmp_path / "g.SVG").read_bytes() == (tmp_path / "g.svg").read_bytes()


@needs_dot
def test_png_and_pdf(graphs, tmp_path):
    drawing = viz.draw(graphs["mlp"](), theme="dark")
    drawing.save(tmp_path / "g.png", dpi=72)
    drawing.save(tmp_path / "g.pdf")
    data = (tmp_path / "g.png").read_bytes()
    assert data.startswith(b"\x89PNG")
    size = [int.from_bytes(data[k:k + 4], "big") for k in (16, 20)]
    assert size == pytest.approx([drawing.width, drawing.height], abs=12)
    assert (tmp_path / "g.pdf").read_bytes().startswith(b"%PDF")


@needs_dot
def test_a_huge_png_is_drawn_smaller_with_a_warning(graphs, tmp_path, monkeypatch):
    import viz.drawing
    monkeypatch.setattr(viz.painting, "MOST_PIXELS", 40_000)
    drawing = viz.draw(graphs["mlp"]())
    words = r"save: a PNG of \d+ by \d+ points at 144 dpi is over 0 megapixels; drawn at \d+ dpi"
    with pytest.warns(UserWarning, match=words):
        drawing.save(tmp_path / "g.png")
    data = (tmp_path / "g.png").read_bytes()
    assert int.from_bytes(data[16:20], "big") * int.from_bytes(data[20:24], "big") < 60_000


@needs_dot
def test_a_very_long_picture_fits_a_pdf_page(graphs, tmp_path):
    drawing = viz.draw(graphs["chain"](300), budget=None)
    assert drawing.height > 14_400
    drawing.save(tmp_path / "g.pdf")
    assert (tmp_path / "g.pdf").read_bytes().startswith(b"%PDF")


@pytest.mark.parametrize("name", ["g", "g.jpg", "g.", ".svg/g", "g.svg.exe"])
def test_unknown_suffix(graphs, tmp_path, name):
    path = str(tmp_path / name)
    with pytest.raises(ValueError) as error:
        viz.draw(graphs["mlp"]()).save(path)
    stem = os.path.splitext(path)[0]
    assert str(error.value) == ("save: expected a path that ends in .svg, .png, .pdf, .html, .dot, .mmd, .tex, "
                                f".json or .txt; got {path!r}; what opens anywhere: {stem + '.svg'!r}")
    assert not os.listdir(tmp_path)


def test_missing_folder(graphs, tmp_path):
    path = str(tmp_path / "a" / "g.svg")
    with pytest.raises(FileNotFoundError) as error:
        viz.draw(graphs["mlp"]()).save(path)
    folder = os.path.realpath(tmp_path / "a")
    assert str(error.value) == (f"save: expected a folder that exists; got {path!r}, and there is no {folder!r}; "
                                f"make it first: os.makedirs({folder!r})")
    assert not os.listdir(tmp_path)


def test_a_folder_in_place_of_a_file(graphs, tmp_path):
    (tmp_path / "g.svg").mkdir()
    with pytest.raises(IsADirectoryError, match="expected the path of a file"):
        viz.draw(graphs["mlp"]()).save(tmp_path / "g.svg")


def test_a_file_in_place_of_a_folder(graphs, tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(NotADirectoryError, match="expected a folder to write into"):
        viz.draw(graphs["mlp"]()).save(tmp_path / "a" / "g.svg")


def test_a_folder_that_cannot_be_written(graphs, tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda *a: False)
    with pytest.raises(PermissionError, match="expected a folder that can be written"):
        viz.draw(graphs["mlp"]()).save(tmp_path / "g.svg")


def test_errors_come_before_any_work(graphs, monkeypatch):
    drawing = viz.draw(graphs["mlp"]())
    monkeypatch.setattr(type(drawing), "_arranged", lambda self: pytest.fail("work before the check"))
    with pytest.raises(ValueError):
        drawing.save("g.bmp")
    with pytest.raises(FileNotFoundError):
        drawing.save("/no/such/folder/g.png")


def test_a_failed_write_leaves_what_was_there(graphs, tmp_path, monkeypatch):
    path = tmp_path / "g.svg"
    path.write_text("before")

    def full(*_):
        raise OSError(28, "No space left on device")
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError) as error:
        viz.draw(graphs["mlp"]()).save(path)
    assert str(error.value) == (f"save: expected to write {os.path.realpath(path)!r}; No space left on device; "
                                "nothing was written; choose another place")
    assert path.read_text() == "before" and os.listdir(tmp_path) == ["g.svg"]


def test_a_link_is_followed_and_stays(graphs, tmp_path):
    target, link = tmp_path / "real.svg", tmp_path / "link.svg"
    target.write_text("before")
    link.symlink_to(target)
    viz.draw(graphs["mlp"]()).save(link)
    assert link.is_symlink() and target.read_text().startswith("<?xml")


def test_other_suffixes_can_be_asked_for(tmp_path):
    with pytest.raises(ValueError, match=r"a path that ends in \.html; got"):
        files.checked(tmp_path / "g.svg", (".html",))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert files.checked(tmp_path / "g.html", (".html",))[1] == ".html"
