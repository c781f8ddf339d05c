"""What the commands share: their common options, how they print and how they stop."""

import json
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from beholder.remote import is_remote, without_secrets

if TYPE_CHECKING:
    from beholder.model import Hyperparameters
    from beholder.work import Workers

USERS_MISTAKE, OUR_FAULT, INTERRUPTED = 2, 1, 130

DATASETS = ("ads", "coco")
PLACES = ("local", "ray")
SPLITS = ("random", "image", "participant", "both")


class _Path(click.Path):
    """A path on this machine, or where ``takes_urls`` also the address of a remote folder."""

    def __init__(self, *, takes_urls: bool) -> None:
        super().__init__(path_type=Path)
        self._takes_urls = takes_urls

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        if not is_remote(value):
            return super().convert(value, param, ctx)
        if not self._takes_urls:
            self.fail(f"{without_secrets(str(value))} is no path on this machine", param, ctx)
        return value


PATH = _Path(takes_urls=False)
PLACE = _Path(takes_urls=True)
"""Where a study or a run lies: a folder, or a URL such as s3://bucket/study."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace what is there.")
set_option = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A hyperparameter, such as objective=hinge-sum or epochs=40; may be repeated.",
)


def _whole_path(_context: click.Context, _option: click.Parameter, model: str) -> str:
    """Return a folder's whole path, which a run may record, or a name as it is."""
    return str(Path(model).resolve()) if model and Path(model).is_dir() else model


def encoder_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that name pretrained encoders; empty is none."""
    for option in (
        click.option(
            "--image-encoder",
            default="",
            metavar="NAME|FOLDER",
            callback=_whole_path,
            help="A CLIP, SigLIP or DINO model in place of colours and edges.",
        ),
        click.option(
            "--text-encoder",
            default="",
            metavar="NAME|FOLDER",
            callback=_whole_path,
            help="A sentence-transformers model beside the words (docs/encoders.md).",
        ),
    ):
        command = option(command)
    return command


def work_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say who does a command's work: see `chosen_workers`."""
    for option in (
        click.option("--processes", type=click.IntRange(min=1), help="By default one a processor."),
        click.option("--address", metavar="HOST:PORT", help="A Ray cluster's; RAY_ADDRESS if set."),
        click.option(
            "--on",
            type=click.Choice(PLACES),
            default="local",
            show_default=True,
            help="Processes here, or a Ray cluster: one at --address, else begun here.",
        ),
    ):
        command = option(command)
    return command


def chosen_workers(
    on: str, address: str | None, processes: int | None
) -> AbstractContextManager["Workers"]:
    """Return a block with the workers that were asked for; what was begun for it ends with it."""
    from beholder.work import Processes, cluster

    if on == "ray":
        return cluster(address, processes)
    if address is not None:
        raise click.UsageError("--address is of a Ray cluster: it goes with --on ray")
    return nullcontext(Processes(processes))


def print_result(result: dict[str, Any], as_json: bool, to_people: Callable[[Any], None]) -> None:
    """Print one JSON object, or let ``to_people`` print with the console's functions."""
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
        return
    from beholder import console

    to_people(console)


def stop(sentence: str, status: int) -> NoReturn:
    """End the command with a sentence on standard error and an exit status."""
    click.echo(f"beholder: {sentence}", err=True)
    sys.exit(status)


def with_settings(defaults: "Hyperparameters", settings: Sequence[str]) -> "Hyperparameters":
    """Return hyperparameters with every NAME=VALUE put in."""
    kinds = {name: type(default) for name, default in vars(defaults).items()}
    values: dict[str, Any] = {}
    for setting in settings:
        name, equals, value = setting.partition("=")
        if not equals or name not in kinds:
            raise click.BadParameter(
                f"{setting!r} is not NAME=VALUE with one of {', '.join(kinds)}",
                param_hint="--set",
            )
        try:
            values[name] = kinds[name](value)
        except ValueError as error:
            raise click.BadParameter(
                f"{name} is of kind {kinds[name].__name__}, not {value!r}", param_hint="--set"
            ) from error
    return replace(defaults, **values)


def names_in(listed: str) -> tuple[str, ...]:
    """Return the names of a list such as base,ours."""
    return tuple(filter(None, map(str.strip, listed.split(","))))


def answers_in(listed: str, option: str) -> tuple[int, ...]:
    """Return the answers of a survey such as 4,4,1, given with an option."""
    try:
        return tuple(int(answer) for answer in names_in(listed))
    except ValueError as error:
        raise click.BadParameter(
            f"{listed!r} is no list of whole numbers", param_hint=option
        ) from error


def share_of(text: str) -> float:
    """Return a share as a number."""
    try:
        return float(text)
    except ValueError as error:
        raise click.BadParameter(f"{text!r} is no share", param_hint="--curve") from error


def seeds_in(listed: str) -> tuple[int, ...]:
    """Return the seeds of a list such as 0-4 or 0,3,7."""
    seeds: list[int] = []
    for part in names_in(listed):
        first, dash, last = part.partition("-")
        if not (first.isdecimal() and (last.isdecimal() if dash else True)):
            raise click.BadParameter(
                f"{part!r} is neither a seed nor a range such as 0-4", param_hint="--seeds"
            )
        seeds += range(int(first), int(last if dash else first) + 1)
    return tuple(seeds)
