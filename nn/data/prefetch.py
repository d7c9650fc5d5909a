"""Batches made ahead of time by a thread, while the model works on the one before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextvars import copy_context
from queue import Empty, Full, Queue
from threading import Event, Thread
from typing import Any

PATIENCE = 0.1                                 # seconds between looks at whether somebody still wants batches


def prefetched(made: Callable[[], Iterator[Any]], depth: int) -> Iterator[Any]:
    """What `made()` gives, in its order, at most `depth` batches ahead.

    An error in the thread is raised where the batch was asked for.  Left early (break, an error in the loop), the
    thread ends; it never outlives the process.  NumPy lets go of Python's lock in long operations and while files are
    read: that is when both work at once.
    """
    batches: Queue[tuple[str, Any]] = Queue(depth)
    unwanted = Event()

    def offer(kind: str, value: Any) -> bool:
        while not unwanted.is_set():
            try:
                batches.put((kind, value), timeout=PATIENCE)
                return True
            except Full:
                pass
        return False

    def work() -> None:
        try:
            for batch in made():
                if not offer("batch", batch):
                    return
        except BaseException as error:         # whatever it is belongs to whoever waits for the batch
            offer("error", error)
        else:
            offer("end", None)

    thread = Thread(target=copy_context().run, args=(work,), name="DataLoader", daemon=True)
    thread.start()
    try:
        while True:
            try:
                kind, value = batches.get(timeout=1.0)
            except Empty:
                if not thread.is_alive() and batches.empty():
                    raise RuntimeError("DataLoader: the thread that makes the batches ended without a word") from None
                continue
            if kind == "end":
                return
            if kind == "error":
                raise value
            yield value
    finally:
        unwanted.set()
        while not batches.empty():             # the thread may wait for room
            batches.get_nowait()
        thread.join()
