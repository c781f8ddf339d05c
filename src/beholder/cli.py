"""The command ``beholder``: parses, calls and prints. Libraries load where they are used."""

import errno
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.core import ParameterSource
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from beholder import __version__
from beholder.errors import BeholderError, ConfigurationError

if TYPE_CHECKING:
    from beholder.model import Hyperparameters, TrainingConfiguration

USERS_MISTAKE, OUR_FAULT, INTERRUPTED = 2, 1, 130

_FORMATS = ("tables", "crossmod")
_PRESETS = ("ads", "coco", "small")
_METHODS = ("base", "content", "style", "ours")
_SPLITS = ("random", "image", "participant", "both")
_UNITS = ("samples", "participants")
_COMPLETIONS: dict[str, Callable[..., ShellComplete]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": FishComplete,
}

_PATH = click.Path(path_type=Path)
_json = click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead.")
_overwrite = click.option("--overwrite", is_flag=True, help="Replace what is there.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="beholder")
def beholder() -> None:
    """Learn how each beholder sees: find gaze, text and personality one from another."""


@beholder.command()
@click.argument("source_format", metavar="FORMAT", type=click.Choice(_FORMATS))
@click.argument("source", type=_PATH)
@click.argument("study", type=_PATH)
@click.option("--name", help="The study's name; its folder's by default.")
@click.option("--language", help="Language of the texts, as a tag such as en or nl.")
@click.option("--licence", help="Licence of the data.")
@click.option("--instrument", default="bfi-10", show_default=True, help="Name or TOML file.")
@click.option("--mapping", type=_PATH, help="TOML file that names files, columns and units.")
@click.option("--skip-bad", is_flag=True, help="Keep the good rows and list the bad ones.")
@click.option(
    "--pseudonymise/--keep-ids",
    default=None,
    help="Replace participants' ids by a keyed hash (crossmod does so by default).",
)
@click.option("--key-file", type=_PATH, help="Where the key of the pseudonyms lies.")
@_overwrite
@_json
def read(
    source_format: str,
    source: Path,
    study: Path,
    mapping: Path | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Read SOURCE, in FORMAT, and write the folder STUDY, whole or not at all.

    \b
    tables    a folder of samples, fixations and participants as CSV or Parquet, and images/
    crossmod  the Cross-Modality dataset (Ads, COCO) as its authors published it
    """
    from beholder.progress import shown
    from beholder.study.readers import ReadOptions, load_mapping
    from beholder.study.readers import read as read_study

    given = ReadOptions(**options)
    if mapping is not None:
        given = replace(given, mapping=load_mapping(mapping))
    report = asdict(read_study(source_format, source, study, given, shown))
    _print(report, as_json, lambda console: console.print_read(report, str(study)))


@beholder.command()
@click.argument("study", type=_PATH)
@click.option("--coverage", type=_PATH, help="Also write who saw which image, as CSV.")
@_json
def inspect(study: Path, coverage: Path | None, as_json: bool) -> None:
    """Say how large STUDY is, what is missing, how it was answered and what looks wrong."""
    from beholder.progress import shown
    from beholder.study import Study
    from beholder.study.inspection import coverage_csv, coverage_matrix
    from beholder.study.inspection import inspect as inspect_study

    opened = Study.open(study)
    found = inspect_study(opened, shown)
    if coverage is not None:
        from beholder import atomic

        atomic.write_text(coverage, coverage_csv(opened))
    matrix = coverage_matrix(opened)
    _print(found.as_json(), as_json, lambda console: console.print_inspection(found, matrix))


@beholder.command()
@click.argument("study", type=_PATH)
@click.option("--preset", type=click.Choice(_PRESETS), default="small", show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--participants", type=click.IntRange(min=2), help="Instead of the preset's.")
@click.option("--images", type=click.IntRange(min=2), help="Instead of the preset's.")
@click.option("--effect-survey", type=click.FloatRange(min=0), default=1.0, show_default=True)
@click.option("--effect-gaze", type=click.FloatRange(min=0), default=1.0, show_default=True)
@click.option("--effect-text", type=click.FloatRange(min=0), default=1.0, show_default=True)
@click.option("--effect-sample", type=click.FloatRange(min=0), default=1.0, show_default=True)
@click.option("--crossmod", type=_PATH, help="Also write it as the crossmod archives have it.")
@_overwrite
@_json
def simulate(
    study: Path,
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
    report = asdict(simulate_study(study, effects=effects, progress=shown, **options))
    if crossmod is not None:
        write_crossmod(Study.open(study), crossmod, overwrite=overwrite, progress=shown)
    _print(report, as_json, lambda console: console.print_read(report, str(study)))


@beholder.command()
@click.argument("study", type=_PATH)
@click.argument("run", type=_PATH)
@click.option("--method", type=click.Choice(_METHODS), default="ours", show_default=True)
@click.option("--tasks", default="g2t,t2g", show_default=True, help="Some of g2t … p2t.")
@click.option("--split", type=click.Choice(_SPLITS), default="random", show_default=True)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--joint", is_flag=True, help="One tower a modality, shared by all tasks.")
@click.option(
    "--privileged",
    default="",
    metavar="MODALITIES",
    help="Modalities, such as personality, that teach and are absent at the test.",
)
@click.option(
    "--share",
    type=click.FloatRange(min=0, max=1, min_open=True),
    default=1.0,
    help="Keep only this share of the training part.",
)
@click.option("--share-of", type=click.Choice(_UNITS), default="samples", show_default=True)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="A hyperparameter, such as objective=hinge-sum or epochs=40; may be repeated.",
)
@click.option("--resume", is_flag=True, help="Go on with a run that was interrupted.")
@_overwrite
@_json
def train(
    study: Path,
    run: Path,
    settings: Sequence[str],
    resume: bool,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Learn the spaces of METHOD on STUDY and write the folder RUN.

    Objectives: contrastive, hinge-sum, hinge-hardest, sigmoid. Every hyperparameter and its
    default stands in RUN/configuration.toml.
    """
    from beholder.model import train as train_run
    from beholder.progress import shown
    from beholder.study import Study

    configuration = _configuration(run, settings, resume, options)
    opened = Study.open(study)
    try:
        trained = train_run(
            opened, run, configuration, resume=resume, overwrite=overwrite, progress=shown
        )
    except KeyboardInterrupt:
        _stop(f"interrupted; --resume goes on with {run}", INTERRUPTED)
    provenance = trained.provenance
    for warning in provenance.warnings:
        click.echo(f"beholder: {warning}", err=True)
    _print(
        {"run": str(run), **vars(provenance)},
        as_json,
        lambda _: click.echo(
            f"{run}: {configuration.method} for {', '.join(provenance.tasks)} in "
            f"{provenance.seconds:.0f} s; see the scores with: beholder evaluate {run}"
        ),
    )


@beholder.command()
@click.argument("run", type=_PATH)
@click.option("--report", type=_PATH, help="Also write an HTML report that opens offline.")
@_json
def evaluate(run: Path, report: Path | None, as_json: bool) -> None:
    """Score RUN on its test part and print a table; scores are kept per query in RUN.

    Every query is ranked against the whole test gallery and ties count against the method.
    """
    from beholder.evaluation import evaluate as evaluate_run
    from beholder.model import Run
    from beholder.progress import shown

    if report is not None and (report.is_dir() or not report.parent.is_dir()):
        raise ConfigurationError(f"{report} cannot be a file: name one in a folder that exists")
    evaluation = evaluate_run(Run.open(run), shown)
    result = evaluation.as_json()
    if report is not None:
        from beholder.evaluation.report import write_report

        write_report(evaluation, report)
    _print(result, as_json, lambda console: console.print_evaluation(result))
    if report is not None and not as_json:
        click.echo(f"report: {report}")


@beholder.command()
@click.argument("shell", type=click.Choice(tuple(_COMPLETIONS)))
def completion(shell: str) -> None:
    """Print a script that completes commands and options in SHELL.

    For bash: eval "$(beholder completion bash)"
    """
    script = _COMPLETIONS[shell](beholder, {}, "beholder", "_BEHOLDER_COMPLETE")
    click.echo(script.source())


def _configuration(
    run: Path, settings: Sequence[str], resume: bool, options: dict[str, Any]
) -> "TrainingConfiguration":
    """Return what was asked; of a run to resume, its own but for what was asked explicitly."""
    from beholder.model import Hyperparameters, TrainingConfiguration
    from beholder.model.folder import RunFolder

    begun = RunFolder(run)
    if not resume or begun.is_empty:
        return TrainingConfiguration(
            **options, hyperparameters=_with_settings(Hyperparameters(), settings)
        )
    context = click.get_current_context()
    explicit = {
        name: value
        for name, value in options.items()
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE
    }
    own = begun.configuration()
    hyperparameters = _with_settings(own.hyperparameters, settings)
    return replace(own, **explicit, hyperparameters=hyperparameters)


def _with_settings(defaults: "Hyperparameters", settings: Sequence[str]) -> "Hyperparameters":
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


def _print(result: dict[str, Any], as_json: bool, to_people: Callable[[Any], None]) -> None:
    """Print one JSON object, or let ``to_people`` print with the console's functions."""
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False))
        return
    from beholder import console

    to_people(console)


def main() -> NoReturn:
    """Run the command; a user's mistake ends with one sentence and exit status 2."""
    try:
        beholder.main(standalone_mode=False)
    except click.exceptions.Abort:
        _stop("interrupted; nothing was left half-written", INTERRUPTED)
    except KeyboardInterrupt:
        _stop("interrupted; nothing was left half-written", INTERRUPTED)
    except click.ClickException as error:
        _stop(f"{error.format_message()} (--help tells more)", USERS_MISTAKE)
    except BeholderError as error:
        _stop(str(error), USERS_MISTAKE)
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not flush into the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        _stop(_of_system(error), USERS_MISTAKE)
    sys.exit(0)


def _of_system(error: OSError) -> str:
    """Return one sentence on what the file system refused."""
    if error.errno == errno.ENOSPC:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}the disk is full"
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename else what


def _stop(sentence: str, status: int) -> NoReturn:
    click.echo(f"beholder: {sentence}", err=True)
    sys.exit(status)
