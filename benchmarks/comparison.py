"""The whole comparison on DIDEC, four splits and five seeds: python -m benchmarks.comparison.

Needs the data in the form of ``tables`` at BEHOLDER_DIDEC, by default ../shared/data/didec.
Keeps the table, the results and the report, and how long it took on how many processors.
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from beholder.evaluation.comparison.findings import findings
from benchmarks.commands import RESULTS, beholder, write_results

DATA = Path(os.environ.get("BEHOLDER_DIDEC", Path(__file__).parents[2] / "shared/data/didec"))
KEPT = ("rows", "summary", "tests", "flattery", "curves", "power", "missing", "sizes", "versions")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-4")
    parser.add_argument("--splits", default="random,image,participant,both")
    parser.add_argument("--folder", type=Path, help="Compare here, and go on if it was begun.")
    options = parser.parse_args()
    if not DATA.is_dir():
        raise SystemExit(f"{DATA} is absent: name the folder with BEHOLDER_DIDEC")
    with tempfile.TemporaryDirectory() as temporary:
        study, folder = Path(temporary) / "didec", options.folder or Path(temporary) / "comparison"
        beholder("read", "tables", DATA, study, "--language", "nl")
        results, cost = beholder(
            *("compare", study, folder, "--tasks", "g2t,t2g"),
            # The report is kept here, and the data are not ours to publish.
            *("--splits", options.splits, "--seeds", options.seeds, "--no-examples"),
        )
        shutil.copy(folder / "report.html", RESULTS / "comparison.html")
        table = (folder / "tables" / "top3.md").read_text()
    found = {
        "minutes": round(cost.wall_s / 60, 1),
        "processor_minutes": round(cost.cpu_s / 60, 1),
        "processors": os.cpu_count(),
        **{name: results[name] for name in KEPT},
        "distinctness": results["distinctness"]["spaces"],
    }
    write_results("comparison", found, _page(found, results, table))


def _page(found: dict[str, Any], results: dict[str, Any], table: str) -> str:
    claims = [
        f"* “{one['claim']}” {one['verdict']}: {one['evidence']}." for one in findings(results)
    ]
    missing = dict.fromkeys(one["reason"] for one in results["missing"])
    return "\n".join(
        [
            f"{found['minutes']} minutes on {found['processors']} processors, of which it used "
            f"{found['processor_minutes']} minutes in all.",
            "",
            *claims,
            "",
            "Not compared:",
            *(f"* {reason}." for reason in missing),
            "",
            table,
            "",
            "Top-3 by seed, and top-1 among the viewers of one image (chance "
            "beside it), mean over seeds:",
            "",
            "| split | task | method | by seed | same image | its chance |",
            "|---|---|---|---|---|---|",
            *(_by_seed(results, row) for row in results["summary"]),
        ]
    )


def _by_seed(results: dict[str, Any], summary: dict[str, Any]) -> str:
    names = ("split", "task", "method")
    rows = [
        row
        for row in results["rows"]
        if row["share"] == 1 and all(row[name] == summary[name] for name in names)
    ]
    top3 = " ".join(f"{row['top3']:.3f}" for row in rows)
    same = summary["same_image"]
    cells = [
        *(summary[name] for name in names),
        top3,
        *map(_figure, (same["top1"], same["chance_top1"])),
    ]
    return f"| {' | '.join(cells)} |"


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


if __name__ == "__main__":
    main()
