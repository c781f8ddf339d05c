"""Signals of attention: being elsewhere, and being faster than reading and looking allow."""

from beholder.collect.quality.evidence import facts, first
from beholder.collect.quality.judged import Judged
from beholder.collect.rows import Signal


def tab_switches(session: Judged) -> Signal | None:
    """The share of the trials' time in which the page was not in use."""
    if not session.trials:
        return None
    trials = []
    away_ms = 0.0
    absences = 0
    for one in session.trials:
        if gone := one.absences:
            lengths = [until - since for since, until in gone]
            away_ms, absences = away_ms + sum(lengths), absences + len(gone)
            trials.append(facts(one, absences=len(gone), away_s=round(sum(lengths) / 1000, 1)))
    trials.sort(key=lambda trial: -trial["away_s"])
    total_ms = sum(one.duration_ms for one in session.trials)
    share = away_ms / total_ms if total_ms > 0 else 0.0
    limits = session.thresholds
    flagged = share >= limits.away_share or absences >= limits.absences * len(session.trials)
    evidence = {"absences": absences, "away_s": round(away_ms / 1000, 1), "trials": trials}
    return Signal("tab_switches", flagged, share, first(trials), evidence)


def fast_trials(session: Judged) -> Signal | None:
    """The share of the trials that took less time than their clicks and characters need."""
    if not session.trials:
        return None
    limits = session.thresholds
    trials = []
    for one in session.trials:
        typed = sum(max(len(c.text) - c.pasted_characters, 0) for c in one.captions)
        needed_ms = len(one.clicks) * limits.click_ms + typed * limits.character_ms
        if one.duration_ms < needed_ms:
            trials.append(
                facts(
                    one,
                    seconds=round(one.duration_ms / 1000, 2),
                    needed_s=round(needed_ms / 1000, 2),
                    clicks=len(one.clicks),
                    characters=typed,
                )
            )
    share = len(trials) / len(session.trials)
    evidence = {"trials_judged": len(session.trials), "trials": trials}
    return Signal("fast_trials", share >= limits.fast_trials, share, first(trials), evidence)
