"""The commands that put a run into a store, search it, and remove a person from it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beholder.commands.options import PATH, json_option, names_in, overwrite_option, print_result

if TYPE_CHECKING:
    from beholder.retrieval import Filters

FINDS = ("text", "gaze", "personality", "participants", "images")


@click.command()
@click.argument("run", type=PATH)
@click.argument("store", type=PATH)
@overwrite_option
@json_option
def index(run: Path, store: Path, overwrite: bool, as_json: bool) -> None:
    """Put every sample, participant and image of RUN's study into the folder STORE.

    The store holds all that a search needs: the run and the study may move or go.
    """
    from beholder.model import Run
    from beholder.progress import shown
    from beholder.retrieval import index as index_run

    made = index_run(Run.open(run), store, overwrite=overwrite, progress=shown)
    recalls = made.build_indexes(shown) if made.wants_indexes() else {}
    with made.read() as snapshot:
        counts, tasks = snapshot.counts(), snapshot.description.tasks
    listed = ", ".join(f"{count:,} {what}" for what, count in counts.items())
    print_result(
        {
            "store": str(store),
            "run": str(run),
            "tasks": list(tasks),
            **counts,
            "approximate_recall": recalls,
        },
        as_json,
        lambda _: click.echo(f"{store}: {listed}"),
    )
    for side, recall in recalls.items():
        click.echo(f"beholder: the index of {side} finds {recall:.2%} of the first ten", err=True)


@click.command()
@click.argument("store", type=PATH)
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
@json_option
def search(
    store: Path,
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
    as_json: bool,
) -> None:
    """Find in STORE what belongs to a gaze, a text, a survey, or several of them together."""
    from beholder.retrieval import EmbeddedStore, Query, Searcher, read_gaze

    query = Query(
        gaze=None if gaze is None else read_gaze(gaze),
        image=None if image is None else _image(image),
        text=text,
        personality=None if personality is None else _answers(personality),
        weights=_weights(weights),
        find=find,
        seen_as=seen_as,
        filters=_filters(only),
        top=top,
        offset=offset,
    )
    result = Searcher(EmbeddedStore.open(store)).search(query)
    print_result(
        {"store": str(store), **result.as_json()},
        as_json,
        lambda console: console.print_answers(result.as_json()),
    )


@click.command()
@click.argument("store", type=PATH)
@click.argument("participant")
@json_option
def forget(store: Path, participant: str, as_json: bool) -> None:
    """Remove PARTICIPANT from STORE, prove that nothing is left, and print a receipt."""
    from beholder.retrieval import EmbeddedStore
    from beholder.retrieval import forget as forget_person

    receipt = forget_person(EmbeddedStore.open(store), participant).as_json()
    print_result(receipt, as_json, lambda console: console.print_receipt(receipt))


def _image(name: str) -> str | Path:
    """Return a file where there is one, and else the name of an image of the store."""
    return Path(name) if Path(name).is_file() else name


def _answers(listed: str) -> tuple[int, ...]:
    try:
        return tuple(int(answer) for answer in names_in(listed))
    except ValueError as error:
        raise click.BadParameter(
            f"{listed!r} is no list of whole numbers", param_hint="--personality"
        ) from error


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
            low, high = value.split(":")
            traits.append((name, float(low), float(high)))
        except ValueError as error:
            raise click.BadParameter(
                f"{setting!r}: a name is one of {', '.join(names)}, or a trait as in openness=3:5",
                param_hint="--only",
            ) from error
    return Filters(
        tuple(names["participant"]),
        tuple(names["image"]),
        tuple(names["task"]),
        tuple(names["split"]),
        tuple(traits),
    )
