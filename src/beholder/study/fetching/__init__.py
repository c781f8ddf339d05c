"""Fetching the authors' archives of the Cross-Modality dataset and reading them into a study."""

from beholder.study.fetching.archive import Limits, check_archive, unpack
from beholder.study.fetching.download import DownloadOptions, download
from beholder.study.fetching.fetch import (
    AUTHORS_URL,
    DATASETS,
    NOTICE,
    FetchedPaths,
    FetchOptions,
    FetchReport,
    fetch,
)

__all__ = [
    "AUTHORS_URL",
    "DATASETS",
    "NOTICE",
    "DownloadOptions",
    "FetchOptions",
    "FetchReport",
    "FetchedPaths",
    "Limits",
    "check_archive",
    "download",
    "fetch",
    "unpack",
]
