"""The commands that train a run and score it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from beholder.commands.options import (
    INTERRUPTED,
    PATH,
    PLACE,
    SPLITS,
    chosen_workers,
    encoder_options,
    json_option,
    overwrite_option,
    print_result,
    set_option,
    stop,
    with_settings,
    work_options,
)
from beholder.errors import ConfigurationError
from beholder.remote import changed, without_secrets

if TYPE_CHECKING:
    from beholder.model import Run, TrainingConfiguration
    from beholder.model.folder import RunFolder

METHODS = ("base", "content", "style", "ours", "manner", "canonical")
UNITS = ("samples", "participants")


@click.command(short_help="Learn the spaces of a method on a study.")
@click.argument("study", type=PLACE)
@click.argument("run", type=PLACE)
@click.option("--method", type=click.Choice(METHODS), default="ours", show_default=True)
@click.option("--tasks", default="g2t,t2g", show_default=True, help="Some of g2t … p2t.")
@click.option("--split", type=click.Choice(SPLITS), default="random", show_default=True)
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
@click.option("--share-of", type=click.Choice(UNITS), default="samples", show_default=True)
@encoder_options
@set_option
@work_options
@click.option(
    "--device",
    default="auto",
    show_default=True,
    metavar="NAME",
    help="Of the towers: cpu, cuda, cuda:1; auto is CUDA where it is there (docs/devices.md).",
)
@click.option("--compile", "compiled", is_flag=True, help="Compile the towers; needs a compiler.")
@click.option("--resume", is_flag=True, help="Go on with a run that was interrupted.")
@overwrite_option
@json_option
def train(
    study: str | Path,
    run: str | Path,
    settings: Sequence[str],
    on: str,
    address: str | None,
    processes: int | None,
    device: str,
    compiled: bool,
    resume: bool,
    overwrite: bool,
    as_json: bool,
    **options: Any,
) -> None:
    """Learn the spaces of METHOD on STUDY and write RUN; both are folders or URLs.

    A method is one space, or all of them together: ours; manner and canonical, which tell more
    of gaze and text (docs/methods.md).

    Objectives: contrastive, hinge-sum, hinge-hardest, sigmoid. Every hyperparameter and its
    default stands in RUN/configuration.toml. Only the study's images are described by --on and
    --processes; the spaces are learnt here, or together by processes that torchrun starts:
    docs/cluster.md.
    """
    from beholder.model import train as train_run
    from beholder.model.distributed import joined
    from beholder.model.published import run_folder
    from beholder.progress import shown
    from beholder.study import Study

    where = without_secrets(run)
    try:
        with (
            joined() as group,
            run_folder(run, say=_say, progress=shown, processes=group.size) as folder,
            chosen_workers(on, address, processes) as workers,
        ):
            configuration = _configuration(folder, settings, resume, options)
            opened = Study.open(study, shown)
            trained = train_run(
                opened,
                folder,
                configuration,
                resume=resume,
                overwrite=overwrite,
                progress=shown,
                group=group,
                workers=workers,
                device=device,
                compiled=compiled,
            )
    except KeyboardInterrupt:
        stop(f"interrupted; --resume goes on with {where}", INTERRUPTED)
    if not group.is_first:
        return
    provenance = trained.provenance
    for sentence in (*provenance.warnings, *_adding_nothing(trained)):
        _say(sentence)
    print_result(
        {"run": where, **vars(provenance)},
        as_json,
        lambda _: click.echo(
            f"{where}: {configuration.method} for {', '.join(provenance.tasks)} in "
            f"{provenance.seconds:.0f} s; see the scores with: beholder evaluate {where}"
        ),
    )


@click.command(short_help="Score a run on its test part.")
@click.argument("run", type=PLACE)
@click.option("--report", type=PATH, help="Also write an HTML report that opens offline.")
@json_option
def evaluate(run: str | Path, report: Path | None, as_json: bool) -> None:
    """Score RUN on its test part and print a table; scores are kept per query in RUN.

    Every query is ranked against the whole test gallery and ties count against the method.
    """
    from beholder.evaluation import evaluate as evaluate_run
    from beholder.model import Run
    from beholder.progress import shown

    if report is not None and (report.is_dir() or not report.parent.is_dir()):
        raise ConfigurationError(f"{report} cannot be a file: name one in a folder that exists")
    with changed(run, "run", say=_say, progress=shown) as folder:
        evaluation = evaluate_run(Run.open(folder), shown)
        result = evaluation.as_json()
        if report is not None:
            from beholder.evaluation.report import write_report

            write_report(evaluation, report)
    print_result(result, as_json, lambda console: console.print_evaluation(result))
    if report is not None and not as_json:
        click.echo(f"report: {report}")


def _adding_nothing(run: "Run") -> list[str]:
    """Return a sentence on each pair of modalities to which the run's method adds nothing."""
    method = run.configuration.method
    pairs = dict.fromkeys(task.pair for task in run.tasks)
    return [
        f"{method} is of how people look and write: {' and '.join(pair)} have ours"
        for pair in pairs
        if run.method_for(pair) != method
    ]


def _say(sentence: str) -> None:
    click.echo(f"beholder: {sentence}", err=True)


def _configuration(
    begun: "RunFolder", settings: Sequence[str], resume: bool, options: dict[str, Any]
) -> "TrainingConfiguration":
    """Return what was asked; of a run to resume, its own but for what was asked explicitly."""
    from beholder.model import Hyperparameters, TrainingConfiguration

    if not resume or begun.is_empty:
        return TrainingConfiguration(
            **options, hyperparameters=with_settings(Hyperparameters(), settings)
        )
    context = click.get_current_context()
    explicit = {
        name: value
        for name, value in options.items()
        if context.get_parameter_source(name) == ParameterSource.COMMANDLINE
    }
    own = begun.configuration()
    hyperparameters = with_settings(own.hyperparameters, settings)
    return replace(own, **explicit, hyperparameters=hyperparameters)
