"""The comparison of all methods on all tasks, splits and seeds."""

from beholder.evaluation.comparison.comparison import Comparison, compare
from beholder.evaluation.comparison.configuration import ComparisonConfiguration

__all__ = ["Comparison", "ComparisonConfiguration", "compare"]
