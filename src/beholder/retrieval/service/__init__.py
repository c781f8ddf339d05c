"""Serving a store: its interface over HTTP, and the pages on which it is explored."""

from beholder.retrieval.service.application import create_app
from beholder.retrieval.service.limits import Limits
from beholder.retrieval.service.refusals import LOG
from beholder.retrieval.service.service import Settings

__all__ = ["LOG", "Limits", "Settings", "create_app"]
