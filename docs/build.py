"""`./run docs`: the site, in out/docs; a warning of Sphinx is an error.  Arguments go to sphinx-build."""

from __future__ import annotations

import sys
from pathlib import Path

from sphinx.cmd.build import main

HERE = Path(__file__).resolve().parent
OUT = HERE.parent / "out" / "docs"

if __name__ == "__main__":
    status = main(["-q", "-W", "--keep-going", "-b", "html", "-d", str(OUT.parent / "doctrees"), str(HERE), str(OUT),
                   *sys.argv[1:]])
    print(f"{OUT / 'index.html'}" if not status else "docs: the warnings above are errors")
    sys.exit(status)
