"""Counts and times for Prometheus, in its text exposition format 0.0.4."""

import threading
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
TOGETHER = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, str], ...]


class Histogram:
    """How many values were at most so large, for one set of labels."""

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count a value."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def lines(self, name: str, labels: Labels) -> Iterable[str]:
        """Give the lines of the exposition."""
        total = 0
        for bound, count in zip((*self._bounds, float("inf")), self._counts, strict=True):
            total += count
            shown = "+Inf" if bound == float("inf") else f"{bound:g}"
            yield _line(f"{name}_bucket", (*labels, ("le", shown)), total)
        yield _line(f"{name}_sum", labels, self._sum)
        yield _line(f"{name}_count", labels, total)


class Metrics:
    """What the server did; labels are routes, methods and statuses that the server knows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: Counter[Labels] = Counter()
        self._seconds: dict[Labels, Histogram] = {}
        self._search = Histogram(SECONDS)
        self._together = Histogram(TOGETHER)

    def request(self, method: str, route: str | None, status: int, seconds: float) -> None:
        """Count a request that was answered (status 0: the client was gone before)."""
        where = ("route", route or "none")
        labels = (
            where,
            ("method", method if method in _METHODS else "other"),
            ("status", str(status)),
        )
        with self._lock:
            self._requests[labels] += 1
            self._seconds.setdefault((where,), Histogram(SECONDS)).observe(seconds)

    def search(self, queries: int, seconds: float) -> None:
        """Count one search and how many queries it answered."""
        with self._lock:
            self._search.observe(seconds)
            self._together.observe(queries)

    def text(self, gauges: Mapping[str, tuple[str, Mapping[Labels, float]]]) -> str:
        """Return all as Prometheus reads it, with gauges by name: their help and values."""
        lines = []
        with self._lock:
            lines += _head("beholder_requests_total", "counter", "Requests answered.")
            lines += [
                _line("beholder_requests_total", labels, count)
                for labels, count in sorted(self._requests.items())
            ]
            lines += _head("beholder_request_seconds", "histogram", "Seconds to an answer.")
            for labels, histogram in sorted(self._seconds.items()):
                lines += histogram.lines("beholder_request_seconds", labels)
            lines += _head("beholder_search_seconds", "histogram", "Seconds of one search.")
            lines += self._search.lines("beholder_search_seconds", ())
            lines += _head(
                "beholder_search_queries", "histogram", "Queries that one search answered."
            )
            lines += self._together.lines("beholder_search_queries", ())
        for name, (said, values) in gauges.items():
            lines += _head(name, "gauge", said)
            lines += [_line(name, labels, value) for labels, value in values.items()]
        return "\n".join(lines) + "\n"


def _head(name: str, kind: str, said: str) -> list[str]:
    return [f"# HELP {name} {said}", f"# TYPE {name} {kind}"]


def _line(name: str, labels: Labels, value: float) -> str:
    shown = ",".join(f'{key}="{_escaped(own)}"' for key, own in labels)
    number = str(value) if isinstance(value, int) else f"{value:.9g}"
    return f"{name}{{{shown}}} {number}" if shown else f"{name} {number}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
