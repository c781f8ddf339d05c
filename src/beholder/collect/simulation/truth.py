"""The truth of a simulation: everything that people did and what the server acknowledged.

One JSON object a line, written when it happens: what a killed simulation did is there too.
`participant` says who somebody is, `trial`, `survey` and `comment` what was sent and whether it
was acknowledged, `end` how a participation ended.
"""

import json
import threading
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from beholder.errors import ConfigurationError


class Truth:
    """Writes the truth; threads share it. Without a path nothing is written."""

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        try:
            self._file = path.open("w", encoding="utf-8") if path else None
        except OSError as error:
            raise ConfigurationError(f"{path} cannot be written: {error.strerror}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()

    def note(self, event: str, **facts: Any) -> None:
        """Add a line."""
        if self._file:
            line = json.dumps({"event": event, **facts}, ensure_ascii=False) + "\n"
            with self._lock:
                self._file.write(line)
                self._file.flush()


def read_truth(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Return the lines of a truth file by their event, in order."""
    by_event: dict[str, list[dict[str, Any]]] = {}
    for line in path.read_text("utf-8").splitlines():
        facts = json.loads(line)
        by_event.setdefault(facts.pop("event"), []).append(facts)
    return by_event
