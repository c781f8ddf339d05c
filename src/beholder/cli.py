"""The command ``beholder``: its parts, and how a mistake or an interruption ends it."""

import errno
import os
import sys
from collections.abc import Callable
from typing import NoReturn

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

from beholder import __version__
from beholder.collect.commands import collect
from beholder.commands import comparison, enrolment, retrieval, run, serve, study
from beholder.commands.options import INTERRUPTED, USERS_MISTAKE, stop
from beholder.errors import BeholderError, ConfigurationError

_COMPLETIONS: dict[str, Callable[..., ShellComplete]] = {
    "bash": BashComplete,
    "zsh": ZshComplete,
    "fish": FishComplete,
}


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="beholder")
@click.pass_context
def beholder(context: click.Context) -> None:
    """Learn how each beholder sees: find gaze, text and personality one from another."""
    name, processes = context.invoked_subcommand, os.environ.get("WORLD_SIZE", "1")
    if "TORCHELASTIC_RUN_ID" in os.environ and processes != "1" and name != "train":
        raise ConfigurationError(
            f"{name} runs in one process, not in {processes}: of all commands only train is to be "
            "started by torchrun"
        )


@beholder.command()
@click.argument("shell", type=click.Choice(tuple(_COMPLETIONS)))
def completion(shell: str) -> None:
    """Print a script that completes commands and options in SHELL.

    For bash: eval "$(beholder completion bash)"
    """
    script = _COMPLETIONS[shell](beholder, {}, "beholder", "_BEHOLDER_COMPLETE")
    click.echo(script.source())


for command in (
    *(study.read, study.fetch, study.inspect, study.simulate),
    *(run.train, run.evaluate),
    *(comparison.compare, comparison.reproduce),
    *(retrieval.index, retrieval.search, retrieval.forget, enrolment.enrol, serve.serve),
    collect,
):
    beholder.add_command(command)


def main() -> NoReturn:
    """Run the command; a user's mistake ends with one sentence and exit status 2."""
    try:
        beholder.main(standalone_mode=False)
    except click.exceptions.Abort:
        stop("interrupted; nothing was left half-written", INTERRUPTED)
    except KeyboardInterrupt:
        stop("interrupted; nothing was left half-written", INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(USERS_MISTAKE)
    except click.ClickException as error:
        stop(f"{error.format_message()} (--help tells more)", USERS_MISTAKE)
    except BeholderError as error:
        stop(str(error), USERS_MISTAKE)
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not flush into the pipe.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        stop(_of_system(error), USERS_MISTAKE)
    sys.exit(0)


def _of_system(error: OSError) -> str:
    """Return one sentence on what the file system refused."""
    if error.errno == errno.ENOSPC:
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}the disk is full"
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename else what
