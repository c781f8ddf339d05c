"""Folders on object storage, by fsspec URLs: mirrored here to be read, published whole."""

from beholder.remote.address import Kind, is_remote, without_secrets
from beholder.remote.mirror import in_its_words, local
from beholder.remote.publishing import changed, publish, written
from beholder.remote.working import WorkingCopy, working_copy

__all__ = [
    "Kind",
    "WorkingCopy",
    "changed",
    "in_its_words",
    "is_remote",
    "local",
    "publish",
    "without_secrets",
    "working_copy",
    "written",
]
