"""What a recorded trial or survey must satisfy under the definition it was made for."""

from collections.abc import Iterator
from itertools import pairwise

from beholder.collect.bodies import BubblesDone, CaptionDone, SurveyRecord, TaskDone, TrialRecord
from beholder.collect.definition import Bubbles, Caption, Definition
from beholder.collect.refusals import Fault, RefusedError
from beholder.study.survey import Instrument


def check_trial(record: TrialRecord, definition: Definition) -> None:
    """Refuse a record that the pages, obeying the definition, could not have made."""
    _refuse(list(_trial_faults(record, definition)))


def check_survey(record: SurveyRecord, instrument: Instrument) -> None:
    """Refuse answers that are not one to each item, on the instrument's scale."""
    _refuse(list(_survey_faults(record, instrument)))


def _refuse(faults: list[Fault]) -> None:
    if faults:
        raise RefusedError("invalid", f"{faults[0].where}: {faults[0].message}", tuple(faults))


def _trial_faults(record: TrialRecord, definition: Definition) -> Iterator[Fault]:
    done = [(task.kind, task.name) for task in record.tasks]
    asked = [(task.kind, task.name) for task in definition.tasks]
    if done != asked:
        names = ", ".join(name for _, name in asked)
        yield Fault("body.tasks", f"the tasks of a trial are, in order: {names}")
        return
    for number, (task, wanted) in enumerate(zip(record.tasks, definition.tasks, strict=True)):
        yield from _task_faults(task, wanted, f"body.tasks.{number}")


def _task_faults(done: TaskDone, asked: Bubbles | Caption, where: str) -> Iterator[Fault]:
    if done.ended_ms < done.started_ms:
        yield Fault(f"{where}.ended_ms", "a task ends after it started")
    if isinstance(done, BubblesDone) and isinstance(asked, Bubbles):
        yield from _click_faults(done, asked, f"{where}.clicks")
    elif isinstance(done, CaptionDone) and isinstance(asked, Caption):
        length = len(done.text.strip())
        if length > asked.maximum_characters:
            yield Fault(f"{where}.text", f"at most {asked.maximum_characters} characters are asked")
        if length < asked.minimum_characters and not done.timed_out:
            yield Fault(f"{where}.text", f"{asked.minimum_characters} characters are asked")


def _click_faults(done: BubblesDone, asked: Bubbles, where: str) -> Iterator[Fault]:
    clicks = done.clicks
    if len(clicks) > asked.maximum_clicks:
        yield Fault(where, f"at most {asked.maximum_clicks} clicks are allowed")
    if len(clicks) < asked.minimum_clicks and not done.timed_out:
        yield Fault(where, f"{asked.minimum_clicks} clicks are asked")
    if [click.n for click in clicks] != list(range(1, len(clicks) + 1)):
        yield Fault(where, "clicks are numbered from 1 without a gap")
    if any(later.t < earlier.t for earlier, later in pairwise(clicks)):
        yield Fault(where, "the time of a click is never before that of the one before")


def _survey_faults(record: SurveyRecord, instrument: Instrument) -> Iterator[Fault]:
    keys = {item.key for item in instrument.items}
    if set(record.answers) != keys:
        yield Fault("body.answers", f"there is one answer to each of {len(keys)} items")
    if any(not instrument.minimum <= a <= instrument.maximum for a in record.answers.values()):
        scale = f"{instrument.minimum} to {instrument.maximum}"
        yield Fault("body.answers", f"an answer lies on the scale from {scale}")
