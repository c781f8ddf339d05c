"""Readers: one file a source format, each writing the same study."""

from beholder.study.readers.mapping import Mapping, load_mapping
from beholder.study.readers.options import ReadOptions, ReadReport
from beholder.study.readers.registry import READERS, read

__all__ = ["READERS", "Mapping", "ReadOptions", "ReadReport", "load_mapping", "read"]
