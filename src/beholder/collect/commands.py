"""The command ``beholder collect``: parses, calls, prints. Libraries load where they are used."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from beholder.collect.researcher_commands import COMMANDS
from beholder.errors import ConfigurationError
from beholder.extras import needs

if TYPE_CHECKING:
    from beholder.collect.application import Application
    from beholder.collect.definition import Definition

_PATH = click.Path(path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")


@click.group(short_help="Gather a study on the web: clicks, captions, surveys.")
def collect() -> None:
    """Gather a study on the web: clicks on blurred images, captions and a survey."""


for command in COMMANDS:
    collect.add_command(command)


@collect.command(short_help="Write a commented example of a definition.")
@click.argument("folder", type=_PATH)
@_json
def init(folder: Path, as_json: bool) -> None:
    """Write an example into FOLDER: a commented definition that runs, and its images."""
    with needs("collect"):
        from beholder.collect.example import write_example

        definition = write_example(folder)
    if as_json:
        click.echo(json.dumps({"definition": str(definition)}))
    else:
        click.echo(f"{definition}: see it with: beholder collect serve {definition}")


@collect.command(short_help="Check a definition and every image it names.")
@click.argument("definition", type=_PATH)
@_json
def check(definition: Path, as_json: bool) -> None:
    """Check DEFINITION and every image it names; a fault ends with a sentence that names it."""
    with needs("collect"):
        from beholder.collect.loading import load_definition
        from beholder.collect.summary import summary_of
        from beholder.progress import shown

        found = summary_of(load_definition(definition), shown)
    if as_json:
        click.echo(json.dumps(found.as_json(), ensure_ascii=False))
    else:
        click.echo(f"{definition}: {found}")


@dataclass(frozen=True)
class Places:
    """Where a running study keeps what; all follow from the definition's file unless said."""

    data: Path
    database: str
    token_file: Path
    key_file: Path


@collect.command(short_help="Serve a study until Ctrl-C.")
@click.argument("definition", type=_PATH)
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True)
@click.option("--database", help="URL of SQLite or PostgreSQL; DATA/collect.sqlite by default.")
@click.option(
    "--data", type=_PATH, help="Folder for what is made; by default collect-data/ beside."
)
@click.option("--token-file", type=_PATH, help="The researcher's token; DATA/researcher.token.")
@click.option("--key-file", type=_PATH, help="Where the key of the pseudonyms lies.")
@click.option("--pilot", is_flag=True, help="Mark all that is gathered as a pilot's.")
@click.option("--root-path", default="", help="Prefix under which a proxy shows the server.")
@click.option("--forwarded-allow-ips", default="", help="Proxies to believe, or *.")
@_json
def serve(
    definition: Path,
    host: str,
    port: int,
    database: str | None,
    data: Path | None,
    token_file: Path | None,
    key_file: Path | None,
    pilot: bool,
    root_path: str,
    forwarded_allow_ips: str,
    as_json: bool,
) -> None:
    """Serve the study of DEFINITION until Ctrl-C.

    Everything acknowledged is on the disk: the server may be killed and started again.
    Behind a proxy that ends TLS, name it with --forwarded-allow-ips.
    """
    with needs("collect"):
        from beholder.collect.loading import load_definition
        from beholder.collect.server import LOG, create_app
        from beholder.serving import configure_logs, run

        loaded = load_definition(definition)
        places = _places(definition, data, database, token_file, key_file)
        prefix = "/" + root_path.strip("/") if root_path.strip("/") else ""
        application = _application(loaded, places, pilot=pilot, root_path=prefix)

        def ready(url: str) -> None:
            stated = {"url": url, "pilot": pilot, "token_file": str(places.token_file)}
            click.echo(json.dumps(stated) if as_json else f"ready on {url}")

        configure_logs(LOG)
        try:
            run(
                create_app(application),
                host,
                port,
                ready=ready,
                root_path=prefix,
                forwarded_allow_ips=forwarded_allow_ips,
            )
        finally:
            application.store.close()


def _places(
    definition: Path,
    data: Path | None,
    database: str | None,
    token_file: Path | None,
    key_file: Path | None,
) -> Places:
    from beholder.study.pseudonyms import default_key_file

    data = (data or definition.parent / "collect-data").resolve()
    key_file = (key_file or default_key_file()).resolve()
    if key_file.is_relative_to(data):
        raise ConfigurationError(
            f"the pseudonym key {key_file} would lie with the data: whoever had the one "
            "would have the other"
        )
    return Places(
        data,
        database or f"sqlite:///{data / 'collect.sqlite'}",
        token_file or data / "researcher.token",
        key_file,
    )


def _application(
    definition: "Definition", places: Places, *, pilot: bool, root_path: str
) -> "Application":
    from beholder.collect.application import Application, Settings
    from beholder.collect.images import ImageCache
    from beholder.collect.store import open_store
    from beholder.progress import shown
    from beholder.serving import load_or_create_token
    from beholder.study.pseudonyms import load_or_create_key

    places.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    images = ImageCache(definition, places.data / "images", shown)
    token = load_or_create_token(places.token_file)
    settings = Settings(token, pilot, root_path, places.data)
    pseudonymiser = load_or_create_key(places.key_file)
    store = open_store(places.database, definition)
    return Application(definition, store, images, pseudonymiser, settings)
