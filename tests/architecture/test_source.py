"""Files and functions small enough to read at one sitting, with names that say what they hold."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "juntos_eval"
MODULES = sorted(PACKAGE.rglob("*.py"))
MAX_MODULE_LINES = 500
MAX_FUNCTION_LINES = 90  # docstring counted
# names under which anything can be put
VAGUE = {"base", "common", "core", "helper", "helpers", "manager", "managers", "misc", "util", "utils"}

each_module = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def definitions(path: Path) -> Iterator[Definition]:
    return (node for node in ast.walk(tree_of(path)) if isinstance(node, Definition))


def words(name: str) -> set[str]:
    """The words of snake_case and CamelCase names."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


@each_module
def test_module_is_short(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) < MAX_MODULE_LINES


@each_module
def test_functions_are_short(path: Path) -> None:
    long = {
        node.name: node.end_lineno - node.lineno + 1
        for node in definitions(path)
        if not isinstance(node, ast.ClassDef) and node.end_lineno
    }
    assert {name: lines for name, lines in long.items() if lines >= MAX_FUNCTION_LINES} == {}


@each_module
def test_module_and_folder_are_named_for_what_they_hold(path: Path) -> None:
    for part in path.relative_to(PACKAGE).with_suffix("").parts:
        assert not words(part) & VAGUE


@each_module
def test_classes_and_functions_are_named_for_what_they_hold(path: Path) -> None:
    vague = [
        node.name
        for node in definitions(path)
        if (words(node.name) & VAGUE if isinstance(node, ast.ClassDef) else node.name in VAGUE)
    ]
    assert vague == []


@each_module
def test_classes_inherit_only_from_protocols_errors_and_libraries(path: Path) -> None:
    allowed = {"ABC", "Protocol", "Exception", "JuntosError", "Mapping", "NamedTuple", "TypedDict"}
    allowed |= {"StrEnum", "Enum", "Generic", "BaseModel", "DataFrameModel"}
    for node in definitions(path):
        if isinstance(node, ast.ClassDef):
            parents = {ast.unparse(parent).split("[")[0].split(".")[-1] for parent in node.bases}
            assert parents <= allowed, f"{node.name} inherits from {parents - allowed}: compose instead"


@each_module
def test_module_raises_and_asserts_nothing(path: Path) -> None:
    """An assertion is gone under ``python -O``, and is no error of ours."""
    assert [node.lineno for node in ast.walk(tree_of(path)) if isinstance(node, ast.Assert)] == []


@each_module
def test_module_has_no_state_that_functions_change(path: Path) -> None:
    changed = [
        name for node in ast.walk(tree_of(path)) if isinstance(node, ast.Global) for name in node.names
    ]
    assert changed == []


def test_the_word_splitter_knows_both_styles() -> None:
    assert words("FileManager") == {"file", "manager"}
    assert words("plot_utils") == {"plot", "utils"}
    assert words("AIPWHelper") == {"aipw", "helper"}
