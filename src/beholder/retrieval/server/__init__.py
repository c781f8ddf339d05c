"""The store on a server: a schema of a PostgreSQL database, with pgvector."""

from beholder.retrieval.server.store import ServerStore

__all__ = ["ServerStore"]
