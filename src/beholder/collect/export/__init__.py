"""What was collected, as a study, as tidy tables and as events in the form of BIDS."""

from beholder.collect.export.archive import Archives
from beholder.collect.export.bids import export_bids
from beholder.collect.export.selection import Choice, Selection, select_sessions
from beholder.collect.export.study import export_study
from beholder.collect.export.tables import export_tables

__all__ = [
    "Archives",
    "Choice",
    "Selection",
    "export_bids",
    "export_study",
    "export_tables",
    "select_sessions",
]
