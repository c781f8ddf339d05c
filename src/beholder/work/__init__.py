"""Work that is spread: over processes here, or over the machines of a Ray cluster."""

from beholder.work.cluster import Cluster, cluster
from beholder.work.pieces import Piece, pieces
from beholder.work.processes import Processes
from beholder.work.workers import HERE, Here, Workers, in_order

__all__ = [
    "HERE",
    "Cluster",
    "Here",
    "Piece",
    "Processes",
    "Workers",
    "cluster",
    "in_order",
    "pieces",
]
