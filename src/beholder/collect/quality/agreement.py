"""The signal of agreement: whether somebody looked where others did on the same image."""

import numpy as np
from numpy.typing import NDArray

from beholder.collect.quality.evidence import facts, first
from beholder.collect.quality.judged import Judged
from beholder.collect.quality.others import viewing_map
from beholder.collect.rows import Signal

Rows = NDArray[np.float32]


def agreement(session: Judged) -> Signal | None:
    """The share of other images' maps that resemble a viewing less than its own image's does.

    A viewing's attention map is correlated with the mean map of the image's other viewers (the
    session left out) and with those of all other images. Looking at nothing in particular, or
    always at the middle, gives 0.5: what is common to all images counts on neither side.
    """
    others = session.others
    own: dict[str, Rows] = {}
    for one in session.viewings:
        if (values := viewing_map(one)) is not None:
            own[one.image] = values
    rest: dict[str, Rows] = {}
    for image, total in others.map_sums.items():
        alone = image in own
        if others.viewers[image] - alone > 0:
            rest[image] = total - own[image] if alone else total
    judged = [one for one in session.viewings if one.image in own and one.image in rest]
    if len(judged) < session.thresholds.agreement_images or len(rest) < 2:
        return None
    columns = {image: number for number, image in enumerate(rest)}
    seen = _standardised(np.stack([own[one.image] for one in judged]))
    alike = seen @ _standardised(np.stack(list(rest.values()))).T  # (judged, images)
    trials = []
    for row, one in zip(alike, judged, strict=True):
        mine = row[columns[one.image]]
        baseline = np.delete(row, columns[one.image])
        below = float((baseline < mine).mean() + (baseline == mine).mean() / 2)
        trials.append(
            facts(
                one,
                share=round(below, 3),
                correlation=round(float(mine), 3),
                baseline=round(float(baseline.mean()), 3),
                viewers=others.viewers[one.image] - 1,
            )
        )
    value = float(np.mean([trial["share"] for trial in trials]))
    trials.sort(key=lambda trial: trial["share"])
    evidence = {
        "images": len(trials),
        "correlation": round(float(np.mean([t["correlation"] for t in trials])), 3),
        "baseline": round(float(np.mean([t["baseline"] for t in trials])), 3),
        "trials": trials,
    }
    flagged = value < session.thresholds.agreement
    return Signal("agreement", flagged, value, first(trials), evidence)


def _standardised(rows: Rows) -> Rows:
    """Return rows whose inner products are correlations; a constant row becomes 0."""
    centred = rows - rows.mean(axis=1, keepdims=True)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    whole = np.divide(centred, length, out=np.zeros_like(centred), where=length > 0)
    return np.asarray(whole)
