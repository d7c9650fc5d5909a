"""PyTorch's own test inputs against this library:  ./run conformance

Runs the harness beside this file over every operator of torch's OpInfo database whose name is here, and holds the
shares of right samples to a floor; so for edge values, strided arrays, methods, operators, other dtypes, and errors.
Takes minutes and PyTorch, so that it runs only where its folder was named.
CONFORMANCE_OPS=add,mul picks operators, CONFORMANCE_JSON=out.json writes everything down.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from itertools import islice
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
    import opinfo_harness as harness
    from adapter import Glassgrad
    from conformlib import Report, read_names
    from second_opinion import Other, second_opinion

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]

NAMES = 510
FLOORS = {"forward": 0.995, "grad": 0.995, "gradgrad": 0.99}
EDGES, EDGES_RIGHT = 0.97, 0.982               # as PyTorch's operator has it; and with the second opinion
# Other ways of calling and other dtypes: (options of `run`, the share of right samples, values and slopes together).
WAYS = {
    "strided": ({"strided": True, "most": 2}, 0.995),
    "method": ({"variant": "method", "most": 4}, 0.997),
    "operator": ({"variant": "operator", "most": 4}, 1.0),
    "inplace": ({"variant": "inplace", "most": 4}, 0.995),
    "float32": ({"dtype": "float32", "most": 3}, 0.998),
    "float16": ({"dtype": "float16", "most": 3}, 0.985),
    "complex128": ({"dtype": "complex128", "most": 3}, 0.99),
    "int64": ({"dtype": "int64", "most": 4}, 0.97),
    "uint8": ({"dtype": "uint8", "most": 3}, 0.96),
    "bool": ({"dtype": "bool", "most": 4}, 0.98),
}
ERRORS = 0.97
KNOWN, KNOWN_EDGES = read_names(HERE / "known.txt"), read_names(HERE / "known_edges.txt")


def infos() -> list[Any]:
    """Every operator, or those of CONFORMANCE_OPS."""
    return harness.choose(os.environ.get("CONFORMANCE_OPS", ""), {})


def run(kind: str = "samples", *, dtype: str = "float64", order: int = 1, variant: str = "function",
        strided: bool = False, most: int = 40, name: str = "") -> Report:
    """The operators with torch's samples or those holding edge values."""
    report = Report()
    runner = harness.Runner(Glassgrad(), report, order if dtype in ("float64", "complex128") else 0, strided)
    for info, sample in cases(kind, dtype, bool(runner.order), most, variant):
        with np.errstate(all="ignore"):
            runner.sample(info, sample, variant)
    return finished(report, name or kind)


def cases(kind: str, dtype: str, grads: bool, most: int, variant: str = "function") -> Iterator[tuple[Any, Any]]:
    precise = getattr(harness.torch, dtype)
    for info in infos():
        if precise in info.dtypes and (variant == "function" or getattr(info, f"get_{variant}")() is not None):
            samples = harness.samples_of(info, precise, grads and info.supports_autograd, kind)
            yield from ((info, sample) for sample in islice(samples, most))


def finished(report: Report, kind: str = "samples") -> Report:
    """The report without the operators that are absent here; written down where CONFORMANCE_JSON says so."""
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
    return run(order=2)


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


def total(report: Report) -> float:
    """The share of right samples, values and slopes together."""
    counts = report.totals().values()
    right, wrong = sum(c.get("pass", 0) for c in counts), sum(c.get("fail", 0) for c in counts)
    return right / max(right + wrong, 1)


def test_edges(capsys):
    """Ties, huge values, offsets, zeros, infinities and NaN: against PyTorch, and with the second opinion."""
    alone, right = Report(), Report()
    runner = harness.Runner(Glassgrad(), alone, order=1)

    def outcome(info: Any, sample: Any) -> Report:
        runner.report = Report()
        with np.errstate(all="ignore"):
            runner.sample(info, sample)
        return runner.report

    for info, sample in cases("edges", "float64", True, 40):
        first = outcome(info, sample)
        add(alone, first)
        if first.failed() and (other := second_opinion(info)):
            second = outcome(other, sample)
            agrees = not second.failed() and not any("skips" in stages for stages in second.counts.values())
            first = second if agrees else first
        add(right, first)
    finished(alone, "edges")
    finished(right, "edges-right").show(("forward", "grad"))       # seen where the test fails
    with capsys.disabled():
        print(f"\nedges: {total(alone):.2%} as PyTorch, {total(right):.2%} with the second opinion")
    if not os.environ.get("CONFORMANCE_OPS"):                      # a share of a few operators says little
        assert total(alone) >= EDGES, alone.totals()
        assert total(right) >= EDGES_RIGHT, right.totals()
    new = sorted(set(right.failed()) - set(KNOWN_EDGES))
    assert not new, "\n".join(f"{name}: {note}" for name in new for note in right.notes[name])


def add(report: Report, one: Report) -> None:
    for name, stages in one.counts.items():
        for stage, counts in stages.items():
            report.counts[name][stage].update(counts)
        report.notes[name] += one.notes.get(name, [])[:report.keep - len(report.notes[name])]


@pytest.mark.parametrize("way", WAYS)
def test_other_ways_and_dtypes(way, capsys):
    options, floor = WAYS[way]
    report = run(**options, name=way)
    if not any(c.get("pass", 0) + c.get("fail", 0) for c in report.totals().values()):
        pytest.skip(f"none of the operators is here {way}")
    report.show(("forward", "grad"))
    with capsys.disabled():
        print(f"\n{way}: {total(report):.2%}")
    assert os.environ.get("CONFORMANCE_OPS") or total(report) >= floor, report.totals()


def test_errors(capsys):
    """What PyTorch refuses is refused; but a Python number may stand for a tensor."""
    report = Report()
    runner = harness.Runner(Glassgrad(), report)
    for info in infos():
        if info.error_inputs_func is not None:
            runner.errors(Refused(info))
    finished(report, "errors").show(("errors",))
    with capsys.disabled():
        print(f"\nerror inputs: {total(report):.2%}")
    assert os.environ.get("CONFORMANCE_OPS") or total(report) >= ERRORS, report.totals()


class Refused(Other):
    """An OpInfo without the error inputs that only have a Python number in the place of a tensor."""

    def __init__(self, info: Any) -> None:
        super().__init__(info, info.op)

    def error_inputs(self, device: str) -> Iterator[Any]:
        return (e for e in self._info.error_inputs(device) if e.error_type is not Exception or e.error_regex)


def test_table(samples, capsys):
    with capsys.disabled():
        print()
        samples.show(tuple(FLOORS), verbose=True, xfail=KNOWN)
