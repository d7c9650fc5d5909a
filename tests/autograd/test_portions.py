"""Portions of a large array in several threads: the same results, errors and context as in one."""

import os
import subprocess
import sys
import threading
from contextvars import ContextVar
from threading import get_ident as me
from typing import Any

import numpy as np
import pytest

import autograd as ag
from autograd import Tensor
from autograd.ops import portions, rows, winograd
from autograd.ops.portions import get_num_threads, in_portions, rows_alone, set_num_threads
from nn import functional as F

RNG = np.random.default_rng(0)
NAME: ContextVar[str] = ContextVar("name", default="nobody")


@pytest.fixture(autouse=True)
def three_threads(monkeypatch):
    monkeypatch.setattr(portions, "_chosen", None)
    set_num_threads(3)
    yield
    portions._close()


def test_portions_in_order_and_nothing_left_out():
    for count, each in ((10, 3), (9, 3), (1, 5), (0, 4), (7, 1), (5, 100)):
        places = in_portions(lambda at: (at.start, at.stop), count, each)
        assert [k for a, b in places for k in range(a, b)] == list(range(count))
        assert all(0 < b - a <= each for a, b in places), places
        sizes = [b - a for a, b in places]
        assert not sizes or max(sizes) - min(sizes) < max(2, len(sizes)), "of one size, but for the last"


def test_several_threads_are_at_work_at_once():
    meeting = threading.Barrier(3, timeout=10)
    assert len(set(in_portions(lambda _: (meeting.wait(), me())[1], 3, 1))) == 3


def test_one_thread_is_the_callers_own():
    set_num_threads(1)
    assert set(in_portions(lambda _: me(), 5, 1)) == {me()}
    assert portions._pool is None, "nor is a pool made for it"


def test_a_portion_has_no_portions_in_other_threads():
    inner = in_portions(lambda _: (me(), set(in_portions(lambda _: me(), 4, 1))), 6, 1)
    assert all(inside == {outside} for outside, inside in inner)


def test_the_context_of_the_caller():
    NAME.set("somebody")
    meeting = threading.Barrier(3, timeout=10)
    with np.errstate(over="raise", under="ignore"):
        seen = in_portions(lambda _: (meeting.wait(), NAME.get(), np.geterr()["over"])[1:], 3, 1)
    assert set(seen) == {("somebody", "raise")}
    in_portions(lambda _: NAME.set("me"), 4, 1)
    assert NAME.get() == "somebody", "which no portion changes"


@pytest.mark.parametrize("wrong", [0, 1, 19])
@pytest.mark.parametrize("kind", [ValueError, IndexError, KeyboardInterrupt])
def test_an_error_in_any_portion(wrong, kind):
    done = []

    def portion(at):
        if at.start == wrong:
            raise kind(f"portion {wrong}")
        done.append(at.start)
    with pytest.raises(kind, match=f"portion {wrong}"):
        in_portions(portion, 20, 1)
    assert wrong not in done
    assert in_portions(lambda at: at.start, 20, 1) == list(range(20)), "and the next call goes well"


def test_from_several_threads_of_the_user():
    x = RNG.standard_normal((64, 32))
    expected = rows.softmax(x, 32)
    found: list[bool] = []
    callers = [threading.Thread(target=lambda: found.extend(
        np.array_equal(np.concatenate(in_portions(lambda at: rows.softmax(x[at], 32), 64, 4)), expected)
        for _ in range(20))) for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert found == [True] * 80


def test_number_of_threads(monkeypatch):
    assert get_num_threads() == 3
    wrong: Any
    for wrong, error in ((0, ValueError), (-1, ValueError), (2.0, TypeError), (True, TypeError), ("2", TypeError)):
        with pytest.raises(error, match="set_num_threads expects"):
            set_num_threads(wrong)
    assert get_num_threads() == 3, "an error changes nothing"
    monkeypatch.setattr(portions, "_chosen", None)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    for blas, omp, expected in (("", "", 4), ("2", "", 2), ("", "3", 3), ("1", "3", 1), ("64", "", 4), ("", "2,1", 2),
                                ("none", "0", 4)):
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", blas)
        monkeypatch.setenv("OMP_NUM_THREADS", omp)
        assert get_num_threads() == expected


def convolve(channels, filters):
    x, w, b = (Tensor(RNG.standard_normal(s).astype(np.float32), requires_grad=True)
               for s in ((6, channels, 9, 10), (filters, channels, 3, 3), (filters,)))
    y = F.conv2d(x, w, b)
    y.backward(Tensor(RNG.standard_normal(y.shape).astype(np.float32)))
    return y, x.grad, w.grad, b.grad


def normalise(function):
    x, w, b = (Tensor(RNG.standard_normal(s).astype(np.float32), requires_grad=True)
               for s in ((50, 300), (300,), (300,)))
    y = F.layer_norm(x, (300,), w, b) if function == "layer_norm" else getattr(ag, function)(x, dim=1)
    y.backward(Tensor(RNG.standard_normal(y.shape).astype(np.float32)))
    return y, x.grad, *([w.grad, b.grad] if function == "layer_norm" else [])


@pytest.mark.parametrize("program, argument", [(normalise, ("softmax",)), (normalise, ("log_softmax",)),
                                               (normalise, ("layer_norm",)), (convolve, (32, 32))])
def test_the_same_to_the_last_bit_with_any_number_of_threads(monkeypatch, program, argument):
    monkeypatch.setattr(rows, "PORTION", 1 << 11)
    monkeypatch.setattr(winograd, "BLOCK", 1 << 14)
    found = []
    for threads in (1, 2, 3, 7):
        global RNG
        RNG = np.random.default_rng(5)
        set_num_threads(threads)
        found.append([v.detach().numpy() for v in program(*argument)])
    for other in found[1:]:
        assert all(np.array_equal(a, b) for a, b in zip(found[0], other, strict=True))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("where", ["outside", "in a portion"])
def test_a_child_process_has_threads_of_its_own(where):
    def child():
        pid = os.fork()
        if pid == 0:
            portions._AT_WORK.set(False)
            meeting, status = threading.Barrier(3, timeout=10), 1
            try:
                in_portions(lambda _: meeting.wait(), 3, 1)
                status = 0
            finally:
                os._exit(status)
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    assert in_portions(lambda at: at.start, 3, 1) == [0, 1, 2]
    if where == "outside":
        assert child() == 0
    elif sys.version_info < (3, 12):                      # later ones warn of it, rightly
        assert 0 in in_portions(lambda at: child() if at.start == 0 else 1, 3, 1)
    assert in_portions(lambda at: at.start, 3, 1) == [0, 1, 2]


def test_until_the_interpreter_has_ended():
    program = """
import atexit, sys, threading
import autograd, nn
from autograd.ops.portions import in_portions, set_num_threads
print("concurrent.futures" in sys.modules)
set_num_threads(2)
atexit.register(lambda: print(in_portions(lambda at: at.start, 4, 1)))
meeting = threading.Barrier(2, timeout=10)
in_portions(lambda _: meeting.wait(), 2, 1)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, encoding="utf-8", timeout=60,
                          cwd=portions.__file__[:portions.__file__.index("autograd")])
    assert (done.stdout, done.stderr, done.returncode) == ("False\n[0, 1, 2, 3]\n", "", 0)


def test_products_that_need_no_other_thread():
    assert rows_alone(10816, 10, 16) == 1352 and portions.ALONE >= 10 * 16 * 1352
    assert rows_alone(9973, 100, 100) == 9973, "a prime: one long product rather than many short ones"
    assert rows_alone(8, 10, 10) == 8 and rows_alone(64, 512, 512) == 64
