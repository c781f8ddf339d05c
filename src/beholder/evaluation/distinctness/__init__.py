"""How people differ: in the spaces, by their surveys, and by the words and regions of each."""

from beholder.evaluation.distinctness.mantel import Mantel
from beholder.evaluation.distinctness.result import Distinctness
from beholder.evaluation.distinctness.study import measure_distinctness

__all__ = ["Distinctness", "Mantel", "measure_distinctness"]
