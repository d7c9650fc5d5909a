"""What works on this machine: versions, renderers, plots, fonts, and the one line that adds what is missing."""

from __future__ import annotations

from typing import NamedTuple

from . import backend

PROBE = "digraph { a -> b }"
STARTS = {"png": b"\x89PNG", "pdf": b"%PDF"}
OPTIONAL = (                                  # package, what it is for, the extra that brings it
    ("matplotlib", "plots: training_curves, histograms, loss surfaces, ...", "demo"),
    ("sklearn", "the data sets of the notebooks", "demo"),
    ("scipy", "special functions that NumPy lacks", "special"),
    ("PIL", "images as data, GIFs of animations", "images"),
)


class Finding(NamedTuple):
    """One thing that was looked at."""

    state: str                                # "yes", "no" (not here) or "bad" (here, and does not work)
    name: str
    detail: str
    cure: str = ""                            # a line for the shell


def version_of(package: str) -> str:
    """The version of an installed distribution; "" where there is none."""
    from importlib.metadata import PackageNotFoundError, version
    try:
        return version({"sklearn": "scikit-learn", "PIL": "pillow"}.get(package, package))
    except PackageNotFoundError:
        return ""


def ours() -> str:
    """The version of this library."""
    return version_of("glassgrad") or "(run from its sources, not installed)"


def _renderers() -> list[Finding]:
    found = []
    for one in backend.backends():
        formats, cure = ", ".join(f for f in one.formats if f != "layout"), ""
        state, detail = ("yes" if one.works else "no"), one.detail
        if not one.works:
            if backend.available():           # one Graphviz is enough
                detail = detail.partition(":")[0] + ", and not needed beside the other"
            else:
                cure = 'pip install "glassgrad[viz]"'
        found.append(Finding(state, one.name, f"{formats:<38} {detail}", cure))
    if backend.available():                   # found is not yet working
        for form, start in STARTS.items():
            try:
                if not backend.graphviz(PROBE, "dot", form).startswith(start):
                    raise backend.BackendError(f"what it wrote is no {form.upper()}")
            except backend.BackendError as error:
                found.append(Finding("bad", form, str(error).splitlines()[0], 'pip install "glassgrad[viz]"'))
    return found


def _packages() -> list[Finding]:
    from importlib.util import find_spec
    found = []
    for name, use, extra in OPTIONAL:
        here = find_spec(name) is not None
        cure = "" if here else f'pip install "glassgrad[{extra}]"'
        found.append(Finding("yes" if here else "no", name, f"{version_of(name) or 'not installed':<20} {use}", cure))
    return found


def _fonts() -> list[Finding]:
    """What stands in for the fonts that pictures name; PNG and PDF need one, SVG takes those of its reader."""
    import subprocess
    from shutil import which
    program = which("fc-match")
    if program is None:
        return [Finding("no", "fc-match", "fonts of this machine are unknown; SVG and HTML take those of their reader",
                        "apt-get install fontconfig fonts-liberation")]
    found = []
    for family in ("Arial", "monospace"):
        try:
            done = subprocess.run([program, "--format=%{family}", family], capture_output=True, check=False,
                                  timeout=backend.TIME_LIMIT)
            name = "" if done.returncode else done.stdout.decode(errors="replace").strip()
        except (OSError, subprocess.TimeoutExpired):
            name = ""
        fine = bool(name)
        found.append(Finding("yes" if fine else "bad", family, f"drawn with {name}" if fine else "no font at all",
                             "" if fine else "apt-get install fonts-liberation"))
    return found


def checkup() -> tuple[str, bool]:
    """(the report, whether all that is here works).  What is absent is no fault: it is named with its cure."""
    import platform
    import sys

    import numpy
    sections = {"Pictures of graphs (viz.draw)": _renderers(), "Other packages": _packages(),
                "Fonts, for PNG and PDF": _fonts()}
    lines = [f"glassgrad {ours()}, Python {platform.python_version()}, NumPy {numpy.__version__}, "
             f"{platform.system()} {platform.machine()}", sys.executable]
    for title, findings in sections.items():
        lines += ["", title, *(f"  {f.state:<4} {f.name:<12} {f.detail}" for f in findings)]
    lacking = [f for findings in sections.values() for f in findings if f.cure]
    lines += ["", "To add what is missing:" if lacking else "Nothing is missing."]
    cures: dict[str, list[str]] = {}
    for f in lacking:
        cures.setdefault(f.cure, []).append(f.name)
    wide = max(map(len, cures), default=0)
    lines += [f"  {cure:<{wide}}   # {', '.join(names)}" for cure, names in cures.items()]
    return "\n".join(lines), all(f.state != "bad" for findings in sections.values() for f in findings)
