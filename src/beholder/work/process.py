"""A process that does tasks: the work comes in first, then tasks; a result goes out for each.

What it reads and writes are pickles on its standard input and output, between itself and the
process that began it, and nobody else.
"""

import os
import pickle
import sys
import threading
import time
from functools import cache

from beholder.work.attempts import attempt


def main() -> None:
    """Read the work, then do tasks until there are no more."""
    # Told, not asked for: a parent that is killed early would be taken for its own heir.
    parent = int(sys.argv[1])
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    results = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # What the work prints must not come between results.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    data = pickle.load(sys.stdin.buffer)
    work = cache(lambda: pickle.loads(data))
    while True:
        try:
            task = pickle.load(sys.stdin.buffer)
        except EOFError:
            return
        pickle.dump(attempt(work, task), results)
        results.flush()


def _end_with_parent(parent: int) -> None:
    """End as soon as the process that began this one is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main()
