"""Where Beholder keeps, outside every study and run, what can be made or fetched again."""

import os
from pathlib import Path

_FOLDER_VARIABLE = "BEHOLDER_CACHE"


def default_cache_folder() -> Path:
    """Return the user's cache, or the folder that BEHOLDER_CACHE names."""
    if given := os.environ.get(_FOLDER_VARIABLE):
        return Path(given)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "beholder"
