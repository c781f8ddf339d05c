"""The command that puts a new person into a store, and takes them out again."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from beholder.commands.options import PATH, answers_in, json_option, print_result

if TYPE_CHECKING:
    from beholder.retrieval.newcomers import Newcomer


@click.command(short_help="Place a new participant in a store.")
@click.argument("store")
@click.option("--name", required=True, help="What the new participant is called in STORE.")
@click.option("--samples", type=PATH, help="A table, a file of JSON Lines, or a study's folder.")
@click.option("--survey", metavar="ANSWERS", help="Their whole survey, such as 4,4,1,…")
@click.option("--images", type=PATH, help="The folder of new images; else that of the samples.")
@click.option("--add", is_flag=True, help="Give an enrolled participant more samples.")
@click.option("--undo", is_flag=True, help="Remove an enrolled participant.")
@json_option
def enrol(
    store: str,
    name: str,
    samples: Path | None,
    survey: str | None,
    images: Path | None,
    add: bool,
    undo: bool,
    as_json: bool,
) -> None:
    """Place a new participant in STORE, a folder or a URL, from a few samples, without training.

    A table (.csv, .tsv, .parquet) has the columns image, and text or gaze or both. An image is
    one of STORE by its name or a new file; a gaze is a file as `beholder search` takes it. JSON
    Lines have the same names. Where samples name their participant, those of NAME are taken.
    """
    if undo and (samples, survey, images, add) != (None, None, None, False):
        raise click.UsageError("--undo goes with --name alone")
    if samples is None and not undo:
        raise click.UsageError("--samples says what there is of the participant")
    if samples is None:
        _undo(store, name, as_json)
    else:
        answers = None if survey is None else answers_in(survey, "--survey")
        _enrol(store, name, samples, answers, images, add, as_json)


def _enrol(
    store: str,
    name: str,
    samples: Path,
    answers: tuple[int, ...] | None,
    images: Path | None,
    add: bool,
    as_json: bool,
) -> None:
    from beholder.retrieval import open_store
    from beholder.retrieval.enrolment import enrol as enrol_person
    from beholder.retrieval.newcomers import read_newcomer

    opened = open_store(store)
    newcomer = read_newcomer(samples, name, images)
    for note in newcomer.notes:
        click.echo(f"beholder: {note}", err=True)
    if answers is None:
        with opened.read() as snapshot:
            answers = _of_study(newcomer, snapshot.description.instrument)
    placement = enrol_person(opened, newcomer.samples, name=name, answers=answers, add=add)
    if opened.wants_indexes():
        opened.build_indexes()
    result = {"store": opened.where, **placement.as_json()}
    print_result(result, as_json, lambda console: console.print_placement(result))


def _undo(store: str, name: str, as_json: bool) -> None:
    from beholder.retrieval import open_store
    from beholder.retrieval.enrolment import withdraw_enrolled

    opened = open_store(store)
    withdrawal = withdraw_enrolled(opened, name)
    if opened.wants_indexes():
        opened.build_indexes()
    samples = "1 sample" if withdrawal.samples == 1 else f"{withdrawal.samples} samples"
    images = f" and the images {', '.join(withdrawal.images)}" if withdrawal.images else ""
    print_result(
        {"store": opened.where, **withdrawal.as_json()},
        as_json,
        lambda _: click.echo(f"{opened.where}: {name} is gone, with {samples}{images}"),
    )


def _of_study(newcomer: "Newcomer", instrument: str | None) -> tuple[int, ...] | None:
    """Return the answers that a study has, if they are to the store's own survey."""
    if newcomer.answers is not None and newcomer.instrument != instrument:
        click.echo("beholder: the samples' survey is not the store's, and is not used", err=True)
        return None
    return newcomer.answers
