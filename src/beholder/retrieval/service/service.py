"""What the routes share: a store, its searcher, and what is kept of the store's present state."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from beholder.errors import BeholderError
from beholder.retrieval.current import Current
from beholder.retrieval.search import Searcher
from beholder.retrieval.service.limits import Limits
from beholder.retrieval.service.maps import Maps
from beholder.retrieval.service.metrics import Labels, Metrics
from beholder.retrieval.service.names import Names, names_of
from beholder.retrieval.service.searching import SearchThread
from beholder.retrieval.service.waiting import OneAtATime
from beholder.retrieval.store import Snapshot, Store


@dataclass(frozen=True)
class Settings:
    """How one server runs; without a token only this machine is answered."""

    token: str | None = field(default=None, repr=False)
    root_path: str = ""  # the prefix under which a proxy shows the server, without a final /
    limits: Limits = field(default_factory=Limits)


class Service:
    """A served store; all that it keeps is of the store's present state."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self.store, self.settings = store, settings
        limits = settings.limits
        self.metrics, self.names = Metrics(), Current(names_of)
        self.searcher = Searcher(store)
        self.searches = SearchThread(store, self.searcher, self.names, self.metrics, limits)
        self.explanations = OneAtATime(
            "explain", limits.waiting_explanations, limits.explanation_seconds
        )
        self.maps = Maps(store, self.names)
        self.in_work = 0

    def start(self) -> None:
        """Begin to load the store."""
        self.searches.start()

    def stop(self) -> None:
        """Answer what waits, then end."""
        self.searches.stop()
        self.explanations.stop()
        self.maps.stop()

    @contextmanager
    def read(self) -> Iterator[tuple[Snapshot, Names]]:
        """Give the present state and its names."""
        with self.store.read() as snapshot:
            yield snapshot, self.names.of(snapshot)

    def generation(self) -> int | None:
        """Return the number of the present state, or None until it is loaded and readable."""
        if not self.searches.is_loaded:
            return None
        try:
            with self.store.read() as snapshot:
                return snapshot.generation
        except BeholderError:
            return None

    def gauges(self) -> dict[str, tuple[str, Mapping[Labels, float]]]:
        """Return what is now, for the metrics."""
        gauges: dict[str, tuple[str, Mapping[Labels, float]]] = {
            "beholder_requests_in_work": (
                "Requests that are not answered yet.",
                {(): self.in_work},
            ),
            "beholder_search_waiting": ("Queries that wait.", {(): self.searches.waiting}),
        }
        generation = self.generation()
        gauges["beholder_ready"] = (
            "Whether the store is loaded and readable.",
            {(): float(generation is not None)},
        )
        if generation is not None:
            with self.store.read() as snapshot:
                counts = snapshot.counts()
            gauges["beholder_store_generation"] = ("The store's state.", {(): generation})
            gauges["beholder_store_items"] = (
                "What the store holds.",
                {(("kind", kind),): count for kind, count in counts.items()},
            )
        return gauges
