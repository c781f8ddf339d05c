"""What a comparison found, in plain sentences: what holds and what does not.

All claims stand on one page, so the tests of all of them, over all tasks and splits, are one
family for Holm's correction: the chance that any difference told here is none is at most 5%.
The intervals of the random split's flattery have no p to correct; they are told as they are.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from beholder.evaluation.comparison.configuration import DEFAULT_METHODS
from beholder.evaluation.significance import FLIPS, holm

ALPHA = 0.05

CHAMPIONS = ("ours", "base")
"""What the claims are about: the first of these that was compared."""

_KNOWN = {"base", "content", "style", "ours"}


@dataclass(frozen=True)
class Claim:
    """That one method scores above another on a measure."""

    text: str
    better: str
    worse: str
    measure: str = "top3"


@dataclass(frozen=True)
class Planned:
    """A test that a claim rests on, turned so that more is for the claim, p corrected."""

    claim: Claim
    task: str
    split: str
    difference: float
    p: float
    sides: int
    clusters: int

    @property
    def told(self) -> bool:
        """Whether the difference is told from none."""
        return self.p < ALPHA and self.difference != 0


def champion_of(results: Mapping[str, Any]) -> str | None:
    """Return the method that the report looks at most, or None if neither was compared."""
    methods = results["configuration"]["methods"]
    return next((name for name in CHAMPIONS if name in methods), None)


def findings(results: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return a verdict on each claim that was tested, with its evidence.

    ``claim`` and ``verdict`` make one sentence, ``evidence`` another without its stop;
    ``mark`` is ``yes``, ``part``, ``none`` or ``against``.
    """
    tests = _planned(results)
    found = []
    for claim in dict.fromkeys(test.claim for test in tests):
        own = [test for test in tests if test.claim == claim]
        told = [(t.task, t.split, t.difference, "") for t in own if t.told]
        found.append({"claim": claim.text, **_verdict(told, len(own), "test")})
    flattery = _flattery(results)
    return [*found, flattery] if flattery else found


def correction(results: Mapping[str, Any]) -> dict[str, int]:
    """Return how many ``tests`` the claims rest on, and how many are ``beyond`` telling.

    Beyond telling are those of so few people that the smallest p they can reach, at the place
    that it would have among the others, is not below 0.05 when corrected. ``fewest`` and
    ``most`` are the people of a test.
    """
    tests = _planned(results, corrected=False)
    beyond = 0
    for test in tests:
        least = max(test.sides / 2.0**test.clusters, 1 / (FLIPS + 1))
        before = sum(other.p < least for other in tests if other is not test)
        beyond += least * (len(tests) - before) >= ALPHA
    people = [test.clusters for test in tests] or [0]
    return {"tests": len(tests), "beyond": beyond, "fewest": min(people), "most": max(people)}


def _claims(results: Mapping[str, Any]) -> list[Claim]:
    champion = champion_of(results)
    if champion is None:
        return []
    own = [m for m in results["configuration"]["methods"] if _is_own(m)]
    return [
        Claim(f"{champion} finds right answers more often than chance", champion, "chance"),
        Claim(
            f"Within one image, {champion} finds the right viewer's item more often than chance",
            *(champion, "chance", "same_image_top1"),
        ),
        Claim(
            f"{champion} beats what the image alone is worth (image-only)", champion, "image-only"
        ),
        Claim("ours beats the base space (base)", "ours", "base"),
        Claim("Content and style added beat the base space (added over base)", "added", "base"),
        Claim("Taking off popularity helps (ours over added)", "ours", "added"),
        Claim("ours beats user factorisation (factorised)", "ours", "factorised"),
        Claim("How people look and write helps (manner over ours)", "manner", "ours"),
        Claim("With a space in closed form, it helps (canonical over ours)", "canonical", "ours"),
        Claim("What texts say of labelled areas helps (concepts over ours)", "concepts", "ours"),
        Claim("Joint training helps (ours-joint over ours)", "ours-joint", "ours"),
        Claim("Privileged modalities help (ours-privileged over ours)", "ours-privileged", "ours"),
        *(Claim(f"{method} beats {champion}", method, champion) for method in own),
    ]


def _is_own(method: str) -> bool:
    """Tell whether a method is none of those built in."""
    space = method.partition("+")[0].partition("-")[0]
    return method not in DEFAULT_METHODS and space not in _KNOWN


def _planned(results: Mapping[str, Any], *, corrected: bool = True) -> list[Planned]:
    """Return the tests of all claims as one family."""
    tests = [
        Planned(claim, test["task"], test["split"], sign * test["difference"], *_numbers(test))
        for claim in _claims(results)
        for test in results["tests"]
        for sign in [_direction(claim, test)]
        if sign and test["p"] is not None
    ]
    if not corrected:
        return tests
    adjusted = holm([test.p for test in tests])
    return [replace(t, p=float(p)) for t, p in zip(tests, adjusted, strict=True)]


def _numbers(test: Mapping[str, Any]) -> tuple[float, int, int]:
    return test["p"], test["sides"], test["clusters"]


def _direction(claim: Claim, test: Mapping[str, Any]) -> int:
    """Return 1 where a test is a claim's, −1 where it is that turned round, else 0."""
    if test["measure"] != claim.measure:
        return 0
    pair = test["method"], test["against"]
    return 1 if pair == (claim.better, claim.worse) else -(pair == (claim.worse, claim.better))


Told = tuple[str, str, float, str]
"""A task, a split, a difference that is told from none, and a remark."""


def _verdict(told: Sequence[Told], count: int, kind: str) -> dict[str, str]:
    """Return what differences in some of ``count`` tests say of a claim."""
    held = [one for one in told if one[2] > 0]
    failed = [one for one in told if one[2] < 0]
    kinds = kind if count == 1 else f"{kind}s"
    if len(held) == count:
        every = f"all {count}" if count > 1 else "the one"
        mark, verdict = "yes", f"holds in {every} {kinds}"
    elif held and failed:
        mark = "part"
        verdict = f"holds in {len(held)} and is contradicted in {len(failed)} of {count} {kinds}"
    elif held:
        mark, verdict = "part", f"holds in {len(held)} of {count} {kinds}"
    elif failed:
        mark, verdict = "against", f"is contradicted in {len(failed)} of {count} {kinds}"
    else:
        every = f"any of {count}" if count > 1 else "the one"
        mark, verdict = "none", f"is not shown in {every} {kinds}"
    parts = [
        f"{name}: {_listed(some)}" for name, some in (("more", held), ("less", failed)) if some
    ]
    rest = count - len(told)
    if rest and told:
        parts.append(f"no clear difference in the other {rest}")
    return {"verdict": verdict, "mark": mark, "evidence": "; ".join(parts) or "no clear difference"}


def _listed(told: Sequence[Told]) -> str:
    """Return differences by task, such as ``t2g (random +0.104, image +0.030)``."""
    tasks = dict.fromkeys(task for task, *_ in told)
    return ", ".join(
        f"{task} ("
        + ", ".join(
            f"{split} {signed(difference)}{remark}"
            for of, split, difference, remark in told
            if of == task
        )
        + ")"
        for task in tasks
    )


def signed(value: float) -> str:
    """Return a difference with its sign."""
    return f"{value:+.3f}".replace("-", "−")


def _flattery(results: Mapping[str, Any]) -> dict[str, str] | None:
    champion = champion_of(results)
    falls = [fall for fall in results["flattery"] if fall["method"] == champion]
    falls = [fall for fall in falls if fall["ci95"][0] is not None]
    if not falls:
        return None
    told = [
        (fall["task"], fall["split"], fall["difference"], _kept(fall))
        for fall in falls
        if fall["ci95"][0] > 0 or fall["ci95"][1] < 0
    ]
    verdict = _verdict(told, len(falls), "comparison")
    lost = verdict["evidence"].replace("more: ", "lost: ").replace("less: ", "gained: ")
    return {
        **verdict,
        "claim": f"A random split flatters: {champion} leads chance by less where images or "
        "people are unseen",
        "evidence": lost,
    }


def _kept(fall: Mapping[str, Any]) -> str:
    if fall["kept"] is None or fall["difference"] <= 0:
        return ""
    kept = round(100 * fall["kept"])
    return f", keeps {kept}% of its lead" if kept > 0 else ", keeps none of its lead"
