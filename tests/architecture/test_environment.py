"""The environment is installed when its lock files or the package change, and never left half done."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

PURPOSES = ("report", "test")


@pytest.fixture(scope="module")
def environment(repository: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("environment", repository / ".ci" / "environment.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def root(repository: Path, tmp_path: Path) -> Path:
    for name in ("pyproject.toml", "requirements.lock", "requirements-dev.lock"):
        shutil.copy(repository / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def commands(environment: ModuleType, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """The programs that would have been started; making a venv is played."""
    started: list[tuple[str, ...]] = []

    def play(*command: str | Path) -> None:
        started.append(tuple(map(str, command)))
        if "venv" in command:
            folder = Path(command[-1])
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()

    monkeypatch.setattr(environment, "run", play)
    monkeypatch.setattr(environment, "is_healthy", lambda python: python.parents[1].is_dir())
    return started


def makes_venv(commands: list[tuple[str, ...]]) -> bool:
    return any("venv" in command for command in commands)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_second_call_does_nothing(
    environment: ModuleType, root: Path, commands: list[tuple[str, ...]], purpose: str
) -> None:
    assert environment.prepare(root, purpose) is None
    assert makes_venv(commands)
    commands.clear()
    assert environment.prepare(root, purpose) is None
    assert commands == []


def test_what_tests_need_holds_what_the_report_needs(
    environment: ModuleType, root: Path, commands: list[tuple[str, ...]]
) -> None:
    environment.prepare(root, "test")
    commands.clear()
    environment.prepare(root, "report")
    assert commands == []


def test_tests_need_more_than_the_report(
    environment: ModuleType, root: Path, commands: list[tuple[str, ...]]
) -> None:
    environment.prepare(root, "report")
    commands.clear()
    environment.prepare(root, "test")
    assert any("requirements-dev.lock" in argument for command in commands for argument in command)
    assert not makes_venv(commands)


def _pin_changes(root: Path) -> None:
    with (root / "requirements.lock").open("a", encoding="utf-8") as lock:
        lock.write("# another pin\n")


def _entry_point_changes(root: Path) -> None:
    path = root / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    assert "juntos_eval.cli:app" in text
    path.write_text(text.replace("juntos_eval.cli:app", "juntos_eval.cli:main"), encoding="utf-8")


@pytest.mark.parametrize("change", [_pin_changes, _entry_point_changes])
def test_a_change_installs_again(
    environment: ModuleType, root: Path, commands: list[tuple[str, ...]], change: Callable[[Path], None]
) -> None:
    environment.prepare(root, "report")
    commands.clear()
    change(root)
    environment.prepare(root, "report")
    assert commands
    assert not makes_venv(commands)


def test_a_tool_s_setting_installs_nothing(
    environment: ModuleType, root: Path, commands: list[tuple[str, ...]]
) -> None:
    environment.prepare(root, "report")
    commands.clear()
    path = root / "pyproject.toml"
    path.write_text(path.read_text(encoding="utf-8") + "\n[tool.another]\nx = 1\n", encoding="utf-8")
    environment.prepare(root, "report")
    assert commands == []


def test_an_interrupted_installation_is_made_anew(
    environment: ModuleType, root: Path, commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    play = environment.run

    def fail(*command: str | Path) -> None:
        if "--require-hashes" in command:
            raise subprocess.CalledProcessError(1, "pip")
        play(*command)

    with monkeypatch.context() as patch:
        patch.setattr(environment, "run", fail)
        message = environment.prepare(root, "report")
    assert "give the same command again" in message
    assert not environment.is_ready(root, "report")
    commands.clear()
    assert environment.prepare(root, "report") is None
    assert makes_venv(commands)
    assert environment.is_ready(root, "report")


def test_installation_checks_hashes_and_builds_nothing(
    environment: ModuleType, root: Path, commands: list[tuple[str, ...]]
) -> None:
    environment.prepare(root, "report")
    _, locked, package = commands
    assert {"--require-hashes", "--no-deps"} <= set(locked)
    assert locked[locked.index("--only-binary") + 1] == ":all:"
    assert {"--no-deps", "--no-build-isolation"} <= set(package)


def test_missing_venv_module_is_explained(
    environment: ModuleType, root: Path, commands: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "find_spec", lambda name: None if name == "ensurepip" else object())
    assert "apt-get install python3-venv" in environment.prepare(root, "report")
    assert commands == []


def test_only_a_working_interpreter_is_healthy(environment: ModuleType, tmp_path: Path) -> None:
    assert not environment.is_healthy(tmp_path / "bin" / "python")
    assert environment.is_healthy(Path(sys.executable))
