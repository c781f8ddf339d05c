"""The commands that compare methods."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from beholder.commands.options import (
    DATASETS,
    INTERRUPTED,
    PATH,
    PLACE,
    SPLITS,
    chosen_workers,
    encoder_options,
    json_option,
    names_in,
    overwrite_option,
    print_result,
    seeds_in,
    set_option,
    share_of,
    stop,
    with_settings,
    work_options,
)
from beholder.errors import UnsupportedError


@click.command(short_help="Compare methods over tasks, splits and seeds.")
@click.argument("study", type=PLACE)
@click.argument("folder", type=PATH)
@click.option("--methods", help="Names such as base,ours,ours-joint,ours+personality.")
@click.option("--tasks", help="Some of g2t … p2t; all by default.")
@click.option("--splits", help=f"Some of {', '.join(SPLITS)}; all by default.")
@click.option("--seeds", default="0-2", show_default=True, help="Such as 0-4 or 0,3,7.")
@click.option("--curve", help="Shares of the training part for learning curves; '' for none.")
@click.option(
    "--with",
    "method_files",
    type=PATH,
    multiple=True,
    metavar="FILE.py",
    help="A file that defines methods of your own; may be repeated.",
)
@encoder_options
@set_option
@work_options
@click.option("--keep-runs", is_flag=True, help="Keep the trained runs in FOLDER/work.")
@click.option("--no-trec", is_flag=True, help="Write no run and qrels files.")
@click.option("--no-examples", is_flag=True, help="Show no picture and no word of anybody.")
@overwrite_option
@json_option
def compare(
    study: str | Path,
    folder: Path,
    methods: str | None,
    tasks: str | None,
    splits: str | None,
    seeds: str,
    curve: str | None,
    method_files: Sequence[Path],
    text_encoder: str,
    image_encoder: str,
    settings: Sequence[str],
    on: str,
    address: str | None,
    processes: int | None,
    keep_runs: bool,
    no_trec: bool,
    no_examples: bool,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Compare methods on STUDY over tasks, splits and seeds, and write FOLDER.

    \b
    report.html   everything, to read; opens offline
    results.json  every number; tables/ as Markdown, LaTeX and CSV
    trec/         rankings and right answers for other tools; scores.parquet a row a query

    The same command goes on where an earlier one was stopped, and computes nothing twice; it
    may ask for more methods, splits and seeds.
    """
    from beholder.evaluation.comparison import ComparisonConfiguration
    from beholder.evaluation.comparison import compare as compare_methods
    from beholder.evaluation.comparison.report import write_report
    from beholder.model import Hyperparameters
    from beholder.progress import shown

    asked: dict[str, Any] = {
        "methods": methods and names_in(methods),
        "tasks": tasks,
        "splits": splits and names_in(splits),
        "curve": None if curve is None else tuple(map(share_of, names_in(curve))),
    }
    configuration = ComparisonConfiguration(
        **{name: value for name, value in asked.items() if value is not None},
        seeds=seeds_in(seeds),
        method_files=tuple(str(file.resolve()) for file in method_files),
        hyperparameters=with_settings(Hyperparameters(), settings),
        text_encoder=text_encoder,
        image_encoder=image_encoder,
    )
    try:
        with chosen_workers(on, address, processes) as workers:
            comparison = compare_methods(
                study,
                folder,
                configuration,
                workers=workers,
                overwrite=overwrite,
                keep_runs=keep_runs,
                trec=not no_trec,
                progress=shown,
            )
        results = comparison.results
        if not results["rows"]:
            reasons = dict.fromkeys(gap["reason"] for gap in results["missing"])
            raise UnsupportedError(f"nothing can be compared: {'; '.join(reasons)}")
        write_report(comparison, shown, examples=not no_examples)
    except KeyboardInterrupt:
        stop(f"interrupted; the same command goes on with {folder}", INTERRUPTED)
    print_result(results, as_json, lambda console: console.print_comparison(results, str(folder)))


@click.command(short_help="Fetch the paper's dataset and compare all methods on it.")
@click.argument("dataset", type=click.Choice(DATASETS))
@click.argument("folder", type=PATH)
@click.option("--url", help="The folder on the web with the archives, instead of the authors'.")
@click.option("--seeds", default="0-2", show_default=True, help="Such as 0-4 or 0,3,7.")
@encoder_options
@set_option
@click.option("--skip-bad", is_flag=True, help="Keep the good rows and list the bad ones.")
@work_options
@json_option
def reproduce(
    dataset: str,
    folder: Path,
    url: str | None,
    seeds: str,
    text_encoder: str,
    image_encoder: str,
    settings: Sequence[str],
    skip_bad: bool,
    on: str,
    address: str | None,
    processes: int | None,
    as_json: bool,
) -> None:
    """Fetch the paper's DATASET into FOLDER, compare all methods, and write the report.

    The poster's figures are put beside ours in FOLDER/DATASET.comparison/reproduction.md. The
    same command goes on where an earlier one was stopped.
    """
    from beholder.evaluation.comparison import ComparisonConfiguration
    from beholder.evaluation.comparison.report import write_report
    from beholder.evaluation.comparison.reproduction import reproduce as reproduce_dataset
    from beholder.evaluation.comparison.reproduction import table_beside
    from beholder.model import Hyperparameters
    from beholder.progress import shown
    from beholder.study.fetching import AUTHORS_URL, FetchOptions
    from beholder.study.readers import ReadOptions

    configuration = ComparisonConfiguration(
        seeds=seeds_in(seeds),
        hyperparameters=with_settings(Hyperparameters(), settings),
        text_encoder=text_encoder,
        image_encoder=image_encoder,
    )
    try:
        with chosen_workers(on, address, processes) as workers:
            found = reproduce_dataset(
                dataset,
                folder,
                source_url=AUTHORS_URL if url is None else url,
                fetching=FetchOptions(reading=ReadOptions(skip_bad=skip_bad)),
                configuration=configuration,
                workers=workers,
                progress=shown,
            )
        write_report(found.comparison, shown, beside=found.beside)
    except KeyboardInterrupt:
        stop(f"interrupted; the same command goes on with {folder}", INTERRUPTED)
    if as_json:
        print_result(found.as_json(), as_json, lambda _: None)
        return
    from beholder import console

    console.print_read(found.fetched.as_json(), str(found.fetched.study))
    console.print_comparison(found.comparison.results, str(found.comparison.folder.path))
    click.echo(table_beside(dataset, found.beside))
