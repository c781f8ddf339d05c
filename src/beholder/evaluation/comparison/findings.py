"""What a comparison found, in plain sentences: what holds and what does not."""

from collections.abc import Iterable, Mapping
from typing import Any

ALPHA = 0.05

_CLAIMS = (
    ("ours", "base", "content and style together beat the base embedding"),
    ("ours", "factorised", "content and style together beat user factorisation"),
    ("ours-joint", "ours", "joint training of three modalities helps"),
    ("ours-privileged", "ours", "privileged information helps"),
)
"""The paper's claims: a method, the one that it is to beat, and the claim."""


def findings(results: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return a verdict on each claim of the paper that was tested, with its evidence."""
    found = []
    for better, worse, claim in _CLAIMS:
        tests = list(_tests(results, better, worse))
        if tests:
            held = [_place(t) for t in tests if t["p_holm"] < ALPHA and t["difference"] > 0]
            failed = [_place(t) for t in tests if t["p_holm"] < ALPHA and t["difference"] < 0]
            found.append({"claim": claim, **_verdict(held, failed, len(tests))})
    flattery = _flattery(results)
    return [*found, flattery] if flattery else found


def _tests(results: Mapping[str, Any], better: str, worse: str) -> Iterable[dict[str, Any]]:
    """Give the tests of two methods on top 3, turned so that more is for the first of them."""
    for test in results["tests"]:
        if test["measure"] == "top3" and test["p_holm"] is not None:
            if (test["method"], test["against"]) == (better, worse):
                yield test
            elif (test["method"], test["against"]) == (worse, better):
                yield test | {"difference": -test["difference"]}


def _place(test: Mapping[str, Any]) -> str:
    return f"{test['task']} in the {test['split']} split ({test['difference']:+.3f})"


def _verdict(held: list[str], failed: list[str], count: int) -> dict[str, str]:
    if held and not failed:
        verdict = "holds" if len(held) == count else "holds in part"
    elif failed and not held:
        verdict = "is contradicted"
    else:
        verdict = "is mixed" if held else "is not shown"
    parts = []
    if held:
        parts.append(f"better in {len(held)} of {count} tests: {', '.join(held)}")
    if failed:
        parts.append(f"worse in {len(failed)} of {count}: {', '.join(failed)}")
    if not parts:
        parts.append(f"no significant difference in any of {count} tests")
    return {"verdict": verdict, "evidence": "; ".join(parts)}


def _flattery(results: Mapping[str, Any]) -> dict[str, str] | None:
    falls = [fall for fall in results["flattery"] if fall["method"] == "ours"]
    told = [fall for fall in falls if fall["ci95"][0] is not None]
    if not told:
        return None
    held = [f for f in told if f["ci95"][0] > 0]
    texts = [
        f"{f['task']} falls by {f['difference']:.3f} in the {f['split']} split"
        + ("" if f["kept"] is None else f" (keeps {100 * f['kept']:.0f}% above chance)")
        for f in held
    ]
    verdict = "holds" if len(held) == len(told) else "holds in part" if held else "is not shown"
    evidence = "; ".join(texts) if texts else f"no fall of ours is clear in {len(told)} comparisons"
    return {"claim": "a random split flatters", "verdict": verdict, "evidence": evidence}
