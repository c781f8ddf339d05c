"""How much may be asked at once: every bound of the interface, in one place."""

from dataclasses import dataclass

MOST_TOP, MOST_OFFSET = 200, 10_000
MOST_QUERIES = 50
MOST_CHARACTERS = 5_000
MOST_POINTS = 2_000
MOST_CELLS = 128  # of a side of a map of attention
MOST_ITEMS = 500  # of a survey
MOST_NAMES, LONGEST_NAME = 100, 500
MOST_LISTED, MOST_SAMPLES = 200, 1_000
LARGEST_NUMBER = 2**53  # a larger one is not exact in a browser


@dataclass(frozen=True)
class Limits:
    """What the server holds at once, so that its memory and everybody's waiting have a bound."""

    body_bytes: int = 1024 * 1024
    body_seconds: float = 20.0
    requests: int = 128  # in work or waiting
    waiting_queries: int = 256
    together: int = 32  # queries that are searched at once
    search_seconds: float = 10.0  # how long a search may wait for its answer
    waiting_explanations: int = 8
    explanation_seconds: float = 30.0
    map_seconds: float = 20.0
    compressed_bytes: int = 32 * 1024  # smaller answers are sent as they are
