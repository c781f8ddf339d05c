"""The embedded store: one folder, an SQLite file, and exact search in memory."""

from beholder.retrieval.embedded.store import EmbeddedStore

__all__ = ["EmbeddedStore"]
