"""The store of a run's vectors, search in it, and leaving it."""

from beholder.retrieval.embedded import EmbeddedStore
from beholder.retrieval.forgetting import Receipt, forget
from beholder.retrieval.indexing import index
from beholder.retrieval.query import Query, read_gaze
from beholder.retrieval.search import Answer, Result, Searcher
from beholder.retrieval.store import Catalogue, Filters, Snapshot, Store, Writer

__all__ = [
    "Answer",
    "Catalogue",
    "EmbeddedStore",
    "Filters",
    "Query",
    "Receipt",
    "Result",
    "Searcher",
    "Snapshot",
    "Store",
    "Writer",
    "forget",
    "index",
    "read_gaze",
]
