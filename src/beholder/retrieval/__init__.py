"""The store of a run's vectors, search in it, and leaving it."""

from beholder.retrieval.embedded import EmbeddedStore
from beholder.retrieval.enrolment import Withdrawal, enrol, withdraw_enrolled
from beholder.retrieval.explanation import Contribution, Explanation, explain
from beholder.retrieval.forgetting import Receipt, forget
from beholder.retrieval.indexing import index
from beholder.retrieval.newcomers import NewSample, read_newcomer
from beholder.retrieval.opening import create_store, open_store
from beholder.retrieval.placement import Placement, place
from beholder.retrieval.projection import Projection, project
from beholder.retrieval.query import Query, read_gaze
from beholder.retrieval.search import Answer, Result, Searcher
from beholder.retrieval.store import Catalogue, Filters, Snapshot, Store, Writer

__all__ = [
    "Answer",
    "Catalogue",
    "Contribution",
    "EmbeddedStore",
    "Explanation",
    "Filters",
    "NewSample",
    "Placement",
    "Projection",
    "Query",
    "Receipt",
    "Result",
    "Searcher",
    "Snapshot",
    "Store",
    "Withdrawal",
    "Writer",
    "create_store",
    "enrol",
    "explain",
    "forget",
    "index",
    "open_store",
    "place",
    "project",
    "read_gaze",
    "read_newcomer",
    "withdraw_enrolled",
]
