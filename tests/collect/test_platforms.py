"""Platforms: who comes from where, and how they leave."""

from __future__ import annotations

from pathlib import Path

import pytest
from web_study import definition_in

from beholder.collect.definition import Definition
from beholder.collect.platforms import Exit, exit_of, pseudonym, recognise
from beholder.collect.refusals import RefusedError
from beholder.study.pseudonyms import Pseudonymiser

KEY = Pseudonymiser(b"k" * 32)
PROLIFIC = {"PROLIFIC_PID": "worker-1", "STUDY_ID": "study", "SESSION_ID": "session-1"}
MTURK = {
    "assignmentId": "A1",
    "hitId": "H1",
    "workerId": "W1",
    "turkSubmitTo": "https://workersandbox.mturk.com",
}


def test_prolific_names_a_person_and_a_submission(definition: Definition) -> None:
    entry = recognise(PROLIFIC, definition, KEY)
    assert entry.platform == "prolific"
    assert entry.person == KEY("prolific:worker-1") == pseudonym(KEY, "prolific", "worker-1")
    other = recognise(PROLIFIC | {"SESSION_ID": "session-2"}, definition, KEY)
    assert other.person == entry.person
    assert other.submission != entry.submission
    assert "worker-1" not in repr(entry)
    assert "session-1" not in repr(entry)


@pytest.mark.parametrize("name", PROLIFIC)
@pytest.mark.parametrize("value", [None, "", "  "])
def test_prolific_sends_all_three(definition: Definition, name: str, value: str | None) -> None:
    address = {key: each for key, each in (PROLIFIC | {name: value}).items() if each is not None}
    with pytest.raises(RefusedError, match=f"lacks {name}"):
        recognise(address, definition, KEY)


def test_another_study_of_prolific_is_refused(study_folder: Path) -> None:
    platforms = {"allowed": ["prolific"], "prolific": {"study_id": "study"}}
    definition = definition_in(study_folder, platforms=platforms)
    assert recognise(PROLIFIC, definition, KEY).person
    with pytest.raises(RefusedError, match="STUDY_ID"):
        recognise(PROLIFIC | {"STUDY_ID": "other"}, definition, KEY)


def test_mturk_previews_before_it_is_accepted(definition: Definition) -> None:
    entry = recognise({"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE"}, definition, KEY)
    assert (entry.is_preview, entry.person) == (True, None)


def test_mturk_names_a_worker_and_where_to_submit(definition: Definition) -> None:
    entry = recognise(MTURK, definition, KEY)
    assert (entry.platform, entry.submit_to) == ("mturk", "https://workersandbox.mturk.com")
    assert entry.person == KEY("mturk:W1")


@pytest.mark.parametrize(
    "host",
    [
        "https://evil.example",
        "http://www.mturk.com",
        "https://www.mturk.com.evil.example",
        "https://www.mturk.com@evil.example",
        "https://evil.example/www.mturk.com",
        "javascript:alert(1)//www.mturk.com",
        "https://www.mturk.com:444",
        "",
    ],
)
def test_an_assignment_is_submitted_to_known_hosts_alone(definition: Definition, host: str) -> None:
    with pytest.raises(RefusedError):
        recognise(MTURK | {"turkSubmitTo": host}, definition, KEY)


def test_a_link_may_name_a_code(definition: Definition, study_folder: Path) -> None:
    assert recognise({}, definition, KEY).person is None
    assert recognise({"utm_source": "x"}, definition, KEY).person is None
    assert recognise({"participant": " c7 "}, definition, KEY).person == KEY("link:c7")
    required = definition_in(
        study_folder, platforms={"allowed": ["link"], "link": {"code_required": True}}
    )
    with pytest.raises(RefusedError, match="participant"):
        recognise({"participant": " "}, required, KEY)


@pytest.mark.parametrize(
    ("allowed", "address"), [("prolific", {}), ("link", PROLIFIC), ("link", MTURK)]
)
def test_a_platform_that_is_not_allowed_is_refused(study_folder: Path, allowed, address) -> None:
    definition = definition_in(study_folder, platforms={"allowed": [allowed]})
    with pytest.raises(RefusedError) as caught:
        recognise(address, definition, KEY)
    assert caught.value.code == "unknown_platform"


def test_one_person_on_two_platforms_is_two() -> None:
    assert pseudonym(KEY, "prolific", "x") != pseudonym(KEY, "mturk", "x")


def test_exits() -> None:
    url = "https://app.prolific.com/submissions/complete?cc=C0DE"
    assert exit_of("prolific", "complete", "C0DE", "r", None) == Exit(kind="redirect", url=url)
    assert exit_of("prolific", "full", None, None, None).kind == "none"
    form = exit_of("mturk", "complete", None, "r", "https://www.mturk.com")
    assert (form.kind, form.action) == ("form", "https://www.mturk.com/mturk/externalSubmit")
    assert form.fields["receipt"] == "r"
    assert form.from_address == ["assignmentId"]
    assert exit_of("mturk", "no_consent", None, "r", "https://www.mturk.com").kind == "none"
    assert exit_of("link", "complete", "C0DE", "r", None).kind == "none"
