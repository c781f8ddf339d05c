"""Pretrained encoders of texts and images, loaded through the ecosystem's own libraries."""

from beholder.features.pretrained.patches import PatchGrid
from beholder.features.pretrained.record import RECORD, Pretrained
from beholder.features.pretrained.sentences import Sentences, StudyTexts

__all__ = ["RECORD", "PatchGrid", "Pretrained", "Sentences", "StudyTexts"]
