"""One simulated participation, from the study's link to the completion code."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import urlencode

from beholder.collect.simulation.browser import Answer, Browser
from beholder.collect.simulation.habits import Rates
from beholder.collect.simulation.people import Participant
from beholder.collect.simulation.records import device_record, survey_record, trial_record
from beholder.collect.simulation.scenery import Scenery, Sight
from beholder.collect.simulation.truth import Truth
from beholder.collect.simulation.writing import Overheard
from beholder.errors import UnsupportedError

Platform = Literal["prolific", "mturk", "link"]

_CONDUCT = 20  # stream of random numbers: what somebody decides to do
_READING_MS = 8000.0


@dataclass(frozen=True)
class World:
    """What all participants share. ``speed`` is how much faster than people; 0: no pauses."""

    scenery: Scenery
    truth: Truth
    rates: Rates
    platform: Platform = "link"
    speed: float = 0.0
    overheard: Overheard = field(default_factory=Overheard)
    sleep: Callable[[float], None] = time.sleep

    def pause(self, milliseconds: float) -> None:
        """Let as much time pass as somebody needs, at the world's speed."""
        if self.speed > 0:
            self.sleep(milliseconds / 1000 / self.speed)


@dataclass(frozen=True)
class Save:
    """One acknowledged save: the seconds of the answer, and since the first attempt."""

    seconds: float
    waited_s: float
    attempts: int


@dataclass
class Participation:
    """What came of one participation."""

    outcome: str = "open"
    saves: list[Save] = field(default_factory=list)
    double_sends: int = 0
    reloads: int = 0
    code: str | None = None


def take_part(person: Participant, browser: Browser, world: World) -> Participation:
    """Take part once and return what came of it; the truth file has every step."""
    return _Visit(person, browser, world).run()


class _Visit:
    """A participant in front of the study's page."""

    def __init__(self, person: Participant, browser: Browser, world: World) -> None:
        self._person, self._browser, self._world = person, browser, world
        self._conduct = person.generator(_CONDUCT)
        self._result = Participation()
        self._entry = _entry(person, world.platform)
        self._definition: Mapping[str, Any] = {}
        self._done = 0
        leaves = self._conduct.random() < world.rates.abandon
        self._share_done = float(self._conduct.random()) if leaves else 1.0

    def run(self) -> Participation:
        person, world = self._person, self._world
        self._browser.get("?" + urlencode(self._entry) if self._entry else "")
        self._definition = _good(self._browser.get("api/definition")).json
        entered = self._enter()
        if entered.status != 200:
            return self._end(entered.json["error"]["code"])
        state = entered.json
        world.truth.note(
            "participant",
            participant=person.number,
            worker=person.worker,
            entry=self._entry,
            habit=person.habit,
            traits=person.traits.tolist(),
            session=state["session"],
        )
        steps = {
            "consent": self._consent,
            "device": self._device,
            "practice": self._trial,
            "trials": self._trial,
            "survey": self._survey,
            "debrief": self._finish,
        }
        while state["stage"] in steps:
            state = steps[state["stage"]](state)
        completion = state["completion"]
        self._result.code = completion["code"] if completion else None
        return self._end(completion["outcome"] if completion else state["stage"])

    def _end(self, outcome: str) -> Participation:
        self._result.outcome = outcome
        facts = {"outcome": outcome, "code": self._result.code}
        self._world.truth.note("end", participant=self._person.number, **facts)
        self._browser.close()
        return self._result

    def _enter(self) -> Answer:
        answer = self._browser.post("api/session", {"entry": self._entry, "language": None})
        if answer.status == 200 and answer.json.get("token"):
            self._browser.token = answer.json["token"]
        return answer

    def _consent(self, state: Mapping[str, Any]) -> Any:
        self._world.pause(_READING_MS)
        agreed = self._conduct.random() >= self._world.rates.refuse
        version = self._definition["consent"]["version"]
        body = {"agreed": agreed, "version": version}
        return _good(self._browser.post("api/session/consent", body)).json

    def _device(self, state: Mapping[str, Any]) -> Any:
        self._world.pause(_READING_MS)
        record = device_record(self._person)
        if self._definition["device"]["calibration"] == "off":
            record["calibration"] = None
        return _good(self._browser.post("api/session/device", record)).json

    def _trial(self, state: Mapping[str, Any]) -> Any:
        world, person, trial = self._world, self._person, state["trial"]
        if self._closes_the_tab(state):
            return {"stage": "abandoned", "completion": None}
        if self._stops(state):
            return _good(self._browser.post("api/session/leave", {"reason": "left"})).json
        sight = self._see(trial)
        reloads = self._conduct.random() < world.rates.reload
        record = trial_record(
            person,
            self._done,
            trial["image"],
            trial["bubble_radius_px"] or 0.0,
            sight,
            self._definition["tasks"],
            world.overheard,
            started_at_ms=int(time.time() * 1000),
            reloads=reloads,
        )
        world.pause(record["duration_ms"])
        if reloads:
            self._reload()
        facts = {"trial": trial["id"], "image": sight.name, "kind": trial["kind"]}
        self._done += 1
        return self._save(f"api/session/trials/{trial['id']}", "trial", record, facts)

    def _survey(self, state: Mapping[str, Any]) -> Any:
        record = survey_record(self._person, self._definition["survey"], int(time.time() * 1000))
        self._world.pause(record["duration_ms"])
        return self._save("api/session/survey", "survey", record, {})

    def _finish(self, state: Mapping[str, Any]) -> Any:
        comment = "Thank you, that was nice." if self._conduct.random() < 0.2 else None
        self._world.truth.note("comment", participant=self._person.number, comment=comment)
        self._world.pause(_READING_MS)
        return _good(self._browser.post("api/session/finish", {"comment": comment})).json

    def _save(self, path: str, what: str, record: Mapping[str, Any], facts: dict[str, Any]) -> Any:
        """Send a record as the page does, until it is acknowledged; return the new state."""
        who = {"participant": self._person.number, **facts}
        self._world.truth.note(what, **who, acknowledged=False, record=record)
        answer = self._browser.post(path, record)
        if answer.status == 409:  # another tab came first, or the session is closed
            return _good(self._browser.get("api/session")).json
        _good(answer)
        saved = Save(answer.seconds, answer.waited_s, answer.attempts)
        self._result.saves.append(saved)
        self._world.truth.note(
            what, **who, acknowledged=True, client_id=record["client_id"], **vars(saved)
        )
        if self._conduct.random() < self._world.rates.double_send:
            self._result.double_sends += 1
            again = self._browser.post(path, record)
            if not _good(again).json["duplicate"]:
                raise UnsupportedError(f"{path} kept the same record twice")
        return answer.json["state"]

    def _see(self, trial: Mapping[str, Any]) -> Sight:
        """Load what the page shows; only its pixels tell what it is."""
        image = trial["image"]
        if image["blurred"]:
            _good(self._browser.get(image["blurred"]))
        return self._world.scenery.sight(_good(self._browser.get(image["sharp"])).body)

    def _closes_the_tab(self, state: Mapping[str, Any]) -> bool:
        return self._done >= self._share_done * _total(state)

    def _stops(self, state: Mapping[str, Any]) -> bool:
        return self._conduct.random() < self._world.rates.leave / _total(state)

    def _reload(self) -> None:
        """Load the page again: a new connection, and the cookie says who it is."""
        self._result.reloads += 1
        self._browser.close()
        self._browser.get("?" + urlencode(self._entry) if self._entry else "")
        _good(self._enter())


def _entry(person: Participant, platform: Platform) -> dict[str, str]:
    """Return the parameters with which a platform sends somebody."""
    submission = person.generator(_CONDUCT + 1).bytes(12).hex()
    match platform:
        case "prolific":
            study = "0" * 24
            names = {"PROLIFIC_PID": person.worker, "STUDY_ID": study, "SESSION_ID": submission}
        case "mturk":
            names = {"workerId": person.worker, "assignmentId": submission}
            names |= {"hitId": "H", "turkSubmitTo": "https://workersandbox.mturk.com"}
        case "link":
            names = {"participant": person.worker}
    return names


def _total(state: Mapping[str, Any]) -> int:
    return int(state["progress"]["practice"]["total"] + state["progress"]["trials"]["total"])


def _good(answer: Answer) -> Answer:
    """Return an answer that is as it must be; a person would write to the researcher."""
    if answer.status != 200:
        what = answer.body.decode("utf-8", "replace")[:300]
        raise UnsupportedError(f"the server answered {answer.status}: {what}")
    return answer
