"""Towers, objectives, spaces, their combination, and training."""

from beholder.model.configuration import Hyperparameters, TrainingConfiguration
from beholder.model.run import Run
from beholder.model.training import train

__all__ = ["Hyperparameters", "Run", "TrainingConfiguration", "train"]
