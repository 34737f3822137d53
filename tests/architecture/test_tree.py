"""The checkout looks as the README says, holds no survey microdata and names no machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

TREE = {
    "README.md", "Makefile", "pyproject.toml", ".ci", "data_raw", "data_clean", "reports", "notebooks",
    "docs", "benchmarks", "tests", "juntos_eval",
}  # fmt: skip
BESIDE = {
    "CITATION.cff", "CONTRIBUTING.md", "LICENSE", "requirements.lock", "requirements-dev.lock",
    ".gitignore", ".pre-commit-config.yaml", ".git",
}  # fmt: skip
MICRODATA = {".dta", ".sav", ".parquet", ".dbf"}
MAX_FILE_BYTES = 500 * 1024
TEXT = {
    "", ".py", ".pyi", ".md", ".toml", ".cff", ".yaml", ".lock", ".html", ".css", ".js", ".json", ".csv",
    ".svg", ".tex",
}  # fmt: skip
# written in two halves, so that this file does not find itself
MACHINE = re.compile("|".join(["/wo" + "rk/", "/ho" + "me/", "/Us" + "ers/", "/ro" + "ot/", "C:" + r"\\"]))


def ignored(repository: Path) -> list[str]:
    lines = (repository / ".gitignore").read_text(encoding="utf-8").splitlines()
    return [
        line.rstrip("/") for line in lines if line and line[0] not in "#!" and "/" not in line.rstrip("/")
    ]


def kept_files(repository: Path) -> Iterator[Path]:
    """Files that a commit would hold, found without git."""
    patterns = ignored(repository)
    built = {"data_raw", "data_clean", "reports"}
    for folder in sorted(repository.iterdir()):
        if folder.name == ".git" or any(fnmatch(folder.name, pattern) for pattern in patterns):
            continue
        for path in [folder] if folder.is_file() else sorted(folder.rglob("*")):
            parts = path.relative_to(repository).parts
            if parts[0] in built and parts[1:] != ("README.md",) and parts[:2] != ("reports", "real"):
                continue
            if path.is_file() and not any(fnmatch(part, pattern) for part in parts for pattern in patterns):
                yield path


@pytest.fixture(scope="module")
def files(repository: Path) -> list[Path]:
    found = [path.relative_to(repository) for path in kept_files(repository)]
    assert len(found) > 50
    return found


def test_top_level_is_the_documented_one(repository: Path) -> None:
    patterns = ignored(repository)
    found = {
        p.name for p in repository.iterdir() if not any(fnmatch(p.name, pattern) for pattern in patterns)
    }
    assert found - BESIDE == TREE
    assert BESIDE - {".git"} <= found


@pytest.mark.parametrize("name", sorted(TREE - {"README.md", "pyproject.toml"}))
def test_readme_draws_it(repository: Path, name: str) -> None:
    readme = (repository / "README.md").read_text(encoding="utf-8")
    assert re.search(rf"(?:^|\s){re.escape(name)}(?:/\S*)?\s{{2,}}\S", readme, flags=re.MULTILINE)


def test_no_microdata_outside_golden_cases(files: list[Path]) -> None:
    assert [p for p in files if p.suffix.lower() in MICRODATA and p.parts[:2] != ("tests", "golden")] == []


def test_no_file_is_large(repository: Path, files: list[Path]) -> None:
    assert {str(p): size for p in files if (size := (repository / p).stat().st_size) > MAX_FILE_BYTES} == {}


def test_no_file_names_a_machine(repository: Path, files: list[Path]) -> None:
    named = {}
    for path in files:
        if path.suffix in TEXT:
            found = MACHINE.findall((repository / path).read_text(encoding="utf-8"))
            if found:
                named[str(path)] = found
    assert named == {}


def test_every_decision_says_context_choice_and_consequence(repository: Path) -> None:
    decisions = sorted((repository / "docs" / "decisions").glob("[0-9]*.md"))
    assert [int(path.name[:4]) for path in decisions] == list(range(1, len(decisions) + 1))
    for path in decisions:
        text = path.read_text(encoding="utf-8")
        assert all(f"**{part}.**" in text for part in ("Context", "Choice", "Consequence")), path.name
