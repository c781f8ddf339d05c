"""Beholder learns how each beholder sees: gaze, text and personality, each found from the other.

The public names are loaded on first use, so that ``import beholder`` stays cheap:
importing PyTorch takes seconds, and most commands never need it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOME_OF = {
    "Study": "beholder.study",
    "Hyperparameters": "beholder.model",
    "TrainingConfiguration": "beholder.model",
    "Run": "beholder.model",
    "train": "beholder.model",
    "evaluate": "beholder.evaluation",
}

__all__ = [
    "Hyperparameters",
    "Run",
    "Study",
    "TrainingConfiguration",
    "__version__",
    "evaluate",
    "train",
]

if TYPE_CHECKING:
    from beholder.evaluation import evaluate
    from beholder.model import Hyperparameters, Run, TrainingConfiguration, train
    from beholder.study import Study


def __getattr__(name: str) -> Any:
    if name not in _HOME_OF:
        raise AttributeError(f"module 'beholder' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)
