"""A run on object storage while it is trained: a local folder, published now and then."""

import contextlib
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

from beholder.errors import BeholderError, ConfigurationError
from beholder.model.folder import RunFolder
from beholder.model.networks import Network
from beholder.model.state import State
from beholder.progress import Progress, silent
from beholder.remote import WorkingCopy, is_remote, without_secrets, working_copy

PUBLISH_EVERY_S = 60.0
"""Another machine that goes on with a killed training loses at most so much work."""


class PublishedRun(RunFolder):
    """The files of a run in a working copy, published with a checkpoint when it is time.

    A storage that cannot be reached ends no training: ``say`` is told, and the next checkpoint
    tries again.
    """

    def __init__(self, copy: WorkingCopy, say: Callable[[str], None], every_s: float) -> None:
        super().__init__(copy.path)
        self._copy, self._say, self._every_s = copy, say, every_s
        self._last = time.monotonic()

    def write_checkpoint(self, network: str, space: str, state: State) -> None:
        """Keep a state, and publish what there is if it is time."""
        super().write_checkpoint(network, space, state)
        self._publish_in_time()

    def write_space(self, network: Network, space: str, state: State) -> None:
        """Keep a trained space, and publish what there is if it is time."""
        super().write_space(network, space, state)
        self._publish_in_time()

    def _publish_in_time(self) -> None:
        if time.monotonic() - self._last < self._every_s:
            return
        try:
            self._copy.publish()
        except BeholderError as error:
            self._say(f"a checkpoint was not published, the training goes on: {error}")
        self._last = time.monotonic()


@contextlib.contextmanager
def run_folder(
    place: str | Path,
    *,
    say: Callable[[str], None] = warnings.warn,
    every_s: float = PUBLISH_EVERY_S,
    progress: Progress = silent,
    processes: int = 1,
) -> Iterator[RunFolder]:
    """Give the folder of a run to be trained: the place itself, if it is a path.

    Of an address it is a working copy that is published now and then, and when the block ends
    well. What an interrupted training had done is in the copy, or, on another machine, what
    of it was published last. ConfigurationError if several ``processes`` train together, as
    none sees the working copy of another.
    """
    if not isinstance(place, str) or not is_remote(place):
        yield RunFolder(Path(place))
        return
    if processes > 1:
        raise ConfigurationError(
            f"{without_secrets(place)} is no folder: processes that train together write one "
            "that all of them see"
        )
    with working_copy(place, "run", progress) as copy:
        yield PublishedRun(copy, say, every_s)
