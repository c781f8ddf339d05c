"""The researcher's commands of ``beholder collect``: simulate, signals, export and withdraw.

Libraries load where they are used; ``commands.py`` attaches each of `COMMANDS`.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from beholder.errors import ConfigurationError, StudyError
from beholder.extras import needs

if TYPE_CHECKING:
    from beholder.collect.definition import Definition
    from beholder.collect.store import Store

_PATH = click.Path(path_type=Path)
_SHARE = click.FloatRange(0, 1)
_database = click.option("--database", help="URL; the one that serve uses by default.")
_data = click.option("--data", type=_PATH, help="The data folder; collect-data/ by default.")
_pilot = click.option("--pilot", is_flag=True, help="Of the pilot instead of the study.")
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")


@click.command(short_help="Let simulated people take part in a running study.")
@click.argument("target", metavar="URL|DEFINITION")
@click.option("--url", help="Where the server of DEFINITION runs, if not at its usual place.")
@click.option("--participants", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--concurrency", type=click.IntRange(min=1), help="At a time; all by default.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--speed",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    help="How much faster than people; 1 pauses as they do, 0 not at all.",
)
@click.option(
    "--platform",
    type=click.Choice(("link", "prolific", "mturk")),
    default="link",
    show_default=True,
)
@click.option("--careless", type=_SHARE, default=0.0, show_default=True, help="Share of people.")
@click.option("--abandon", type=_SHARE, default=0.05, show_default=True, help="Share of people.")
@click.option("--leave", type=_SHARE, default=0.02, show_default=True, help="Share of people.")
@click.option("--refuse", type=_SHARE, default=0.0, show_default=True, help="Share of people.")
@click.option("--reload", type=_SHARE, default=0.03, show_default=True, help="Share of trials.")
@click.option(
    "--double-send", type=_SHARE, default=0.05, show_default=True, help="Share of trials."
)
@click.option("--truth", type=_PATH, help="Write all that was sent and acknowledged, JSON lines.")
@click.option("--patience", type=click.FloatRange(min=1), default=300.0, help="Seconds.")
@_json
def simulate(
    target: str,
    url: str | None,
    participants: int,
    concurrency: int | None,
    seed: int,
    speed: float,
    platform: Any,
    truth: Path | None,
    patience: float,
    as_json: bool,
    **rates: float,
) -> None:
    """Let simulated people take part in a running study, as a browser would.

    Name its URL or its DEFINITION. With the definition they recognise its images, click what
    the validation images show, and look at the objects of scenes that are known; without,
    they imagine a scene for every image, the same for all of them.
    """
    with needs("collect"):
        from beholder.collect.loading import load_definition
        from beholder.collect.simulation import (
            Patience,
            Rates,
            Scenery,
            Truth,
            World,
            simulate_crowd,
        )
        from beholder.progress import shown

        by_url = target.startswith(("http://", "https://"))
        if by_url and url is not None:
            raise ConfigurationError("--url goes with a DEFINITION; the address is given already")
        scenery = Scenery(None if by_url else load_definition(Path(target)))
        address = target if by_url else url or "http://127.0.0.1:8000/"
        with Truth(truth) as written:
            world = World(scenery, written, Rates(**rates), platform, speed)
            report = simulate_crowd(
                address,
                world,
                participants=participants,
                concurrency=concurrency or participants,
                seed=seed,
                patience=Patience(give_up_s=patience),
                progress=shown,
            )
    if as_json:
        click.echo(json.dumps(report.as_json()))
        return
    outcomes = ", ".join(f"{count} {what}" for what, count in sorted(report.outcomes.items()))
    click.echo(f"{report.participants} participants in {report.seconds:.1f} s: {outcomes}")
    click.echo(
        f"{report.saves} saves, {report.saves_a_second:g} a second; a save took "
        f"{report.save_p50_ms} ms (median), {report.save_p99_ms} ms (99th percentile); "
        f"{report.retried_saves} were tried again"
    )


@click.command(short_help="Compute every signal of quality.")
@click.argument("definition", type=_PATH)
@_database
@_data
@_pilot
@_json
def signals(
    definition: Path, database: str | None, data: Path | None, pilot: bool, as_json: bool
) -> None:
    """Compute every signal of quality of DEFINITION's participations anew and print the flags.

    A flag rejects nobody: that is a person's decision.
    """
    with needs("collect"), _opened(definition, database, data) as (store, _):
        from beholder.collect.quality import assess

        found = assess(store, pilot=pilot)
        rows = {row.session: row for row in store.participants(pilot=pilot)}
    listed: list[dict[str, Any]] = [
        {
            "session": session,
            "participant": rows[session].participant,
            "decision": rows[session].decision,
            "flags": [one.name for one in of_session if one.flagged],
            "values": {one.name: one.value for one in of_session},
        }
        for session, of_session in found.items()
    ]
    if as_json:
        click.echo(json.dumps({"sessions": listed}))
        return
    for one in listed:
        flags = ", ".join(one["flags"]) or "–"
        click.echo(f"{one['participant']}  {one['session']}  {one['decision'] or '':8}  {flags}")
    flagged = sum(bool(one["flags"]) for one in listed)
    click.echo(f"{flagged} of {len(listed)} participations have a flag")


@click.command(short_help="Write what was collected as a study.")
@click.argument("definition", type=_PATH)
@click.argument("study", type=_PATH)
@_database
@_data
@click.option("--csv", "tables", type=_PATH, help="Also write tidy CSV tables into this folder.")
@click.option("--bids", type=_PATH, help="Also write a BIDS dataset of events into this folder.")
@click.option("--only-approved", is_flag=True, help="Leave out what nobody approved.")
@click.option(
    "--include-flagged/--without-flagged",
    default=True,
    show_default=True,
    help="Whether undecided participations with a flag are exported.",
)
@click.option("--caption", help="The caption task whose texts are exported; the first one.")
@_pilot
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@_json
def export(
    definition: Path,
    study: Path,
    database: str | None,
    data: Path | None,
    tables: Path | None,
    bids: Path | None,
    overwrite: bool,
    as_json: bool,
    **choice: Any,
) -> None:
    """Write what was collected with DEFINITION as the folder STUDY, whole or not at all.

    `beholder inspect` and `beholder train` take it as it is. Exported are complete
    participations that nobody rejected; practice and validation images are left out.
    """
    with needs("collect"), _opened(definition, database, data) as (store, folder):
        from dataclasses import asdict

        from beholder.collect.export import Choice, export_bids, export_study, export_tables
        from beholder.collect.images import ImageCache
        from beholder.collect.withdrawing import EXPORTED
        from beholder.progress import shown

        images = ImageCache(store.definition, folder / "images", shown)
        chosen = Choice(**choice)
        # Noted before it is made: a withdrawal must find whatever there may be.
        paths = [str(path.resolve()) for path in (study, tables, bids) if path is not None]
        store.note("command", EXPORTED, None, paths=paths)
        options: dict[str, Any] = {"overwrite": overwrite, "progress": shown}
        report = export_study(store, images, study, chosen, **options)
        if tables is not None:
            export_tables(store, images, tables, chosen, **options)
        if bids is not None:
            export_bids(store, images, bids, chosen, **options)
    if as_json:
        click.echo(json.dumps(asdict(report)))
        return
    click.echo(
        f"{study}: {report.samples:,} samples of {report.participants:,} participants "
        f"with {report.clicks:,} clicks"
    )
    for why, count in sorted(report.left_out.items()):
        click.echo(f"  left out, {why}: {count}")


@click.command(short_help="Remove a participant from a collected study.")
@click.argument("definition", type=_PATH)
@click.argument("participant")
@_database
@_data
@click.option("--actor", default="command", show_default=True, help="Who does it, for the log.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@_json
def withdraw(
    definition: Path,
    participant: str,
    database: str | None,
    data: Path | None,
    actor: str,
    yes: bool,
    as_json: bool,
) -> None:
    """Remove PARTICIPANT (a pseudonym) from DEFINITION's study: every row and every export.

    Exports outside the data folder are listed; they are for you to remove.
    """
    with needs("collect"), _opened(definition, database, data) as (store, folder):
        from beholder.collect.export import Archives
        from beholder.collect.withdrawing import withdraw as withdraw_person

        if not yes:
            _known(store, participant)
            click.confirm(f"Remove all that {participant} gave? It cannot be undone.", abort=True)
        gone = withdraw_person(store, Archives(folder / "exports"), participant, actor)
    if as_json:
        facts = {"receipt": gone.receipt.receipt, "counts": gone.receipt.counts}
        facts |= {"removed": gone.removed_exports, "elsewhere": gone.exports_elsewhere}
        click.echo(json.dumps(facts))
        return
    rows = ", ".join(f"{count} {table}" for table, count in gone.receipt.counts.items() if count)
    click.echo(f"receipt {gone.receipt.receipt}: removed {rows}")
    for name in gone.removed_exports:
        click.echo(f"removed export {name}")
    for path in gone.exports_elsewhere:
        click.echo(f"may hold the person, please remove or export again: {path}")


COMMANDS = (simulate, signals, export, withdraw)


def _known(store: "Store", participant: str) -> None:
    """Refuse whoever is not there before it is asked whether they shall go."""
    rows = [row for pilot in (False, True) for row in store.participants(pilot=pilot)]
    if participant not in {row.participant for row in rows}:
        raise StudyError(f"there is no participant {participant!r}")


@contextmanager
def _opened(
    definition: Path, database: str | None, data: Path | None
) -> Iterator[tuple["Store", Path]]:
    """Give the store and the data folder of a definition, as serve has them."""
    from beholder.collect.loading import load_definition
    from beholder.collect.store import open_store

    loaded: Definition = load_definition(definition)
    folder = (data or definition.parent / "collect-data").resolve()
    if database is None and not (folder / "collect.sqlite").is_file():
        raise ConfigurationError(
            f"{folder} holds no collect.sqlite: name the --database or the --data folder"
        )
    store = open_store(database or f"sqlite:///{folder / 'collect.sqlite'}", loaded)
    try:
        yield store, folder
    finally:
        store.close()
