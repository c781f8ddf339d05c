"""What the other sessions did, in a form that one pass over them makes and bounds."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from beholder.collect.quality.likeness import Normal
from beholder.collect.recordings import Recording
from beholder.study.gaze import Floats, attention_map

CELLS = 24


@dataclass(frozen=True)
class Text:
    """A caption of somebody, normalised, and where it stands."""

    session: str
    participant: str
    trial: str
    received_ms: int
    normal: Normal


@dataclass
class Others:
    """All sessions together: maps summed by image, captions by image, habits of clicking.

    A session is among its own others: what uses them leaves it out.
    """

    map_sums: dict[str, Floats] = field(default_factory=dict)
    viewers: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    texts: dict[str, list[Text]] = field(default_factory=lambda: defaultdict(list))
    same_texts: dict[str, list[Text]] = field(default_factory=lambda: defaultdict(list))
    at_minimum: dict[str, float] = field(default_factory=dict)

    def add(
        self,
        session: str,
        participant: str,
        trials: Iterable[Recording],
        minimum_clicks: int,
        shortest_text: int,
    ) -> None:
        """Add a session's trials (without practice)."""
        viewings = 0
        few = 0
        for one in trials:
            for caption in one.captions:
                normal = Normal.of(caption.text)
                if len(normal) >= shortest_text:
                    text = Text(session, participant, one.trial, one.received_ms, normal)
                    self.texts[one.image].append(text)
                    self.same_texts[normal.text].append(text)
            if one.has_bubbles:
                viewings += 1
                few += len(one.clicks) <= minimum_clicks
                self._add_map(one)
        if viewings:
            self.at_minimum[session] = few / viewings

    def _add_map(self, one: Recording) -> None:
        values = viewing_map(one)
        if values is None:
            return
        known = self.map_sums.get(one.image)
        self.map_sums[one.image] = values if known is None else known + values
        self.viewers[one.image] += 1


def viewing_map(one: Recording) -> NDArray[np.float32] | None:
    """Return a trial's attention map, shape (CELLS * CELLS,), or None where nothing was clicked.

    The kernel is that of `beholder.study.gaze`: 5 % of the image's width.
    """
    if not len(one.clicks):
        return None
    values = attention_map(one.clicks.points, CELLS, CELLS, aspect=one.aspect)
    return np.asarray(values.ravel(), dtype=np.float32)
