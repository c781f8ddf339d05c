"""The example that ``beholder collect init`` writes: a study that runs as it is."""

from beholder.collect.example.example import write_example

__all__ = ["write_example"]
