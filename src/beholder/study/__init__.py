"""The study on disk: its schema, gaze, surveys, splits, readers and simulation."""

from beholder.study.gaze import Areas, DenseMap, Gaze, Kernel, Points, attention_map
from beholder.study.readers import ReadOptions, ReadReport, read
from beholder.study.schema import StudyInfo
from beholder.study.study import Sample, Study
from beholder.study.survey import Instrument, instruments, load_instrument
from beholder.study.writer import StudyWriter, samples_table

__all__ = [
    "Areas",
    "DenseMap",
    "Gaze",
    "Instrument",
    "Kernel",
    "Points",
    "ReadOptions",
    "ReadReport",
    "Sample",
    "Study",
    "StudyInfo",
    "StudyWriter",
    "attention_map",
    "instruments",
    "load_instrument",
    "read",
    "samples_table",
]
