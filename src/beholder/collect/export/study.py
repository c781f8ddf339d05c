"""Exporting a Beholder study: what `beholder inspect` and `beholder train` take as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from beholder.collect.definition import Caption, Definition
from beholder.collect.export.angles import bubble_degrees
from beholder.collect.export.cells import csv_rows, text_cell, time_cell
from beholder.collect.export.selection import Choice, Selection, select_sessions, trials_of
from beholder.collect.images import ImageCache
from beholder.collect.recordings import Recording
from beholder.collect.rows import ParticipantRow, SurveyRow
from beholder.collect.store import Store
from beholder.errors import UnsupportedError
from beholder.progress import Progress, silent
from beholder.study import StudyInfo, StudyWriter, samples_table
from beholder.study.survey import quoted

VIEWINGS = "viewings.csv"
COLLECTED = "collected.toml"
_HEADER = (
    *("sample", "participant", "turn", "image", "task", "language", "consent_version"),
    *("started_at", "seconds", "viewing_seconds", "clicks", "input"),
    *("bubble_radius_px", "bubble_radius", "bubble_degrees"),
)
_BATCH = 64  # participations written together


@dataclass(frozen=True)
class ExportReport:
    """What an export holds, and how many participations it leaves out, by reason."""

    target: str
    participants: int
    participations: int
    samples: int
    clicks: int
    surveys: int
    left_out: dict[str, int]


def export_study(
    store: Store,
    images: ImageCache,
    target: Path,
    choice: Choice | None = None,
    *,
    overwrite: bool = False,
    progress: Progress = silent,
) -> ExportReport:
    """Write the study that was collected, whole or not at all.

    Practice and validation images are left out. A sample is one trial: its clicks as points,
    seconds counted from the first of them, and its caption; its task is the set. What a study
    has no column for (bubble radii, durations, consent versions) lies beside, in `VIEWINGS`,
    a row a sample; how the export was made, in `COLLECTED`. People are pseudonyms.
    """
    choice = choice or Choice()
    definition = store.definition
    caption = caption_task(definition, choice)
    selection = select_sessions(store, choice)
    kept = {row.session for row in selection.sessions}
    surveys = [one for one in store.surveys(pilot=choice.pilot) if one.session in kept]
    languages = {row.language for row in selection.sessions}
    language = languages.pop() if len(languages) == 1 else None
    info = StudyInfo(definition.name, "beholder collect", language)
    samples = clicks = 0
    with StudyWriter(target, info, definition.instrument, overwrite=overwrite) as writer:
        writer.extend_file(VIEWINGS, csv_rows([_HEADER]))
        _add_people(writer, definition, selection, surveys)
        for batch in progress(list(_batches(selection.sessions)), "participations"):
            trials = [(row, one) for row in batch for one in trials_of(store, row)]
            _add_trials(writer, images, trials, caption, samples)
            samples += len(trials)
            clicks += sum(len(one.clicks) for _, one in trials)
        report = ExportReport(
            target=str(target),
            participants=len({row.participant for row in selection.sessions}),
            participations=len(selection.sessions),
            samples=samples,
            clicks=clicks,
            surveys=len(surveys),
            left_out=selection.left_out,
        )
        writer.add_file(COLLECTED, _collected_toml(definition, choice, selection, report))
    return report


def caption_task(definition: Definition, choice: Choice) -> str | None:
    """Return the name of the caption task whose texts are exported; None where there is none."""
    names = [task.name for task in definition.tasks if isinstance(task, Caption)]
    if choice.caption is not None and choice.caption not in names:
        known = ", ".join(names) or "none"
        raise UnsupportedError(
            f"{definition.name} has no caption task {choice.caption!r}; it has: {known}"
        )
    return choice.caption or next(iter(names), None)


def _add_people(
    writer: StudyWriter,
    definition: Definition,
    selection: Selection,
    surveys: Sequence[SurveyRow],
) -> None:
    """Add everybody with the survey of their first participation that has one."""
    instrument = definition.instrument
    answered: dict[str, list[int]] = {}
    for survey in surveys if instrument else ():
        assert instrument is not None  # or there are no surveys
        answers = [survey.answers[item.key] for item in instrument.items]
        answered.setdefault(survey.participant, answers)
    for row in selection.sessions:
        writer.add_participant(row.participant, answered.get(row.participant))


def _add_trials(
    writer: StudyWriter,
    images: ImageCache,
    trials: Sequence[tuple[ParticipantRow, Recording]],
    caption: str | None,
    first_sample: int,
) -> None:
    for _, one in trials:
        prepared = images.prepared(one.image)
        writer.add_image(one.image, prepared.sharp, (prepared.width, prepared.height))
    writer.add_samples(
        samples_table(
            participants=[row.participant for row, _ in trials],
            images=[one.image for _, one in trials],
            tasks=[row.set_name for row, _ in trials],
            texts=[_text(one, caption) for _, one in trials],
            gazes=[one.clicks.points if len(one.clicks) else None for _, one in trials],
        )
    )
    rows = [
        _viewing(first_sample + number, row, one, images)
        for number, (row, one) in enumerate(trials)
    ]
    writer.extend_file(VIEWINGS, csv_rows(rows))


def _text(one: Recording, caption: str | None) -> str | None:
    texts = (each.text.strip() for each in one.captions if each.name == caption)
    return next(texts, None) or None


def _viewing(
    sample: int, row: ParticipantRow, one: Recording, images: ImageCache
) -> tuple[Any, ...]:
    width = images.prepared(one.image).width
    radius_px = float(one.clicks.radius_px[0]) if len(one.clicks) else None
    angle = None if radius_px is None else bubble_degrees(row, one, width, radius_px)
    return (
        *(sample, row.participant, row.turn, text_cell(one.image), row.set_name, row.language),
        *(text_cell(row.consent_version), time_cell(one.started_at_ms)),
        *(one.duration_ms / 1000, one.viewing_ms / 1000 if one.has_bubbles else None),
        *(len(one.clicks), "+".join(sorted(set(one.clicks.inputs)))),
        *(radius_px, None if radius_px is None else radius_px / width, angle),
    )


def _batches(rows: Sequence[ParticipantRow]) -> Any:
    waiting = iter(rows)
    while batch := list(islice(waiting, _BATCH)):
        yield batch


def _collected_toml(
    definition: Definition, choice: Choice, selection: Selection, report: ExportReport
) -> str:
    versions = ", ".join(map(quoted, selection.consent_versions))
    lines = [
        "# How this study was exported by: beholder collect export",
        f"definition = {quoted(definition.name)}",
        f"consent_versions = [{versions}]",
        f"pilot = {str(choice.pilot).lower()}",
        f"only_approved = {str(choice.only_approved).lower()}",
        f"include_flagged = {str(choice.include_flagged).lower()}",
        f"participations = {report.participations}",
        f"clicks = {report.clicks}",
        'events = "clicks that uncovered bubbles of a blurred image: no eye was tracked"',
        "",
        "[left_out]",
        *(f"{quoted(why)} = {count}" for why, count in sorted(selection.left_out.items())),
    ]
    return "\n".join(lines) + "\n"
