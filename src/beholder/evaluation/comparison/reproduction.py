"""The paper's own data, fetched and compared, with the figures that its poster states beside ours.

The poster is that of "Cross-modality personalization for retrieval" (Murrugarra-Llerena and
Kovashka, CVPR 2019). It does not say how its split was drawn or what a query was ranked
against, so its figures stand beside ours; a difference is no failure of either.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from beholder import atomic
from beholder.evaluation.comparison.comparison import Comparison, compare
from beholder.evaluation.comparison.configuration import ComparisonConfiguration
from beholder.progress import Progress, silent
from beholder.study.fetching import AUTHORS_URL, FetchOptions, FetchReport, fetch
from beholder.work import Workers

RANDOM = "random"
METHOD = "ours"

_UNSEEN = ("image", "participant", "both")


@dataclass(frozen=True)
class Stated:
    """A top-3 accuracy that the poster states in its text."""

    task: str
    split: str  # "the paper's" or "random"
    top3: float


POSTER: Mapping[str, tuple[Stated, ...]] = MappingProxyType(
    {
        "ads": (
            Stated("g2p", "the paper's", 0.2051),
            Stated("g2p", RANDOM, 0.2375),
            Stated("g2t", "the paper's", 0.4463),
            Stated("g2t", RANDOM, 0.6519),
        ),
        "coco": (),
    }
)


@dataclass(frozen=True)
class Beside:
    """A stated figure and what `ours` reached, by split: mean, 95% interval, chance and gallery."""

    stated: Stated
    ours: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Reproduction:
    """What was fetched and compared, and the poster's figures beside it."""

    fetched: FetchReport
    comparison: Comparison
    beside: tuple[Beside, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the object that `beholder reproduce --json` prints."""
        return {
            "fetched": self.fetched.as_json(),
            "beside": [asdict(one) for one in self.beside],
            "results": self.comparison.results,
        }


def reproduce(
    dataset: str,
    folder: str | Path,
    *,
    source_url: str = AUTHORS_URL,
    fetching: FetchOptions | None = None,
    configuration: ComparisonConfiguration | None = None,
    processes: int | None = None,
    workers: Workers | None = None,
    progress: Progress = silent,
) -> Reproduction:
    """Fetch a dataset of the paper, read it, compare all methods on it, keep the results.

    ``folder`` gets what `fetch` leaves and ``<dataset>.comparison/``, in which
    ``reproduction.md`` has the poster's figures beside ours. Finished steps are not repeated.
    """
    fetched = fetch(dataset, folder, source_url=source_url, options=fetching, progress=progress)
    comparison = compare(
        fetched.study,
        Path(folder) / f"{dataset}.comparison",
        configuration,
        processes=processes,
        workers=workers,
        progress=progress,
    )
    beside = tuple(Beside(stated, _ours(comparison.results, stated)) for stated in POSTER[dataset])
    text = table_beside(dataset, beside)
    atomic.write_text(comparison.folder.path / "reproduction.md", text)
    return Reproduction(fetched, comparison, beside)


def _ours(results: Mapping[str, Any], stated: Stated) -> dict[str, dict[str, Any]]:
    splits = (RANDOM,) if stated.split == RANDOM else _UNSEEN
    names = ("top3", "ci95_top3", "chance_top3", "gallery")
    return {
        row["split"]: {name: row[name] for name in names}
        for row in results["summary"]
        if (row["method"], row["task"]) == (METHOD, stated.task) and row["split"] in splits
    }


NOTE = (
    "The poster does not say how its split was drawn or what a query was ranked against, so "
    "its figures stand beside all of our splits with unseen images or people. Ours rank "
    "every query against the whole test gallery, and ties count against the method."
)


def table_beside(dataset: str, beside: tuple[Beside, ...]) -> str:
    """Return the poster's figures beside ours as Markdown."""
    if not beside:
        return f"The poster states no figure for {dataset} in its text.\n"
    lines = [
        "| task | poster: split | poster: top-3 | ours: split | ours: top-3 | 95% interval "
        "| chance | gallery |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in beside:
        for split, measures in one.ours.items():
            low, high = (_figure(bound) for bound in measures["ci95_top3"])
            lines.append(
                f"| {one.stated.task} | {one.stated.split} | {one.stated.top3:.4f} | {split} "
                f"| {measures['top3']:.4f} | {low} to {high} | {measures['chance_top3']:.4f} "
                f"| {measures['gallery']:g} |"
            )
    return "\n".join([*lines, "", NOTE]) + "\n"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"
