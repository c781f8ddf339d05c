"""Signals of writing: pasted, copied from somebody else, or the same for every image."""

from collections.abc import Iterable, Iterator

from beholder.collect.quality.evidence import facts, first
from beholder.collect.quality.judged import Judged
from beholder.collect.quality.likeness import Normal, likeness
from beholder.collect.quality.others import Text
from beholder.collect.recordings import Caption, Recording
from beholder.collect.rows import Signal


def pasted_captions(session: Judged) -> Signal | None:
    """How many texts came from the clipboard, or appeared without any key."""
    limits = session.thresholds
    trials = []
    written = 0
    for one, caption in _captions(session):
        length = len(caption.text)
        written += 1
        without_keys = caption.keys == 0 and caption.pasted_characters == 0
        share = 1.0 if without_keys else min(caption.pasted_characters / length, 1.0)
        if share >= limits.pasted_share:
            counts = {"characters": length, "pasted": caption.pasted_characters}
            trials.append(facts(one, keys=caption.keys, **counts))
    if not written:
        return None
    flagged = len(trials) >= limits.pasted_captions
    evidence = {"captions": written, "pasted": len(trials), "trials": trials}
    return Signal("pasted_captions", flagged, len(trials), first(trials), evidence)


def copied_captions(session: Judged) -> Signal | None:
    """How many texts are like one that somebody else had written before.

    Texts of the same image are compared by their character 5-grams, those of other images word
    for word. Only the later of two is counted: the earlier cannot be the copy.
    """
    limits = session.thresholds
    trials = []
    written = 0
    for one, caption in _captions(session):
        written += 1
        normal = Normal.of(caption.text)
        if len(normal) < limits.shortest_copy:
            continue
        best = max(_earlier(session, one, normal), key=lambda found: found[0], default=None)
        if best and best[0] >= limits.copy_likeness:
            source = {"of_session": best[1].session, "of_trial": best[1].trial}
            counts = {"likeness": round(best[0], 3), "characters": len(caption.text)}
            trials.append(facts(one, **counts, **source))
    if not written:
        return None
    flagged = len(trials) >= limits.copied_captions
    evidence = {"captions": written, "copied": len(trials), "trials": trials}
    return Signal("copied_captions", flagged, len(trials), first(trials), evidence)


def repeated_captions(session: Judged) -> Signal | None:
    """The share of the texts that repeat an earlier one of the same session."""
    limits = session.thresholds
    before: dict[str, list[tuple[Normal, Recording]]] = {}  # by the caption's task
    trials = []
    written = 0
    for one, caption in _captions(session):
        written += 1
        normal = Normal.of(caption.text)
        earlier = before.setdefault(caption.name, [])
        for text, source in earlier:
            if (alike := likeness(normal, text, limits.copy_likeness)) >= limits.copy_likeness:
                counts = {"likeness": round(alike, 3), "characters": len(caption.text)}
                trials.append(facts(one, **counts, of_trial=source.trial))
                break
        earlier.append((normal, one))
    if written < 2:
        return None
    share = len(trials) / written
    evidence = {"captions": written, "repeated": len(trials), "trials": trials}
    flagged = share >= limits.repeated_captions
    return Signal("repeated_captions", flagged, share, first(trials), evidence)


def _captions(session: Judged) -> Iterator[tuple[Recording, Caption]]:
    for one in session.trials:
        yield from ((one, caption) for caption in one.captions if caption.text.strip())


def _earlier(session: Judged, one: Recording, normal: Normal) -> Iterator[tuple[float, Text]]:
    """Yield the texts that other people had written before a trial, by their likeness."""
    for text in _of_others(session, one, session.others.texts.get(one.image, ())):
        yield likeness(normal, text.normal, session.thresholds.copy_likeness), text
    for text in _of_others(session, one, session.others.same_texts.get(normal.text, ())):
        yield 1.0, text


def _of_others(session: Judged, one: Recording, texts: Iterable[Text]) -> Iterator[Text]:
    own = session.participant
    now = (one.received_ms, one.trial)  # of two in one millisecond, one is the earlier
    return (t for t in texts if t.participant != own and (t.received_ms, t.trial) < now)
