"""Frozen encoders from samples to arrays, and their cache."""

from beholder.caching import default_cache_folder
from beholder.features.cache import FeatureCache
from beholder.features.encoding import encode_samples
from beholder.features.gaze import Viewings
from beholder.features.image import Grid, ImageGrid
from beholder.features.modalities import DEFAULT_ENCODERS, ModalityEncoder, default_encoders
from beholder.features.personality import Surveys
from beholder.features.pretrained import PatchGrid, Pretrained, Sentences
from beholder.features.study import StudyInputs

__all__ = [
    "DEFAULT_ENCODERS",
    "FeatureCache",
    "Grid",
    "ImageGrid",
    "ModalityEncoder",
    "PatchGrid",
    "Pretrained",
    "Sentences",
    "StudyInputs",
    "Surveys",
    "Viewings",
    "default_cache_folder",
    "default_encoders",
    "encode_samples",
]
