"""Where participants come from and go to: Prolific, Mechanical Turk, or a plain link.

A platform names a person and a submission in the address it sends them to. Both become
pseudonyms here, at the door, and nothing behind it knows the names.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode, urlsplit

from pydantic import BaseModel

from beholder.collect.definition import Definition, Outcome, PlatformName
from beholder.collect.refusals import RefusedError
from beholder.study.pseudonyms import Pseudonymiser

_PROLIFIC = ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID")
_NOT_ACCEPTED = "ASSIGNMENT_ID_NOT_AVAILABLE"
_RETURN_TO_PROLIFIC = "https://app.prolific.com/submissions/complete"


@dataclass(frozen=True)
class Entry:
    """Who came, by pseudonyms; None where the platform or the link names nobody."""

    platform: PlatformName
    person: str | None = None
    submission: str | None = None
    submit_to: str | None = None
    is_preview: bool = False


class Exit(BaseModel):
    """How the page leaves: a link, a form to be posted, or nothing at all."""

    kind: Literal["redirect", "form", "none"]
    url: str | None = None
    action: str | None = None
    fields: dict[str, str] = {}
    from_address: list[str] = []


def pseudonym(pseudonymise: Pseudonymiser, platform: PlatformName, identity: str) -> str:
    """Return the pseudonym of a platform's worker or submission.

    With the key, a platform's own export can be joined with the study: for bonuses, say.
    """
    return pseudonymise(f"{platform}:{identity}")


def recognise(
    address: Mapping[str, str], definition: Definition, pseudonymise: Pseudonymiser
) -> Entry:
    """Return who came, from the parameters of the address; refuse what is not allowed."""
    if any(name in address for name in _PROLIFIC):
        entry = _from_prolific(address, definition, pseudonymise)
    elif "assignmentId" in address:
        entry = _from_mturk(address, definition, pseudonymise)
    else:
        entry = _from_link(address, definition, pseudonymise)
    if entry.platform not in definition.platforms.allowed:
        raise RefusedError(
            "unknown_platform", f"This study does not take people by {entry.platform}."
        )
    return entry


def exit_of(
    platform: str, outcome: Outcome, code: str | None, receipt: str | None, submit_to: str | None
) -> Exit:
    """Return how somebody leaves with an outcome."""
    if platform == "prolific" and code:
        return Exit(kind="redirect", url=f"{_RETURN_TO_PROLIFIC}?{urlencode({'cc': code})}")
    if platform == "mturk" and submit_to and outcome == "complete":
        fields = {"outcome": outcome, "receipt": receipt or "", "code": code or ""}
        return Exit(
            kind="form",
            action=f"{submit_to}/mturk/externalSubmit",
            fields=fields,
            from_address=["assignmentId"],
        )
    return Exit(kind="none")


def _from_prolific(
    address: Mapping[str, str], definition: Definition, pseudonymise: Pseudonymiser
) -> Entry:
    person, study, submission = (_needed(address, name) for name in _PROLIFIC)
    wanted = definition.platforms.prolific.study_id
    if wanted is not None and study != wanted:
        raise RefusedError("unknown_platform", "STUDY_ID is not that of this study.")
    return Entry(
        "prolific",
        pseudonym(pseudonymise, "prolific", person),
        pseudonym(pseudonymise, "prolific", f"submission:{submission}"),
    )


def _from_mturk(
    address: Mapping[str, str], definition: Definition, pseudonymise: Pseudonymiser
) -> Entry:
    assignment = _needed(address, "assignmentId")
    if assignment == _NOT_ACCEPTED:
        return Entry("mturk", is_preview=True)
    parts = urlsplit(_needed(address, "turkSubmitTo"))
    if parts.scheme != "https" or parts.netloc not in definition.platforms.mturk.submit_hosts:
        raise RefusedError(
            "unknown_platform", "turkSubmitTo is no host that this study submits to."
        )
    return Entry(
        "mturk",
        pseudonym(pseudonymise, "mturk", _needed(address, "workerId")),
        pseudonym(pseudonymise, "mturk", f"submission:{assignment}"),
        f"https://{parts.netloc}",
    )


def _from_link(
    address: Mapping[str, str], definition: Definition, pseudonymise: Pseudonymiser
) -> Entry:
    code = address.get("participant", "").strip()
    if not code and definition.platforms.link.code_required:
        raise RefusedError("unknown_platform", "The address lacks participant.")
    return Entry("link", pseudonym(pseudonymise, "link", code) if code else None)


def _needed(address: Mapping[str, str], name: str) -> str:
    value = address.get(name, "").strip()
    if not value:
        raise RefusedError("unknown_platform", f"The address lacks {name}.")
    return value
