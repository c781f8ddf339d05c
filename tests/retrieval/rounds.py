"""Stores whose every item says in which writing it was made, and processes that are killed."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable

import numpy as np
from made_stores import DESCRIPTION, SIDES, made_addition

from beholder.retrieval import Snapshot
from beholder.retrieval.records import Addition, SampleRecord

SAMPLES = 300


def of_round(number: int, count: int = SAMPLES) -> Addition:
    """Return items that all say of which round they are."""
    base = made_addition(2, 2, 0, np.random.default_rng(0))
    samples = tuple(
        SampleRecord(one, f"person-{one % 2}", "image-0.png", text=f"round {number}")
        for one in range(count)
    )
    side = SIDES[0]
    rows = np.full((count, DESCRIPTION.layout(side).width), number, np.float32)
    return Addition(base.participants, base.images, samples, {side: (np.arange(count), rows)})


def rounds_in(snapshot: Snapshot) -> set[int]:
    """Return every round of which the store holds a text or a vector."""
    count = snapshot.counts()["samples"]
    texts = {sample.text for sample in snapshot.samples(range(count + 1)).values()}
    rows = np.concatenate([snapshot.vectors_of(SIDES[0], f"person-{n}") for n in range(2)])
    assert len(rows) == count
    return {int(str(text).split()[1]) for text in texts} | {int(one) for one in np.unique(rows)}


def killed(work: Callable[[int], None], after_s: float, after_works: int = 0) -> int:
    """Run work(0), work(1), … in a process that is killed; return how often it came through.

    It lives for so many works, however slow the machine is, and then for ``after_s``.
    """
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:  # the child
        try:
            for number in range(1000):
                work(number)
                os.write(writing, b".")
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        lived = len(pipe.read(after_works))
        time.sleep(after_s)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        return lived + len(pipe.read())
