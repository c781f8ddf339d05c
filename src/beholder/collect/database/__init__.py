"""The store's tables, its connections and its migrations."""

from beholder.collect.database.engine import Database

__all__ = ["Database"]
