"""The pages on which people explore a store."""

from beholder.retrieval.explorer.pages import explorer_routes

__all__ = ["explorer_routes"]
