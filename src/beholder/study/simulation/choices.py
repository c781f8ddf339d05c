"""Choices that depend on who makes them: variants with weights that traits tilt."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from beholder.study.gaze import Floats


@dataclass(frozen=True)
class Variant:
    """One thing to say; its weight is multiplied by exp(traits · ``loadings``)."""

    text: str
    weight: float = 1.0
    loadings: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)


def variant(
    text: str,
    weight: float = 1.0,
    *,
    e: float = 0.0,
    a: float = 0.0,
    c: float = 0.0,
    n: float = 0.0,
    o: float = 0.0,
) -> Variant:
    """Return a variant with the loadings of the five traits by their first letters."""
    return Variant(text, weight, (e, a, c, n, o))


@dataclass(frozen=True)
class Chooser:
    """Makes the choices of one person in one text; ``tilt`` is traits × effect, shape (5,)."""

    tilt: Floats
    generator: np.random.Generator

    def pick(self, variants: Sequence[Variant]) -> str:
        """Return the text of one variant."""
        weights = np.array([one.weight for one in variants])
        logits = np.array([one.loadings for one in variants]) @ self.tilt
        chances = weights * np.exp(logits - logits.max())
        return variants[int(self.generator.choice(len(chances), p=chances / chances.sum()))].text
