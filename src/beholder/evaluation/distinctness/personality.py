"""Whether people whose surveys differ also lie apart in a space."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from beholder.evaluation.distinctness.mantel import Mantel, mantel_of_each
from beholder.evaluation.significance import holm
from beholder.study.gaze import Floats


@dataclass(frozen=True)
class Relation:
    """Mantel tests of people's distance against that of their surveys.

    ``profile`` is against the Euclidean distance of all traits' z-scores, ``traits`` against
    each trait's difference, and ``corrected`` gives the traits' p-values after Holm.
    """

    profile: Mantel
    traits: Mapping[str, Mantel]
    corrected: Mapping[str, float]


def relation(
    distances: Floats,
    traits: Floats,
    names: Sequence[str],
    generator: np.random.Generator,
    permutations: int = 9999,
) -> Relation:
    """Test people's ``distances`` (n, n) against their ``traits`` (n, t), named by ``names``.

    Distances are NaN where unknown. A trait in which all people are alike is left out.
    Raises UnsupportedError as `mantel` does.
    """
    np.fill_diagonal(distances := distances.copy(), np.nan)
    reached = ~np.isnan(distances).all(axis=1)
    distances, traits = distances[np.ix_(reached, reached)], traits[reached]
    varies = np.ptp(traits, axis=0) > 0 if len(traits) else np.zeros(len(names), bool)
    scores = standard_scores(traits)[:, varies]  # (n, traits kept)
    differences = [np.abs(column[:, None] - column[None]) for column in scores.T]
    profile = np.sqrt(sum((d**2 for d in differences), start=np.zeros_like(distances)))
    whole, *single = mantel_of_each(distances, [profile, *differences], generator, permutations)
    kept = [name for name, kept in zip(names, varies, strict=True) if kept]
    corrected = holm([test.p for test in single])
    return Relation(
        whole,
        dict(zip(kept, single, strict=True)),
        dict(zip(kept, map(float, corrected), strict=True)),
    )


def standard_scores(traits: Floats) -> Floats:
    """Return z-scores within these people, shape (n, t); 0 where all are alike."""
    if not len(traits):
        return traits
    spread = traits.std(axis=0)
    return np.asarray((traits - traits.mean(axis=0)) / np.where(spread > 0, spread, 1.0))
