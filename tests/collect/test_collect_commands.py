"""The command `beholder collect`."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from web_study import DEFINITION, as_toml

from beholder.cli import beholder
from beholder.errors import ConfigurationError


def run(*arguments: str) -> str:
    result = CliRunner().invoke(beholder, ["collect", *arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_example_is_written_and_checked(tmp_path: Path) -> None:
    written = json.loads(run("init", str(tmp_path / "x"), "--json"))
    assert written["definition"] == str(tmp_path / "x" / "definition.toml")
    assert "8 images in 2 sets" in run("check", written["definition"])
    summary = json.loads(run("check", written["definition"], "--json"))
    assert summary["participants_wanted"] == 6
    assert summary["languages"] == ["en", "es"]


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    run("init", str(tmp_path / "x"))
    with pytest.raises(ConfigurationError, match="exists already"):
        run("init", str(tmp_path / "x"))
    definition = tmp_path / "x" / "definition.toml"
    definition.write_text(definition.read_text().replace('blur = "4%"', 'blur = "4"'))
    with pytest.raises(ConfigurationError, match=r"definition\.toml: tasks\[0\]\.blur: '4' is no"):
        run("check", str(definition))


def test_a_mistake_in_serving_is_one_sentence(study_folder: Path, tmp_path: Path) -> None:
    shutil.copytree(study_folder, tmp_path / "study")
    definition = tmp_path / "study" / "definition.toml"
    definition.write_text(as_toml(DEFINITION), "utf-8")
    data = ["--data", str(tmp_path / "data")]
    with pytest.raises(ConfigurationError, match="would lie with the data"):
        run("serve", str(definition), *data, "--key-file", str(tmp_path / "data" / "key"))
    key = ["--key-file", str(tmp_path / "key")]
    with pytest.raises(ConfigurationError, match="must be a URL"):
        run("serve", str(definition), *data, *key, "--database", "what")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with pytest.raises(ConfigurationError, match=r"cannot listen on 127\.0\.0\.1"):
            run("serve", str(definition), *data, *key, "--port", port)


@pytest.mark.parametrize("library", ["fastapi", "sqlalchemy", "pydantic", "uvicorn"])
def test_a_library_that_is_missing_is_named_with_its_extra(tmp_path: Path, library: str) -> None:
    script = (
        f"import sys; sys.modules[{library!r}] = None\n"
        "from beholder.cli import main\n"
        f"sys.argv = ['beholder', 'collect', 'serve', {str(tmp_path / 'd.toml')!r}]\n"
        "main()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 2
    assert f"{library} is missing: pip install 'beholder[collect]'" in done.stderr


def test_help_loads_no_library_of_the_extra() -> None:
    script = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from beholder.cli import beholder\n"
        "for command in ([], ['init'], ['check'], ['serve']):\n"
        "    result = CliRunner().invoke(beholder, ['collect', *command, '--help'])\n"
        "    assert result.exit_code == 0 and 'Usage' in result.output\n"
        "loaded = {'fastapi', 'sqlalchemy', 'alembic', 'pydantic', 'uvicorn'} & set(sys.modules)\n"
        "sys.exit(', '.join(loaded) or 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
