"""The layout's import direction, and what importing the package costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import beholder

SOURCE = Path(beholder.__file__).parent

# What a part may import besides itself; whatever lies beside the parts is for all of them.
ALLOWED = {
    "study": set(),
    "features": {"study"},
    "model": {"study", "features"},
    "evaluation": {"study", "features", "model"},
    "serving": set(),
    "retrieval": {"study", "features", "model", "evaluation", "serving"},
    "collect": {"study", "serving"},
}
FOR_ALL = {"atomic", "caching", "errors", "extras", "progress", "remote", "work"}
COMMAND = {"cli", "commands", "console", "__main__"}


def imported_parts(file: Path) -> set[str]:
    """Return the parts of Beholder that a file imports, wherever in the file it does."""
    parts = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        parts |= {name.split(".")[1] for name in names if name.startswith("beholder.")}
    return parts - {"__version__"}


def source_files() -> list[Path]:
    return sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("file", source_files(), ids=lambda file: str(file.relative_to(SOURCE)))
def test_imports_point_one_way(file: Path) -> None:
    part = file.relative_to(SOURCE).parts[0].removesuffix(".py")
    imported = imported_parts(file)
    if part in ALLOWED:
        assert imported <= {part} | ALLOWED[part] | FOR_ALL
    elif part in FOR_ALL:
        assert imported <= FOR_ALL
    else:
        assert part in COMMAND | {"__init__"}, f"{part} has no place in the layout"


def test_every_folder_exports_names_and_nothing_else() -> None:
    for file in SOURCE.rglob("__init__.py"):
        if file == SOURCE / "__init__.py":
            continue
        for node in ast.parse(file.read_text("utf-8")).body:
            is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            is_all = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
            assert is_docstring or is_all or isinstance(node, ast.ImportFrom), file


def test_the_package_and_its_help_load_no_heavy_library() -> None:
    script = (
        "import sys, beholder, beholder.cli\n"
        "from click.testing import CliRunner\n"
        "for command in ([], *([name] for name in beholder.cli.beholder.commands)):\n"
        "    result = CliRunner().invoke(beholder.cli.beholder, [*command, '--help'])\n"
        "    assert result.exit_code == 0 and 'Usage' in result.output\n"
        "names = {'torch', 'numpy', 'pyarrow', 'matplotlib', 'scipy', 'fsspec'}\n"
        "heavy = names & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)\n"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


def test_every_public_name_is_there() -> None:
    for name in beholder.__all__:
        assert getattr(beholder, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        beholder.nothing  # noqa: B018
