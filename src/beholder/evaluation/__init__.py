"""The protocol, its measures and intervals, and reports of them."""

from beholder.evaluation.evaluation import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
