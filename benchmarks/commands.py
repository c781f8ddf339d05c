"""Runs the command as its user would, and measures what a finished process cost."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Cost:
    """What one process cost: seconds by the clock, seconds of processor, MiB at its peak."""

    wall_s: float
    cpu_s: float
    peak_mib: float


def beholder(*arguments: str | Path) -> tuple[dict[str, Any], Cost]:
    """Run ``beholder … --json`` in a process of its own; return its object and its cost."""
    command = [sys.executable, "-m", "beholder", *map(str, arguments), "--json"]
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - started
    if status:
        raise SystemExit(f"{' '.join(command)} failed")
    cost = Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
    return json.loads(output), cost


def write_results(name: str, results: Any, table: str) -> None:
    """Keep a benchmark's results as JSON and its table as Markdown, and print the table."""
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(results, indent=1) + "\n")
    (RESULTS / f"{name}.md").write_text(table + "\n")
    print(table)
