"""A process that does jobs: one line of JSON in for each, one line out when it is done.

It computes with one thread, so that results do not hang on how many work beside it.
"""

import json
import os
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from beholder.errors import BeholderError


def main() -> None:
    """Read what to work on, then do jobs until there are no more."""
    # Told, not asked for: a parent that is killed early would be taken for its own heir.
    parent = int(sys.argv[1])
    threading.Thread(target=_end_with_parent, args=(parent,), daemon=True).start()
    import torch

    from beholder.evaluation.comparison.cells import Job
    from beholder.evaluation.comparison.folder import ComparisonFolder
    from beholder.evaluation.comparison.jobs import JobRunner
    from beholder.study.study import Study

    torch.set_num_threads(1)
    begin = json.loads(sys.stdin.readline())
    folder = ComparisonFolder(Path(begin["folder"]))
    configuration = folder.configuration()
    study = Study.open(begin["study"])
    runner = JobRunner(study, folder, configuration, configuration.registry, begin["keep_runs"])
    for line in sys.stdin:
        job = Job(**json.loads(line))
        _answer(_done(runner, job))


def _done(runner: Any, job: Any) -> dict[str, Any]:
    try:
        runner.run(job)
    except BeholderError as error:
        return {"error": str(error)}
    except OSError as error:
        return {"error": str(error), "errno": error.errno, "file": error.filename}
    except Exception:  # a fault of ours or of a user's method: the parent says where
        return {"fault": traceback.format_exc()}
    return {}


def _answer(values: dict[str, Any]) -> None:
    print(json.dumps(values), flush=True)


def _end_with_parent(parent: int) -> None:
    """End as soon as the process that began this one is gone, however it went."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


if __name__ == "__main__":
    main()
