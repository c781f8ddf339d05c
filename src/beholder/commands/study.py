"""The commands that make studies and look at them: read, fetch, inspect, simulate."""

from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from beholder.commands.options import (
    DATASETS,
    INTERRUPTED,
    PATH,
    PLACE,
    json_option,
    overwrite_option,
    print_result,
    stop,
)
from beholder.errors import ConfigurationError
from beholder.remote import without_secrets, written

FORMATS = ("tables", "crossmod", "bubbleview", "localized-narratives")
PRESETS = ("ads", "coco", "small")


@click.command(short_help="Read what a lab exported and write a study.")
@click.argument("source_format", metavar="FORMAT", type=click.Choice(FORMATS))
@click.argument("source", type=PATH)
@click.argument("study", type=PLACE)
@click.option("--name", help="The study's name; its folder's by default.")
@click.option("--language", help="Language of the texts, as a tag such as en or nl.")
@click.option("--licence", help="Licence of the data.")
@click.option("--instrument", default="bfi-10", show_default=True, help="Name or TOML file.")
@click.option("--mapping", type=PATH, help="TOML file that names files, columns and units.")
@click.option("--skip-bad", is_flag=True, help="Keep the good rows and list the bad ones.")
@click.option(
    "--pseudonymise/--keep-ids",
    default=None,
    help="Replace participants' ids by a keyed hash (crossmod does so by default).",
)
@click.option("--key-file", type=PATH, help="Where the key of the pseudonyms lies.")
@overwrite_option
@json_option
def read(
    source_format: str,
    source: Path,
    study: str | Path,
    mapping: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Read SOURCE, in FORMAT, and write STUDY, a folder or a URL, whole or not at all.

    \b
    tables                a folder of samples, fixations and participants as CSV or Parquet,
                          and images/
    crossmod              the Cross-Modality dataset (Ads, COCO) as its authors published it
    bubbleview            the published BubbleView clicks: MATLAB files and their images
    localized-narratives  captions with mouse traces as JSON Lines, and images/
    """
    from beholder.progress import shown
    from beholder.study.readers import ReadOptions, load_mapping
    from beholder.study.readers import read as read_study

    given = ReadOptions(**options)
    if mapping is not None:
        given = replace(given, mapping=load_mapping(mapping))
    with written(study, "study", overwrite=given.overwrite, progress=shown) as folder:
        report = asdict(read_study(source_format, source, folder, given, shown))
    where = without_secrets(study)
    print_result(report, as_json, lambda console: console.print_read(report, where))


@click.command(short_help="Download the Cross-Modality dataset and read it.")
@click.argument("dataset", type=click.Choice(DATASETS))
@click.argument("folder", type=PATH)
@click.option("--url", help="The folder on the web with the archives, instead of the authors'.")
@click.option("--skip-bad", is_flag=True, help="Keep the good rows and list the bad ones.")
@click.option("--keep-ids", is_flag=True, help="Keep workers' ids instead of a keyed hash.")
@click.option("--key-file", type=PATH, help="Where the key of the pseudonyms lies.")
@click.option("--overwrite", is_flag=True, help="Do every step anew, replacing what is there.")
@json_option
def fetch(
    dataset: str,
    folder: Path,
    url: str | None,
    skip_bad: bool,
    keep_ids: bool,
    key_file: Path | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Download the Cross-Modality DATASET from its authors into FOLDER and read it.

    \b
    FOLDER/ads.zip    the archive, checked and kept
    FOLDER/ads/       what it holds
    FOLDER/ads.study  the study

    A step that is done is not repeated: after a stop or a failure the same command goes on.
    The authors state no licence: the archives are for yourself, not to pass on.
    """
    from beholder.progress import shown
    from beholder.study.fetching import AUTHORS_URL, FetchOptions
    from beholder.study.fetching import fetch as fetch_dataset
    from beholder.study.readers import ReadOptions

    reading = ReadOptions(
        skip_bad=skip_bad, pseudonymise=False if keep_ids else None, key_file=key_file
    )
    try:
        report = fetch_dataset(
            dataset,
            folder,
            source_url=AUTHORS_URL if url is None else url,
            options=FetchOptions(overwrite, reading),
            progress=shown,
        ).as_json()
    except KeyboardInterrupt:
        again = f" (without --overwrite, once {folder / dataset}.zip is new)" if overwrite else ""
        stop(f"interrupted; what came is kept, the same command goes on{again}", INTERRUPTED)
    print_result(report, as_json, lambda console: console.print_read(report, report["study"]))


@click.command(short_help="Say how large a study is and what looks wrong.")
@click.argument("study", type=PLACE)
@click.option("--coverage", type=PATH, help="Also write who saw which image, as CSV.")
@json_option
def inspect(study: str | Path, coverage: Path | None, as_json: bool) -> None:
    """Say how large STUDY is, what is missing, how it was answered and what looks wrong."""
    from beholder.progress import shown
    from beholder.study import Study
    from beholder.study.inspection import Coverage, coverage_csv
    from beholder.study.inspection import inspect as inspect_study

    opened = Study.open(study, shown)
    found = inspect_study(opened, shown)
    if coverage is not None:
        from beholder import atomic

        atomic.write_text(coverage, coverage_csv(opened))
    print_result(
        found.as_json(),
        as_json,
        lambda console: console.print_inspection(found, Coverage.of(opened)),
    )


@click.command(short_help="Make a study from a model whose truth is known.")
@click.argument("study", type=PLACE)
@click.option("--preset", type=click.Choice(PRESETS), default="small", show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--participants", type=click.IntRange(min=2), help="Instead of the preset's.")
@click.option("--images", type=click.IntRange(min=2), help="Instead of the preset's.")
@click.option("--effect-survey", type=click.FloatRange(min=0), default=1.0, show_default=True)
@click.option("--effect-gaze", type=click.FloatRange(min=0), default=1.0, show_default=True)
@click.option("--effect-text", type=click.FloatRange(min=0), default=1.0, show_default=True)
@click.option("--effect-sample", type=click.FloatRange(min=0), default=1.0, show_default=True)
@click.option("--crossmod", type=PATH, help="Also write it as the crossmod archives have it.")
@overwrite_option
@json_option
def simulate(
    study: str | Path,
    effect_survey: float,
    effect_gaze: float,
    effect_text: float,
    effect_sample: float,
    crossmod: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Make STUDY from a generative model whose truth is known.

    Effects say how strongly traits shape the survey, the gaze and the text, and how strongly
    what a gaze met shapes what its text mentions; with all at 0 nothing personal can be found.
    """
    from beholder.progress import shown
    from beholder.study import Study
    from beholder.study.simulation import Effects, write_crossmod
    from beholder.study.simulation import simulate as simulate_study

    effects = Effects(effect_survey, effect_gaze, effect_text, effect_sample)
    overwrite = options["overwrite"]
    if crossmod is not None and crossmod.exists() and not overwrite:
        raise ConfigurationError(f"{crossmod} exists already; pass --overwrite to replace it")
    with written(study, "study", overwrite=overwrite, progress=shown) as folder:
        report = asdict(simulate_study(folder, effects=effects, progress=shown, **options))
        if crossmod is not None:
            write_crossmod(Study.open(folder), crossmod, overwrite=overwrite, progress=shown)
    where = without_secrets(study)
    print_result(report, as_json, lambda console: console.print_read(report, where))
