"""The commands that put a run into a store, search it, and remove a person from it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beholder.commands.options import (
    PATH,
    PLACE,
    answers_in,
    chosen_workers,
    json_option,
    overwrite_option,
    print_result,
    work_options,
)
from beholder.remote import without_secrets

if TYPE_CHECKING:
    from beholder.retrieval import Filters, Query, Searcher

store_argument = click.argument("store", type=click.Path())  # a string: it may be a URL

FINDS = ("text", "gaze", "personality", "participants", "images")


@click.command(short_help="Put a run's study into a store that is searched.")
@click.argument("run", type=PLACE)
@store_argument
@work_options
@overwrite_option
@json_option
def index(
    run: str | Path,
    store: str,
    on: str,
    address: str | None,
    processes: int | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Put every sample, participant and image of RUN's study into STORE.

    STORE is a folder, or a URL such as postgresql://user@host/database?schema=name. It holds
    all that a search needs: the run and the study may move or go.
    """
    from beholder.model import Run
    from beholder.progress import shown
    from beholder.retrieval import index as index_run

    opened = Run.open(run, shown)
    with chosen_workers(on, address, processes) as workers:
        made = index_run(opened, store, overwrite=overwrite, progress=shown, workers=workers)
    recalls = made.build_indexes(shown) if made.wants_indexes() else {}
    with made.read() as snapshot:
        counts, tasks = snapshot.counts(), snapshot.description.tasks
    listed = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    print_result(
        {
            "store": made.where,
            "run": without_secrets(run),
            "tasks": list(tasks),
            **counts,
            "approximate_recall": recalls,
        },
        as_json,
        lambda _: click.echo(f"{made.where}: {listed}"),
    )
    for side, recall in recalls.items():
        click.echo(f"beholder: the index of {side} finds {recall:.2%} of the first ten", err=True)


@click.command(short_help="Find what belongs to a gaze, a text or a survey.")
@store_argument
@click.option("--gaze", type=PATH, help="A CSV file with columns x and y, or a JSON file.")
@click.option("--image", help="What the gaze is of: a file, or an image of the store.")
@click.option("--text", help="What somebody might write.")
@click.option("--personality", metavar="ANSWERS", help="A whole survey, such as 4,4,1,…")
@click.option(
    "--weight",
    "weights",
    multiple=True,
    metavar="MODALITY=NUMBER",
    help="What a part of the query weighs, 1 by default; may be repeated.",
)
@click.option("--find", type=click.Choice(FINDS), default="text", show_default=True)
@click.option("--as", "seen_as", metavar="PARTICIPANT", help="Rank as this person would see it.")
@click.option(
    "--only",
    multiple=True,
    metavar="NAME=VALUE",
    help="Keep a participant, image, task or split part, or TRAIT=LOW:HIGH; may be repeated.",
)
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--offset", type=click.IntRange(min=0), default=0, help="Answers to leave out.")
@click.option(
    "--why",
    type=click.IntRange(min=1),
    metavar="RANK",
    help="Say which words, areas or answers made the score of the answer of this rank.",
)
@json_option
def search(
    store: str,
    gaze: Path | None,
    image: str | None,
    text: str | None,
    personality: str | None,
    weights: Sequence[str],
    find: str,
    seen_as: str | None,
    only: Sequence[str],
    top: int,
    offset: int,
    why: int | None,
    as_json: bool,
) -> None:
    """Find in STORE what belongs to a gaze, a text, a survey, or several of them together."""
    from beholder.retrieval import Query, Searcher, open_store, read_gaze

    if text is not None and not text.strip():
        raise click.BadParameter("it holds no word", param_hint="--text")
    query = Query(
        gaze=None if gaze is None else read_gaze(gaze),
        image=None if image is None else _image(image),
        text=text,
        personality=None if personality is None else answers_in(personality, "--personality"),
        weights=_weights(weights),
        find=find,
        seen_as=seen_as,
        filters=_filters(only),
        top=top,
        offset=offset,
    )
    searcher = Searcher(open_store(store))
    found = {"store": searcher.store.where, **searcher.search(query).as_json()}
    if why is not None:
        found["why"] = _why(searcher, query, why)
    print_result(found, as_json, lambda console: console.print_answers(found))


@click.command(short_help="Remove a participant from a store, and prove it.")
@store_argument
@click.argument("participant")
@json_option
def forget(store: str, participant: str, as_json: bool) -> None:
    """Remove PARTICIPANT from STORE, prove that nothing is left, and print a receipt."""
    from beholder.retrieval import forget as forget_person
    from beholder.retrieval import open_store

    receipt = forget_person(open_store(store), participant).as_json()
    print_result(receipt, as_json, lambda console: console.print_receipt(receipt))


def _why(searcher: "Searcher", query: "Query", rank: int) -> dict[str, Any]:
    from beholder.retrieval import explain

    result = searcher.search(replace(query, top=1, offset=rank - 1))
    if not result.answers:
        raise click.BadParameter(
            f"{rank} is beyond the {result.candidates:,} answers", param_hint="--why"
        )
    (answer,) = result.answers
    explanation = explain(searcher, query, answer.number)
    return {"rank": rank, "number": answer.number, **explanation.as_json()}


def _image(name: str) -> str | Path:
    """Return a file where there is one, and else the name of an image of the store."""
    return Path(name) if Path(name).is_file() else name


def _weights(settings: Sequence[str]) -> dict[str, float]:
    weights = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        try:
            weights[name] = float(value)
        except ValueError as error:
            raise click.BadParameter(
                f"{setting!r} is not such as text=2", param_hint="--weight"
            ) from error
    return weights


def _filters(only: Sequence[str]) -> "Filters":
    from beholder.retrieval import Filters

    names: dict[str, list[str]] = {"participant": [], "image": [], "task": [], "split": []}
    traits: list[Any] = []
    for setting in only:
        name, equals, value = setting.partition("=")
        if not equals:
            raise click.BadParameter(f"{setting!r} is not NAME=VALUE", param_hint="--only")
        if name in names:
            names[name].append(value)
            continue
        try:
            low, high = map(float, value.split(":"))
            traits.append((name, low, high))
        except ValueError as error:
            raise click.BadParameter(
                f"{setting!r}: a name is one of {', '.join(names)}, or a trait as in openness=3:5",
                param_hint="--only",
            ) from error
        if not low <= high:
            raise click.BadParameter(
                f"{setting!r} runs from {low:g} to {high:g}, which nobody is between",
                param_hint="--only",
            )
    return Filters(
        tuple(names["participant"]),
        tuple(names["image"]),
        tuple(names["task"]),
        tuple(names["split"]),
        tuple(traits),
    )
