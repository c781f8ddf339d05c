"""Many simulated participants at once, each a thread with a browser of its own."""

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from beholder.collect.simulation.browser import Browser, Patience, checked_address
from beholder.collect.simulation.participation import Participation, World, take_part
from beholder.collect.simulation.people import draw_participant
from beholder.progress import Progress, silent

_BROWSER = 30  # stream of random numbers


@dataclass(frozen=True)
class CrowdReport:
    """What a crowd did and what it saw of the server.

    ``save_*_ms`` is the time of the answer that acknowledged a record; ``wait_*_ms`` runs from
    the first attempt, through whatever the server was away.
    """

    participants: int
    outcomes: dict[str, int]
    saves: int
    seconds: float
    saves_a_second: float
    save_p50_ms: float | None
    save_p99_ms: float | None
    wait_p99_ms: float | None
    retried_saves: int
    double_sends: int
    reloads: int

    def as_json(self) -> dict[str, Any]:
        """Return the object that `beholder collect simulate --json` prints."""
        return asdict(self)


def simulate_crowd(
    address: str,
    world: World,
    *,
    participants: int,
    concurrency: int,
    seed: int = 0,
    patience: Patience | None = None,
    progress: Progress = silent,
) -> CrowdReport:
    """Let people take part in the study at an address, ``concurrency`` of them at a time.

    Raises the first error that is neither a server's absence nor a person's whim.
    """
    checked_address(address)

    def one(number: int) -> Participation:
        person = draw_participant(number, seed, world.rates)
        browser = Browser(address, person.generator(_BROWSER), patience or Patience())
        return take_part(person, browser, world)

    begun = time.monotonic()
    with ThreadPoolExecutor(max_workers=min(concurrency, participants)) as pool:
        running = [pool.submit(one, number) for number in range(participants)]
        try:
            done = [
                each.result()
                for each in progress(as_completed(running), "participants", participants)
            ]
        except BaseException:
            for each in running:
                each.cancel()
            raise
    return _report(done, time.monotonic() - begun)


def _report(done: Sequence[Participation], seconds: float) -> CrowdReport:
    saves = [save for each in done for save in each.saves]
    answers = [save.seconds * 1000 for save in saves]
    waits = [save.waited_s * 1000 for save in saves]
    return CrowdReport(
        participants=len(done),
        outcomes=dict(Counter(each.outcome for each in done)),
        saves=len(saves),
        seconds=round(seconds, 2),
        saves_a_second=round(len(saves) / seconds, 1),
        save_p50_ms=_quantile(answers, 0.5),
        save_p99_ms=_quantile(answers, 0.99),
        wait_p99_ms=_quantile(waits, 0.99),
        retried_saves=sum(save.attempts > 1 for save in saves),
        double_sends=sum(each.double_sends for each in done),
        reloads=sum(each.reloads for each in done),
    )


def _quantile(values: Sequence[float], share: float) -> float | None:
    return round(float(np.quantile(values, share)), 1) if values else None
