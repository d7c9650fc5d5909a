"""Files written whole or not at all."""

from __future__ import annotations

import os

SUFFIXES = (".svg", ".png", ".pdf", ".html", ".dot", ".mmd", ".tex", ".json", ".txt")


def checked(path: str | os.PathLike[str], suffixes: tuple[str, ...] = SUFFIXES) -> tuple[str, str]:
    """The real path and its suffix, once it is sure that a file can be written there.

    Raises ValueError for an unknown suffix, FileNotFoundError, IsADirectoryError, NotADirectoryError or
    PermissionError for a place where nothing can be written.
    """
    given = os.fspath(path)
    suffix = os.path.splitext(given)[1].lower()
    if suffix not in suffixes:
        known = " or ".join(filter(None, (", ".join(suffixes[:-1]), suffixes[-1])))
        raise ValueError(f"save: expected a path that ends in {known}; got {given!r}; "
                         f"what opens anywhere: {os.path.splitext(given)[0] + suffixes[0]!r}")
    real = os.path.realpath(given)
    folder = os.path.dirname(real)
    if os.path.isdir(real):
        raise IsADirectoryError(f"save: expected the path of a file; got {given!r}, which is a folder; add a file name")
    if not os.path.exists(folder):
        raise FileNotFoundError(f"save: expected a folder that exists; got {given!r}, and there is no {folder!r}; "
                                f"make it first: os.makedirs({folder!r})")
    if not os.path.isdir(folder):
        raise NotADirectoryError(f"save: expected a folder to write into; got {given!r}, and {folder!r} is a file; "
                                 "choose another place")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise PermissionError(f"save: expected a folder that can be written; got {given!r}, and {folder!r} cannot; "
                              "choose another place or change its permissions")
    return real, suffix


def write(path: str, data: bytes) -> None:
    """Puts the data at the path in one step: what was there stays until all of it is written."""
    beside = f"{path}.{os.getpid()}.part"
    try:
        with open(beside, "xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, path)
    except OSError as error:
        raise type(error)(f"save: expected to write {path!r}; {error.strerror or error}; nothing was written; "
                          "choose another place") from error
    finally:
        if os.path.exists(beside):
            os.remove(beside)
