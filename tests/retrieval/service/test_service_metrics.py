"""The metrics are what was counted, in the form that Prometheus reads."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from beholder.retrieval.service.metrics import SECONDS, Metrics

LINE = re.compile(
    r'[a-z_]+(\{[a-z]+="([^"\\\n]|\\["\\n])*"(,[a-z]+="([^"\\\n]|\\["\\n])*")*\})? \S+'
)


def values(text: str) -> dict[str, float]:
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert all(LINE.fullmatch(line) for line in lines)
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


@given(st.lists(st.floats(0, 20), max_size=30))
def test_a_histogram_counts_what_is_at_most_so_large(seconds: list[float]) -> None:
    metrics = Metrics()
    for one in seconds:
        metrics.request("GET", "/x", 200, one)
    found = values(metrics.text({}))
    if not seconds:
        assert not any("/x" in name for name in found)
        return
    for bound in SECONDS:
        name = f'beholder_request_seconds_bucket{{route="/x",le="{bound:g}"}}'
        assert found[name] == sum(one <= bound for one in seconds)
    assert found['beholder_request_seconds_bucket{route="/x",le="+Inf"}'] == len(seconds)
    assert abs(found['beholder_request_seconds_sum{route="/x"}'] - sum(seconds)) < 1e-6
    assert found['beholder_requests_total{route="/x",method="GET",status="200"}'] == len(seconds)


def test_every_series_has_its_help_and_kind_once() -> None:
    metrics = Metrics()
    metrics.request("GET", "/a", 200, 0.1)
    metrics.request("BREW", None, 418, 0.1)
    metrics.search(3, 0.02)
    gauges = {"beholder_x": ("What x is.", {(("kind", 'a"b\\c\nd'),): 1.5, (): 1795467703129})}
    text = metrics.text(gauges)
    found = values(text)
    assert found['beholder_requests_total{route="none",method="other",status="418"}'] == 1
    assert found["beholder_search_queries_sum"] == 3
    assert found['beholder_search_queries_bucket{le="2"}'] == 0
    assert found['beholder_search_queries_bucket{le="4"}'] == 1
    assert "beholder_x 1795467703129\n" in text
    kinds = re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE)
    assert len(dict(kinds)) == len(kinds) == 5
    assert [name for name, _ in kinds] == re.findall(r"^# HELP (\S+) \S", text, re.MULTILINE)
