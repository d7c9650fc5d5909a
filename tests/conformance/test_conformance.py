"""PyTorch's own test inputs against this library:  ./run conformance

Runs the harness beside this file over every operator of torch's OpInfo database whose name is here, and holds the
shares of right samples to a floor.  Takes minutes and PyTorch, so that it runs only where its folder was named.
CONFORMANCE_OPS=add,mul picks operators, CONFORMANCE_JSON=out.json writes everything down.
"""

from __future__ import annotations

import os
import sys
import warnings
from pathlib import Path

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
    import opinfo_harness as harness
    from adapter import Glassgrad
    from conformlib import Report, read_names

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

NAMES = 382
FLOORS = {"forward": 0.995, "grad": 0.995, "gradgrad": 0.99}
EDGES = 0.97
KNOWN = read_names(HERE / "known.txt")


def run(kind: str) -> Report:
    """Every operator, or those of CONFORMANCE_OPS, with torch's samples or those holding edge values."""
    report = Report()
    runner = harness.Runner(Glassgrad(), report, order=2 if kind == "samples" else 1)
    double = harness.torch.float64
    with np.errstate(all="ignore"):
        for info in harness.choose(os.environ.get("CONFORMANCE_OPS", ""), {}):
            if double in info.dtypes:
                for i, sample in enumerate(harness.samples_of(info, double, info.supports_autograd, kind)):
                    if i == 40:
                        break
                    runner.sample(info, sample)
    for name, stages in list(report.counts.items()):
        if set(stages.get("skips", {})) == {"absent"} and not any(
                c["pass"] + c["fail"] for stage, c in stages.items() if stage != "skips"):
            report.missing.append(name)
            del report.counts[name]
    if path := os.environ.get("CONFORMANCE_JSON"):
        report.dump(f"{path}.{kind}" if kind != "samples" else path)
    return report


def share(report: Report, stage: str) -> float:
    counts = report.totals().get(stage, {})
    right, wrong = counts.get("pass", 0), counts.get("fail", 0)
    return right / max(right + wrong, 1)


@pytest.fixture(scope="module")
def samples() -> Report:
    return run("samples")


def present(report: Report) -> set[str]:
    return {case.partition(":")[0] for case in report.counts}


def test_names_present(samples, capsys):
    with capsys.disabled():
        print(f"\n{len(present(samples))} names of torch are here; absent: {len(samples.missing)} cases")
    if not os.environ.get("CONFORMANCE_OPS"):
        assert len(present(samples)) >= NAMES


@pytest.mark.parametrize("stage", FLOORS)
def test_share_of_right_samples(samples, stage):
    if os.environ.get("CONFORMANCE_OPS"):
        pytest.skip("a share of a few operators says little")
    assert share(samples, stage) >= FLOORS[stage], samples.totals()


def test_failures_are_known_by_name(samples):
    new = sorted(set(samples.failed()) - set(KNOWN))
    assert not new, "\n".join(f"{name}: {note}" for name in new for note in samples.notes[name])


def test_known_failures_still_fail(samples):
    mended = sorted(set(KNOWN) & set(samples.counts) - set(samples.failed()))
    assert not mended, f"take out of known.txt: {mended}"


def test_edges():
    report = run("edges")
    report.show(("forward", "grad"))        # seen where the test fails
    right = sum(c.get("pass", 0) for c in report.totals().values())
    wrong = sum(c.get("fail", 0) for c in report.totals().values())
    assert right >= EDGES * (right + wrong), report.totals()


def test_table(samples, capsys):
    with capsys.disabled():
        print()
        samples.show(tuple(FLOORS), verbose=True, xfail=KNOWN)
