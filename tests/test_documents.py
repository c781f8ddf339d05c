"""The documents' commands and examples are run, so that they cannot rot."""

import json
import re
import shlex
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from beholder.cli import beholder
from beholder.collect.commands import collect
from beholder.model import Run
from beholder.study.readers import load_mapping
from beholder.study.simulation import simulate, write_crossmod
from beholder.study.study import Study

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FAST = ["--set", "hidden=16", "--set", "dimensions=8", "--set", "epochs=2", "--set", "refit=1"]


def blocks(document: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", document.read_text("utf-8"), re.DOTALL)


def commands(document: Path) -> list[list[str]]:
    """Return the words of every indented command line, without its comment."""
    lines = re.findall(r"^    beholder (.*)$", document.read_text("utf-8"), re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


def test_the_readme_works_from_top_to_bottom(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source.rename("EXPORT")
    simulate(Path("made"), participants=4, images=20)
    write_crossmod(Study.open("made"), Path("ads"))
    found = commands(ROOT / "README.md")
    assert [words[0] for words in found] == [
        *("read", "inspect", "train", "evaluate", "compare", "index", "search"),
        *("collect", "collect", "read", "simulate"),
    ]
    for words in found:
        if words[0] in ("train", "compare"):
            words += FAST
        if words[0] == "compare":
            words[words.index("0-4")] = "0"
            words += ["--splits", "random", "--methods", "chance,base,ours", "--curve", ""]
        if words[0] == "simulate":
            words += ["--participants", "4", "--images", "60"]
        result = CliRunner().invoke(beholder, words)
        assert result.exit_code == 0, (words, result.output, result.exception)
    assert Path("report.html").is_file()
    assert Path("COMPARISON/report.html").is_file()


def test_the_python_example_runs(
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    from beholder.study import read

    monkeypatch.chdir(tmp_path)
    read("tables", source, "STUDY")
    (example,) = blocks(ROOT / "README.md", "python")
    names: dict[str, object] = {}
    exec(example, names)
    assert 0 <= float(capsys.readouterr().out) <= 1
    assert getattr(names["vectors"], "shape", ())[0] == 1


def test_the_method_of_ones_own_runs(tiny_study: Study, tmp_path: Path) -> None:
    """The file and the command of the page, as its reader would use them."""
    (example,) = blocks(ROOT / "docs" / "methods.md", "python")
    file = tmp_path / "crowd.py"
    file.write_text(example)
    (words,) = commands(ROOT / "docs" / "methods.md")
    names = {"STUDY": str(tiny_study.path), "FOLDER": str(tmp_path / "out"), "crowd.py": str(file)}
    words = [names.get(word, word) for word in words]
    words += ["--seeds", "0", "--splits", "random,image", "--tasks", "g2t,t2g,g2p", "--curve", ""]
    result = CliRunner().invoke(beholder, [*words, *FAST, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    results = json.loads(result.stdout)
    crowd = {row["task"]: row for row in results["rows"] if row["method"] == "crowd"}
    assert set(crowd) == {"g2t", "t2g"}
    for row in crowd.values():
        assert row["split"] == "random"
        assert row["top3"] > 2 * row["chance_top3"]
    reasons = {(m["task"], m["split"]): m["reason"] for m in results["missing"]}
    assert "nobody described in training" in reasons["g2t", "image"]
    assert "g2p has none on one side" in reasons["g2p", "random"]


def served(words: list[str]) -> tuple[subprocess.Popen[str], str]:
    """Begin a server on a free port and return it with the address that it prints."""
    command = [sys.executable, "-m", "beholder", *words, "--port", "0"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    return server, server.stdout.readline().split()[-1]


def end(server: subprocess.Popen[str]) -> None:
    server.terminate()
    server.communicate()


def test_a_study_is_collected_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("BEHOLDER_KEY_FILE", str(tmp_path / "key"))
    server: subprocess.Popen[str] | None = None
    address = ""
    try:
        for words in commands(ROOT / "docs" / "collect.md"):
            if words[:2] == ["collect", "serve"]:
                server, address = served(words)
                continue
            if words[:2] == ["collect", "simulate"]:
                words += ["--url", address]
            result = CliRunner().invoke(beholder, words, catch_exceptions=False)
            assert result.exit_code == 0, (words, result.output)
    finally:
        if server is not None:
            end(server)
    assert Study.open("STUDY").participants.num_rows > 1
    assert list(Path("CSV").glob("*.csv"))
    assert list(Path("BIDS").rglob("*events.tsv"))


def test_the_page_on_search_works_from_top_to_bottom(
    tiny_run: Run,
    tiny_study: Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_run.path, "RUN")
    shutil.copy(tiny_study.image_path(0), "photo.jpg")
    Path("clicks.csv").write_text("x,y\n0.5,0.5\n0.2,0.3\n")
    Path("samples.csv").write_text("image,text,gaze\nphoto.jpg,a dog on a street,clicks.csv\n")
    document = ROOT / "docs" / "search.md"
    for words in commands(document):
        if words[0] == "serve":
            server, address = served(words)
            try:
                with urllib.request.urlopen(address) as page:
                    assert "Beholder" in page.read().decode()
            finally:
                end(server)
            continue
        result = CliRunner().invoke(beholder, words, catch_exceptions=False)
        assert result.exit_code == 0, (words, result.output)
    (example,) = blocks(document, "python")
    exec(example, {})
    assert len(json.loads(capsys.readouterr().out)) == 3


def test_the_page_on_storage_works_from_top_to_bottom(
    tiny_study: Study,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    document = ROOT / "docs" / "storage.md"
    bucket = f"file://{tmp_path}/bucket"
    for words in commands(document):
        words = [word.replace("s3://bucket", bucket) for word in words]
        words += ["--participants", "4", "--images", "20"] if words[0] == "simulate" else []
        words += FAST if words[0] == "train" else []
        result = CliRunner().invoke(beholder, words, catch_exceptions=False)
        assert result.exit_code == 0, (words, result.output)
    shutil.copytree(tiny_study.path, "STUDY")
    (example,) = blocks(document, "python")
    exec(example.replace("s3://bucket", bucket), {})
    assert capsys.readouterr().out.strip() == str(len(tiny_study))


def test_every_command_in_the_documents_exists() -> None:
    for document in DOCUMENTS:
        for words in re.findall(r"`beholder ([a-z]+)", document.read_text("utf-8")):
            assert words in beholder.commands, f"{document.name}: beholder {words}"
        options = set(re.findall(r"`(--[a-z-]+)", document.read_text("utf-8")))
        every = [*beholder.commands.values(), *collect.commands.values()]
        known = {o for c in every for p in c.params for o in (*p.opts, *p.secondary_opts)}
        assert options <= known | {"--help"}, document.name


def test_the_example_mapping_is_valid(tmp_path: Path) -> None:
    (example,) = blocks(ROOT / "docs" / "studies.md", "toml")
    (tmp_path / "mapping.toml").write_text(example)
    mapping = load_mapping(tmp_path / "mapping.toml")
    assert mapping.rename("fixations")["x"] == "CURRENT_FIX_X"


def test_links_between_documents_lead_somewhere() -> None:
    for document in DOCUMENTS:
        for link in re.findall(r"\]\(([^)#:]+)\)", document.read_text("utf-8")):
            assert (document.parent / link).exists(), f"{document.name} links to {link}"
