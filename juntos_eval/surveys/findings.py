"""What an examination of files says: findings, their weight, and an exit code."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from juntos_eval.errors import JuntosError

__all__ = ["Diagnosis", "Finding", "Kind"]

Kind = Literal["missing", "interrupted", "stale", "reissued", "truncated", "corrupted", "web page", "foreign"]

#: Kinds that make no number wrong: something is absent or older than what it was made from.
_WARNINGS = frozenset({"missing", "interrupted", "stale", "reissued"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes
    ----------
    kind : str
        ``missing interrupted stale reissued`` (warnings), ``truncated corrupted``, ``web page``, ``foreign``
        (another year, module or edition).
    path : str
        Below the folder examined.
    what, remedy : str

    Examples
    --------
    >>> from juntos_eval.surveys.findings import Finding
    >>> Finding(kind="missing", path="geo/ubigeo_distrito.csv", what="no file", remedy="fetch it").is_error
    False
    """

    kind: Kind
    path: str
    what: str
    remedy: str

    @property
    def is_error(self) -> bool:
        """Whether using the file could give a wrong number."""
        return self.kind not in _WARNINGS

    @classmethod
    def of(cls, error: JuntosError, path: str) -> Finding:
        """Say of which kind an error of reading is."""
        return cls(kind=_kind(error.what), path=path, what=error.what, remedy=error.remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """All findings of an examination.

    Attributes
    ----------
    findings : tuple of Finding
        Errors first.
    raw_files, clean_tables : int
        How many were looked at.

    Examples
    --------
    >>> from juntos_eval.surveys.findings import Diagnosis
    >>> Diagnosis.of([], raw_files=3, clean_tables=1).exit_code
    0
    """

    findings: tuple[Finding, ...]
    raw_files: int
    clean_tables: int

    @classmethod
    def of(cls, findings: Iterable[Finding], *, raw_files: int, clean_tables: int) -> Diagnosis:
        """Order the findings."""
        ordered = sorted(findings, key=lambda found: (not found.is_error, found.kind, found.path))
        return cls(findings=tuple(ordered), raw_files=raw_files, clean_tables=clean_tables)

    @property
    def exit_code(self) -> int:
        """0: sound; 1: something is absent or stale; 2: a file would give wrong numbers."""
        if any(found.is_error for found in self.findings):
            return 2
        return 1 if self.findings else 0

    def to_record(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        return {
            "exit_code": self.exit_code,
            "raw_files": self.raw_files,
            "clean_tables": self.clean_tables,
            "findings": [
                {"kind": found.kind, "path": found.path, "what": found.what, "remedy": found.remedy}
                for found in self.findings
            ],
        }


def below(path: Path, folder: Path) -> str:
    """Return a path as one below a folder, itself where it lies elsewhere."""
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()


def _kind(what: str) -> Kind:
    if "web page" in what:
        return "web page"
    if "half-copied" in what or "is empty" in what or "no rows" in what:
        return "truncated"
    return "missing" if "is missing" in what or "does not exist" in what else "corrupted"
