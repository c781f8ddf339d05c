"""What pretrained encoders change: python -m benchmarks.encoders --text-encoder MODEL.

The same comparison with the model and without it, by the protocol, on a made study in English
(the preset `small`) and, where the data are, on DIDEC, whose texts are Dutch. Differences are
tested over participants. Nothing is chosen here, so the test parts are scored once. DIDEC is
looked for at BEHOLDER_DIDEC, by default ../shared/data/didec. One core, ten minutes of it.
"""

import argparse
import tempfile
from collections.abc import Iterator
from functools import reduce
from operator import and_
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from beholder.evaluation.significance import holm, paired_test
from benchmarks.commands import beholder, write_results
from benchmarks.comparison import DATA

METHODS, TASKS, TOP = ("base", "ours"), ("g2t", "t2g"), 3
PLACE = ("split", "task", "method", "seed", "query")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text-encoder", default="", help="As of beholder compare.")
    parser.add_argument("--image-encoder", default="", help="As of beholder compare.")
    parser.add_argument("--name", help="What the models are called in the results.")
    parser.add_argument("--splits", default="random,image")
    parser.add_argument("--seeds", default="0-1")
    options = parser.parse_args()
    if not (options.text_encoder or options.image_encoder):
        parser.error("name an encoder whose effect is measured")
    models = ("--text-encoder", options.text_encoder, "--image-encoder", options.image_encoder)
    with tempfile.TemporaryDirectory() as folder:
        asked = ("--splits", options.splits, "--seeds", options.seeds)
        studies = [_measured(study, asked, models) for study in _studies(Path(folder))]
    pretrained = [study.pop("pretrained") for study in studies][-1]  # the same of all
    rows = [row for study in studies for row in study.pop("rows")]
    for row, p in zip(rows, holm([row["p"] for row in rows]), strict=True):
        row["p_holm"] = p
    named = {
        kind: {"name": options.name or Path(model["model"]).name, "identity": model["identity"]}
        for kind, model in pretrained.items()
        if model is not None
    }
    results = {"encoders": named, "seeds": options.seeds, "studies": studies, "rows": rows}
    write_results("encoders", results, _page(results))


def _studies(folder: Path) -> Iterator[Path]:
    beholder("simulate", folder / "small")
    yield folder / "small"
    if DATA.is_dir():
        beholder("read", "tables", DATA, folder / "didec", "--language", "nl")
        yield folder / "didec"


def _measured(study: Path, asked: tuple[str, ...], models: tuple[str, ...]) -> dict[str, Any]:
    """Return what one study says of the encoders, and what each comparison took."""
    tables, found = {}, {}
    for name, encoders in (("without", ()), ("with", models)):
        folder = study.with_name(f"{study.name} {name}")
        found[name], cost = beholder(
            *("compare", study, folder, "--methods", ",".join(METHODS), "--tasks", ",".join(TASKS)),
            *("--curve", "", "--processes", "1", "--no-trec", "--no-examples", *asked, *encoders),
        )
        found[name] |= {"processor_s": round(cost.cpu_s)}
        scores = pq.read_table(folder / "scores.parquet").filter(pc.field("measure") == "gallery")
        tables[name] = scores.sort_by([(column, "ascending") for column in PLACE])
    before, after = tables["without"], tables["with"]
    assert before.select(PLACE) == after.select(PLACE)
    both = before.append_column("rank_with", after["rank"])
    cells = both.select(PLACE[:3]).group_by(PLACE[:3], use_threads=False).aggregate([]).to_pylist()
    return {
        "study": study.name,
        "samples": found["with"]["study"]["samples"],
        "processor_s": {name: results["processor_s"] for name, results in found.items()},
        "pretrained": found["with"]["pretrained"],
        "rows": [
            {"study": study.name, **cell, **_effect(both.filter(_is(cell)))} for cell in cells
        ],
    }


def _is(cell: dict[str, str]) -> pc.Expression:
    return reduce(and_, (pc.field(name) == value for name, value in cell.items()))


def _effect(queries: pa.Table) -> dict[str, Any]:
    """Return top-3 without and with, means over all queries of all seeds, and the test."""
    ranks = (queries[name].to_numpy() for name in ("rank", "rank_with"))
    before, after = ((rank <= TOP).astype(float) for rank in ranks)
    people = np.unique(queries["participant"].to_pylist(), return_inverse=True)[1]
    test = paired_test(after - before, people, np.random.default_rng(0))
    seeds = queries["seed"].to_numpy()
    return {
        **{"without": before.mean(), "with": after.mean(), "difference": test.difference},
        "by_seed": [(after - before)[seeds == seed].mean() for seed in np.unique(seeds)],
        "ci95": [test.interval.low, test.interval.high],
        **{"p": test.p, "participants": test.clusters},
    }


def _page(results: dict[str, Any]) -> str:
    models = "; ".join(
        f"{kind}: {model['name']} ({model['identity'][:12]})"
        for kind, model in results["encoders"].items()
    )
    return "\n".join(
        [
            f"Pretrained encoders: {models}. Top-3, means over the queries of seeds "
            f"{results['seeds']}; intervals and tests over participants, p corrected by Holm over "
            "all rows.",
            "",
            "| study | split | task | method | without | with | difference | 95% interval "
            "| by seed | p |",
            "|---|---|---|---|---|---|---|---|---|---|",
            *(_line(row) for row in results["rows"]),
            "",
            *(
                f"* {study['study']}, {study['samples']:,} samples: "
                f"{study['processor_s']['without']} s of processor without, "
                f"{study['processor_s']['with']} s with."
                for study in results["studies"]
            ),
        ]
    )


def _line(row: dict[str, Any]) -> str:
    low, high = row["ci95"]
    seeds = ", ".join(f"{one:+.3f}" for one in row["by_seed"])
    names = " | ".join(row[name] for name in ("study", "split", "task", "method"))
    return (
        f"| {names} | {row['without']:.3f} | {row['with']:.3f} | {row['difference']:+.3f} "
        f"| {low:+.3f} to {high:+.3f} | {seeds} | {row['p_holm']:.4f} |"
    )


if __name__ == "__main__":
    main()
