"""How alike two texts are, by the characters that stand in them next to each other."""

import unicodedata
from dataclasses import dataclass
from functools import cached_property

GRAM = 5


@dataclass(frozen=True)
class Normal:
    """A text without what hides a copy: case, punctuation, spacing and look-alike forms."""

    text: str

    @classmethod
    def of(cls, text: str) -> "Normal":
        """Return a text normalised."""
        folded = unicodedata.normalize("NFKC", text).casefold()
        kept = (c if unicodedata.category(c)[0] in "LMN" else " " for c in folded)
        return cls(" ".join("".join(kept).split()))

    def __len__(self) -> int:
        return len(self.text)

    @cached_property
    def grams(self) -> frozenset[str]:
        """The text's character 5-grams; a shorter text is one of its own."""
        starts = range(max(len(self.text) - GRAM + 1, 1))
        return frozenset(self.text[start : start + GRAM] for start in starts)


def likeness(one: Normal, other: Normal, least: float = 0.0) -> float:
    """Return the Jaccard index of two texts' character 5-grams, from 0 to 1.

    Where it cannot reach ``least``, as the numbers of grams alone say, 0 is returned.
    """
    fewer, more = sorted((one.grams, other.grams), key=len)
    if len(fewer) < least * len(more):
        return 0.0
    shared = len(fewer & more)
    return shared / (len(fewer) + len(more) - shared)
