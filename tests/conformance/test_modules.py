"""PyTorch's own inputs of modules against the layers and losses here:  ./run conformance

Covers every module of torch's ModuleInfo database whose name is in `nn`, in float64 and float32, training and not.
CONFORMANCE_MODULES=Linear,Conv2d picks modules.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

if not any("conformance" in argument for argument in sys.argv[1:]):
    pytest.skip("name tests/conformance to run it", allow_module_level=True)
pytest.importorskip("torch")
pytest.importorskip("expecttest")

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import modules as harness
    from adapter import Glassgrad
    from conformlib import Report, read_names

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

NAMES = 149                                    # modules with a sample that was run
FLOORS = {"state": 1.0, "repr": 1.0, "forward": 1.0, "grad": 0.998, "gradgrad": 0.998, "state after": 1.0}
KNOWN = read_names(HERE / "known_modules.txt")
WANTED = {name for name in os.environ.get("CONFORMANCE_MODULES", "").split(",") if name}


@pytest.fixture(scope="module")
def samples() -> Report:
    report = Report()
    runner = harness.Runner(Glassgrad(), report)
    for dtype in ("float64", "float32"):
        for training in (True, False):
            for case in harness.cases(dtype, training, WANTED):
                with np.errstate(all="ignore"):
                    runner.case(case)
    return report


def ran(report: Report) -> set[str]:
    return {name for name, stages in report.counts.items()
            if any(c["pass"] + c["fail"] for stage, c in stages.items() if stage != "skips")}


def share(report: Report, stage: str) -> float:
    counts: Any = report.totals().get(stage, {})
    right, wrong = counts.get("pass", 0), counts.get("fail", 0)
    return right / max(right + wrong, 1)


def test_names_present(samples, capsys):
    absent = sorted(set(samples.counts) - ran(samples))
    with capsys.disabled():
        print(f"\n{len(ran(samples))} modules of torch are here; absent or not run: {', '.join(absent) or 'none'}")
    assert WANTED or len(ran(samples)) >= NAMES


@pytest.mark.parametrize("stage", FLOORS)
def test_share_of_right_samples(samples, stage):
    if WANTED:
        pytest.skip("a share of a few modules says little")
    assert share(samples, stage) >= FLOORS[stage], samples.totals()


def test_failures_are_known_by_name(samples):
    new = sorted(set(samples.failed()) - set(KNOWN))
    assert not new, "\n".join(f"{name}: {note}" for name in new for note in samples.notes[name])


def test_known_failures_still_fail(samples):
    mended = sorted(set(KNOWN) & ran(samples) - set(samples.failed()))
    assert not mended, f"take out of known_modules.txt: {mended}"


def test_errors():
    """What PyTorch refuses to make or to call is refused."""
    report = Report()
    runner = harness.Runner(Glassgrad(), report)
    for info in harness.module_db:
        if not WANTED or info.name.removeprefix("nn.") in WANTED:
            for training in (True, False):
                runner.errors(info, training)
    report.show(("errors",))
    new = sorted({f"{name}:errors" for name in report.failed()} - set(KNOWN))
    assert not new, report.notes


def test_table(samples, capsys):
    with capsys.disabled():
        print()
        known = [name for name in KNOWN if not name.endswith(":errors")]
        samples.show(harness.STAGES, verbose=bool(WANTED), xfail=known)
