"""Checking a store against the truth: all that was acknowledged is there, once, as it was sent."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from beholder.collect.store import Store

Events = Mapping[str, Sequence[Mapping[str, Any]]]


def faults(store: Store, truth: Events, *, pilot: bool = False) -> Iterator[str]:
    """Yield a sentence for each way in which a store is not what simulated people did.

    ``truth`` is what `read_truth` returns; the store holds nobody but these people. What was
    sent and not acknowledged may be there or not, but if so, as it was sent.
    """
    trials = _sent(truth, "trial", "trial")
    sessions = {one["session"]: one["participant"] for one in truth.get("participant", ())}
    surveys = _sent(truth, "survey", "participant")
    stored: set[str] = set()
    answered: set[int] = set()
    for row in store.participants(pilot=pilot):
        if row.session not in sessions:
            yield f"session {row.session} belongs to nobody who took part"
            continue
        person = sessions[row.session]
        for trial in store.trials(row.session):
            if trial.record is None:
                continue
            stored.add(trial.id)
            if trial.id not in trials or trial.record != trials[trial.id]["record"]:
                yield f"trial {trial.id} is not what participant {person} sent"
        survey = store.survey(row.session)
        if survey is not None:
            answered.add(person)
            if person not in surveys or survey.record != surveys[person]["record"]:
                yield f"the survey of participant {person} is not what they sent"
    for identity, one in trials.items():
        if one["acknowledged"] and identity not in stored:
            yield f"trial {identity} was acknowledged and is not there"
    for person, one in surveys.items():
        if one["acknowledged"] and person not in answered:
            yield f"the survey of participant {person} was acknowledged and is not there"
    for count in store.set_counts(pilot=pilot):
        if count.complete + count.active > count.wanted:
            yield f"{count.set_name} has {count.complete + count.active} of {count.wanted} viewers"


def _sent(truth: Events, event: str, key: str) -> dict[Any, dict[str, Any]]:
    """Return the last record of each trial or survey, and whether it was acknowledged."""
    sent: dict[Any, dict[str, Any]] = {}
    for line in truth.get(event, ()):
        if line["acknowledged"]:
            sent[line[key]]["acknowledged"] = True
        else:
            sent[line[key]] = {"record": line["record"], "acknowledged": False}
    return sent
