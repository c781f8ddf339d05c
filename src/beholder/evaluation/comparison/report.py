"""The report of a comparison: one HTML file that opens offline, its figures also as files."""

from collections.abc import Iterator, Sequence
from typing import Any

from markupsafe import Markup

from beholder import atomic
from beholder.evaluation.comparison import charts, digest
from beholder.evaluation.comparison.comparison import Comparison
from beholder.evaluation.comparison.configuration import Key
from beholder.evaluation.comparison.examples import queries, seen_by_many, shown_key
from beholder.evaluation.comparison.figures import Chart
from beholder.evaluation.comparison.findings import champion_of, correction, findings
from beholder.evaluation.comparison.reproduction import NOTE, Beside
from beholder.evaluation.comparison.tables import by_split
from beholder.evaluation.comparison.vocabulary import SPLITS, meanings_of
from beholder.evaluation.items import meaning_of, template
from beholder.progress import Progress, silent
from beholder.study.tasks import TASKS


def write_report(
    comparison: Comparison,
    progress: Progress = silent,
    *,
    examples: bool = True,
    beside: Sequence[Beside] = (),
) -> None:
    """Write ``report.html`` and the folder ``figures`` of a comparison.

    Without ``examples`` the page shows nothing that a participant saw or made, no picture and
    no word of theirs, so that it may be published where the data may not. ``beside`` are figures
    that the paper's poster states, to stand beside ours.
    """
    results, study = comparison.results, comparison.study
    if not examples:
        distinctness = dict(results["distinctness"]) | {"words": None, "regions": {}}
        results = results | {"distinctness": distinctness}
    key = shown_key(comparison)
    needs, not_needed = digest.needed(results)
    told_people = bool((study.participant_codes >= 0).all())
    page = template("comparison.html").render(
        results=results,
        unit="participants" if told_people else "images",
        champion=champion_of(results),
        method_meanings=meanings_of(results["configuration"]["methods"]),
        split_meanings=SPLITS,
        task_meanings={name: meaning_of(task) for name, task in TASKS.items()},
        findings=findings(results),
        correction=correction(results),
        splits=by_split(results),
        beside=beside,
        beside_note=NOTE,
        charts=_drawn(comparison, progress),
        same_image=digest.same_image(results),
        tested=[test for test in results["tests"] if test["measure"] == "top3"],
        doublings=digest.doublings(results),
        needs=needs,
        not_needed=not_needed,
        profiles=digest.profiles(results),
        missing=digest.grouped_missing(results),
        partial=digest.partial(results),
        examples=examples,
        images=seen_by_many(study, results["distinctness"]) if examples else [],
        queries=queries(comparison, key, progress) if key and examples else [],
        shown=key,
    )
    atomic.write_text(comparison.folder.report, page)


def _drawn(comparison: Comparison, progress: Progress) -> dict[str, dict[str, Any]]:
    """Save every figure and return what the page needs of it, by name."""
    drawn = list(_charts(comparison))
    page = {}
    for chart in progress(drawn, "drawing figures", len(drawn)):
        chart.save(comparison.folder.figures)
        page[chart.name] = {
            "caption": chart.caption,
            "legend": chart.legend,
            "scale": chart.scale,
            "width": chart.size[0],
            "panels": [
                {"svg": Markup(svg), "alternative": panel.alternative}
                for svg, panel in zip(chart.svgs(), chart.panels, strict=True)
            ],
        }
    return page


def _charts(comparison: Comparison) -> Iterator[Chart]:
    """Give the figures that the results have numbers for."""
    results, configuration = comparison.results, comparison.configuration
    if any(row["method"] != "chance" for row in results["summary"]):
        yield charts.split_leads(results["summary"], configuration.splits)
    for split in configuration.splits:
        scores = _pooled(comparison, split)
        if scores:
            yield charts.accuracy_curves(split, scores)
    if results["curves"]:
        yield charts.learning_curves(results["curves"])
    needs, _ = digest.needed(results)
    if needs:
        yield charts.power_curves(needs)
    for modality, found in results["distinctness"].get("style_map", {}).items():
        yield charts.style_map(modality, found)


def _pooled(comparison: Comparison, split: str) -> dict[str, dict[str, list[Any]]]:
    """Return the scores of all seeds, by task and method."""
    pooled: dict[str, dict[str, list[Any]]] = {}
    configuration = comparison.configuration
    for method in configuration.methods:
        for seed in configuration.seeds:
            for task, scores in comparison.cells[Key(split, seed), method].scores.items():
                pooled.setdefault(task, {}).setdefault(method, []).append(scores)
    order = configuration.training(Key(split, configuration.seeds[0])).parsed_tasks
    return {task.name: pooled[task.name] for task in order if task.name in pooled}
