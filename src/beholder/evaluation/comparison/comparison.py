"""Comparing methods on a study: every cell once, resumable, over several processes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from beholder import atomic
from beholder.evaluation.comparison.cells import Cell, cell_of
from beholder.evaluation.comparison.configuration import ComparisonConfiguration, Key
from beholder.evaluation.comparison.folder import ComparisonFolder
from beholder.evaluation.comparison.jobs import JobWork, jobs_left
from beholder.evaluation.comparison.results import results_of
from beholder.evaluation.comparison.tables import write_tables
from beholder.evaluation.comparison.trec import write_trec
from beholder.features import Pretrained
from beholder.progress import Progress, silent
from beholder.study.study import Study
from beholder.work import Processes, Workers


@dataclass(frozen=True)
class Comparison:
    """A finished comparison: ``results`` is what ``results.json`` holds."""

    study: Study
    folder: ComparisonFolder
    configuration: ComparisonConfiguration
    results: dict[str, Any]
    cells: dict[tuple[Key, str], Cell]


def compare(
    study: Study | str | Path,
    path: str | Path,
    configuration: ComparisonConfiguration | None = None,
    *,
    processes: int | None = None,
    workers: Workers | None = None,
    overwrite: bool = False,
    keep_runs: bool = False,
    trec: bool = True,
    progress: Progress = silent,
) -> Comparison:
    """Compare methods on a study, or on the one in a folder, and write a folder of results.

    Where the folder holds a comparison that was interrupted, or one of fewer methods, splits or
    seeds, it goes on: what is finished is never computed again, and the results are the same
    to the byte however often it was stopped. ``processes`` is how many work at once, by
    default as many as there are processors; ``workers`` do the work in their place, with the
    same results. With ``keep_runs`` the trained runs stay.
    """
    study = study if isinstance(study, Study) else Study.open(study)
    configuration = configuration or ComparisonConfiguration()
    registry = configuration.registry
    for name in configuration.methods:
        registry.named(name)  # ConfigurationError before anything is written
    pretrained = Pretrained.open(configuration.text_encoder, configuration.image_encoder)
    folder = ComparisonFolder(Path(path))
    with folder.claimed():
        folder.begin(study, configuration, pretrained, overwrite=overwrite)
        jobs = jobs_left(folder, configuration)
        workers = workers or Processes(processes)
        shared = folder.path if workers.shares_disk else None
        work = JobWork(study, configuration, shared, keep_runs, pretrained)
        for place, files in progress(workers.run(work, jobs), "comparing methods", len(jobs)):
            if shared is None:
                folder.keep(jobs[place], files, keep_runs=keep_runs)
        if not keep_runs:
            folder.tidy()
        return _finished(study, folder, configuration, pretrained, trec=trec)


def _finished(
    study: Study,
    folder: ComparisonFolder,
    configuration: ComparisonConfiguration,
    pretrained: Pretrained,
    *,
    trec: bool,
) -> Comparison:
    """Put all cells together; everything here is made anew from them."""
    tables = {
        (key, method): folder.read_cell(key, method)
        for key in configuration.keys
        for method in configuration.methods_of(key)
    }
    cells = {(key, method): cell_of(study, method, t) for (key, method), t in tables.items()}
    distinctness = (
        folder.read_json(folder.distinctness)
        if folder.distinctness.is_file()
        else {"missing": "no method of the comparison has spaces to ask"}
    )
    results = results_of(study, configuration, cells, distinctness, pretrained)
    _write_scores(folder, tables)
    write_tables(folder.tables, results)
    if trec:
        write_trec(folder.trec, study, configuration, cells)
    folder.write_json(folder.results, results)
    return Comparison(study, folder, configuration, results, cells)


def _write_scores(folder: ComparisonFolder, tables: dict[tuple[Key, str], pa.Table]) -> None:
    """Keep all cells in one table, each with its split and seed."""
    parts = []
    for (key, _), table in tables.items():
        if table.num_rows:
            named = table.replace_schema_metadata(None)
            for place, (name, value) in enumerate(vars(key).items()):
                named = named.add_column(place, name, pa.array([value] * table.num_rows))
            parts.append(named)
    if parts:
        sink = pa.BufferOutputStream()
        whole = pa.concat_tables(parts, promote_options="default")
        pq.write_table(whole, sink, compression="zstd")
        atomic.write_bytes(folder.scores, sink.getvalue().to_pybytes())
