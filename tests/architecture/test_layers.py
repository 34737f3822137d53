"""The picture in docs/architecture.md, the contract that import-linter enforces and the folders are one."""

from __future__ import annotations

import re
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import grimp
import pytest

OPTIONAL = re.compile(r"\((\w+)\)")


@pytest.fixture(scope="module")
def contracts(repository: Path) -> list[dict[str, Any]]:
    settings = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))
    return list(settings["tool"]["importlinter"]["contracts"])


@pytest.fixture(scope="module")
def layers(contracts: list[dict[str, Any]]) -> list[str]:
    (contract,) = [contract for contract in contracts if contract["type"] == "layers"]
    assert contract["exhaustive"] is True
    assert contract["containers"] == ["juntos_eval"]
    return [str(layer) for layer in contract["layers"]]


def rooms_of(layers: list[str]) -> tuple[set[str], set[str]]:
    """The rooms that must stand, and those that may."""
    named = {room.strip() for layer in layers for room in layer.split("|")}
    optional = {found.group(1) for room in named if (found := OPTIONAL.fullmatch(room))}
    return {room for room in named if not OPTIONAL.fullmatch(room)}, optional


def test_the_documented_layers_are_the_enforced_ones(repository: Path, layers: list[str]) -> None:
    standing = []
    for layer in layers:
        rooms = [room.strip() for room in layer.split("|") if not OPTIONAL.fullmatch(room.strip())]
        if rooms:
            standing.append(" | ".join(rooms))
    page = (repository / "docs" / "architecture.md").read_text(encoding="utf-8")
    (drawn,) = re.findall(r"^cli > .*$", page, flags=re.MULTILINE)
    assert " ".join(drawn.split()) == " > ".join(standing)


def test_every_folder_and_module_has_its_place(repository: Path, layers: list[str]) -> None:
    package = repository / "juntos_eval"
    found = {path.stem for path in package.glob("*.py") if not path.stem.startswith("__")}
    found |= {path.parent.name for path in package.glob("*/__init__.py")}
    required, optional = rooms_of(layers)
    assert found - required - optional == set(), "give the new room a layer in pyproject.toml"
    assert required - found == set(), "a layer without a room"
    assert found & optional == set(), "the room stands now: take its parentheses away in pyproject.toml"


def test_each_room_is_described(repository: Path, layers: list[str]) -> None:
    page = (repository / "docs" / "architecture.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `(\w+)(?:\.py|/)` \|", page, flags=re.MULTILINE))
    assert described == rooms_of(layers)[0]


def test_methods_are_kept_from_every_room_that_knows_peru(
    repository: Path, contracts: list[dict[str, Any]]
) -> None:
    rooms = {
        room for room in ("surveys", "programme", "evidence") if (repository / "juntos_eval" / room).is_dir()
    }
    (contract,) = [contract for contract in contracts if contract["name"] == "Methods know nothing of Peru"]
    assert set(contract["forbidden_modules"]) == {f"juntos_eval.{room}" for room in rooms}


def test_folders_of_modules_are_packages(repository: Path) -> None:
    package = repository / "juntos_eval"
    folders = {path.parent for path in package.rglob("*.py")}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


def test_no_module_imports_itself_by_a_detour() -> None:
    # imports inside functions and for type checkers count: they tangle a reader as much
    graph = grimp.build_graph("juntos_eval", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert sum(map(len, imports.values())) > 20
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        pytest.fail("import cycle: " + " -> ".join(error.args[1]))
