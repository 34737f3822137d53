"""Both lock files pin, with hashes, what pyproject.toml asks for: no more, no less, from no named server."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

PIN = re.compile(
    r"^([A-Za-z0-9._-]+)==([^ ;\\]+)(?: ; ([^\\]+?))? \\\n((?:    --hash=.+\n)+)((?:    #.*\n)*)",
    re.MULTILINE,
)
DIRECT = re.compile(r"juntos-eval \((?:pyproject\.toml(?::\w+)?)\)")


class Lock:
    """The pins of a lock file, and which of them the project asks for itself."""

    def __init__(self, path: Path) -> None:
        self.text = path.read_text(encoding="utf-8")
        self.pins: dict[str, set[Version]] = {}
        self.direct: set[str] = set()
        for name, version, _, _, why in PIN.findall(self.text):
            self.pins.setdefault(canonicalize_name(name), set()).add(Version(version))
            if DIRECT.search(why):
                self.direct.add(canonicalize_name(name))


@pytest.fixture(scope="module")
def project(repository: Path) -> dict[str, Any]:
    return tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))


def asked_for(project: dict[str, Any], *, development: bool) -> list[Requirement]:
    lines = [*project["project"]["dependencies"], *project["dependency-groups"]["build"]]
    if development:
        for extra in project["project"]["optional-dependencies"].values():
            lines += extra
    return [r for line in lines if (r := Requirement(line)).name != "juntos-eval"]


@pytest.mark.parametrize(
    ("file", "development"), [("requirements.lock", False), ("requirements-dev.lock", True)]
)
def test_lock_is_what_pyproject_asks_for(
    repository: Path, project: dict[str, Any], file: str, development: bool
) -> None:
    lock = Lock(repository / file)
    requirements = asked_for(project, development=development)
    assert lock.direct == {canonicalize_name(r.name) for r in requirements}, "run `make lock`"
    for requirement in requirements:
        for version in lock.pins[canonicalize_name(requirement.name)]:
            assert version in requirement.specifier, f"{requirement} is locked at {version}: run `make lock`"


def test_both_locks_agree(repository: Path) -> None:
    runtime = Lock(repository / "requirements.lock").pins
    development = Lock(repository / "requirements-dev.lock").pins
    assert len(runtime) > 30
    assert {name: development.get(name) for name in runtime} == runtime


def test_what_builds_the_package_is_locked(repository: Path, project: dict[str, Any]) -> None:
    assert project["build-system"]["requires"] == project["dependency-groups"]["build"]
    assert "setuptools" in Lock(repository / "requirements.lock").pins


@pytest.mark.parametrize("file", ["requirements.lock", "requirements-dev.lock"])
def test_lock_names_no_server(repository: Path, file: str) -> None:
    text = (repository / file).read_text(encoding="utf-8")
    assert re.findall(r"^.*(?:index|find-links|trusted-host|://| @ ).*$", text, flags=re.MULTILINE) == []


@pytest.mark.parametrize("file", ["requirements.lock", "requirements-dev.lock"])
def test_every_pin_has_hashes(repository: Path, file: str) -> None:
    lines = (repository / file).read_text(encoding="utf-8").splitlines()
    pinned = [line for line in lines if line and line[0] not in "# "]
    assert len(PIN.findall("\n".join(lines) + "\n")) == len(pinned)
