"""What a fault is: how the files are damaged, what is then asked of the package, and what it must say."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from juntos_eval.errors import JuntosError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.enaho import (
    build_households,
    clean_districts,
    clean_food_security,
    clean_members,
    clean_programmes,
)
from juntos_eval.surveys.provenance import CleanTable
from tests.surveys.invented import RawSurvey, invent


@dataclass
class Scene:
    """A folder with an invented survey, to be damaged."""

    folder: Path
    survey: RawSurvey = field(default_factory=invent)

    @property
    def root(self) -> Path:
        """The raw folder."""
        return self.folder / "raw"

    def raw(self) -> RawFolder:
        """The raw folder with its manifest as it is now."""
        return RawFolder.at(self.root)

    def write(self) -> Scene:
        """Write the survey as it is now."""
        self.survey.write(self.root)
        return self

    def file(self, table: str = "members") -> Path:
        """The raw file of a table."""
        return self.survey.files[table]

    def state(self) -> dict[str, str]:
        """Every file below the folder, by content."""
        return {
            path.relative_to(self.folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and path.name != ".fetch.lock"
        }

    def members(self) -> CleanTable:
        """The clean members."""
        return clean_members(self.raw(), self.survey.year)

    def programmes(self) -> CleanTable:
        """The clean programmes."""
        return clean_programmes(self.raw(), self.survey.year)

    def households(self) -> CleanTable:
        """The analysis table."""
        raw = self.raw()
        return build_households(
            self.members(),
            self.programmes(),
            districts=clean_districts(raw),
            food_security=clean_food_security(raw, self.survey.year),
        )


@dataclass(frozen=True, kw_only=True)
class Fault:
    """Something wrong that must be refused.

    ``prepare`` damages the scene and returns what is then asked; that must raise ``error`` with ``says`` in
    its words, tell what to do, and leave every file as it was.
    """

    name: str
    prepare: Callable[[Scene], Callable[[], Any]]
    error: type[JuntosError]
    says: str
