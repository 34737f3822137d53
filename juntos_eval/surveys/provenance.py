"""Where a clean table comes from: input files, versions, and what became of the rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

import pandas as pd

from juntos_eval.arrays import FrozenMapping
from juntos_eval.surveys.read import RawTable

__all__ = ["SCHEMA_VERSION", "CleanTable", "InputFile", "Provenance", "code_version"]

#: Raised whenever a column of a clean table changes its name, type or meaning.
SCHEMA_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """A raw file that went into a clean table.

    Attributes
    ----------
    name : str
        File name, without folders: those differ between machines.
    sha256 : str
    size_bytes, rows : int
    encoding : str or None

    Examples
    --------
    >>> from juntos_eval.surveys.provenance import InputFile
    >>> InputFile(name="a.csv", sha256="…", size_bytes=10, rows=1, encoding="utf-8").rows
    1
    """

    name: str
    sha256: str
    size_bytes: int
    rows: int
    encoding: str | None

    @classmethod
    def of(cls, raw: RawTable) -> InputFile:
        """Describe a raw table's file."""
        return cls(
            name=raw.path.name,
            sha256=raw.sha256,
            size_bytes=raw.size_bytes,
            rows=len(raw.frame),
            encoding=raw.encoding,
        )


def code_version() -> str:
    """Return the version of this package, "unknown" where it is not installed.

    Examples
    --------
    >>> from juntos_eval.surveys.provenance import code_version
    >>> isinstance(code_version(), str)
    True
    """
    try:
        return version("juntos-eval")
    except PackageNotFoundError:
        return "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """What a reader must know of a clean table before using a number from it.

    Attributes
    ----------
    survey, table : str
    year : int or None
    inputs : tuple of InputFile
    rows_in, rows_out : int
        ``rows_in`` counts the rows of the table that gives the rows.
    dropped : FrozenMapping of str to int
        Reason -> rows.
    notes : FrozenMapping of str to int
        Counts that are no drops: keys padded, answers set missing, rows without a match.
    details : FrozenMapping of str to Any
        Further facts, such as the item severities of a scale.
    is_synthetic : bool
        Whether no record is real.
    code_version : str
    schema_version : int

    Examples
    --------
    >>> from juntos_eval.surveys.provenance import Provenance
    >>> made = Provenance(survey="enaho", table="members", year=2024, rows_in=3, rows_out=2)
    >>> Provenance.from_record(made.to_record()) == made
    True
    """

    survey: str
    table: str
    year: int | None
    rows_in: int
    rows_out: int
    inputs: tuple[InputFile, ...] = ()
    dropped: Mapping[str, int] = field(default_factory=FrozenMapping)
    notes: Mapping[str, int] = field(default_factory=FrozenMapping)
    details: Mapping[str, Any] = field(default_factory=FrozenMapping)
    is_synthetic: bool = False
    code_version: str = field(default_factory=code_version)
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        for name in ("dropped", "notes", "details"):
            object.__setattr__(self, name, FrozenMapping(getattr(self, name)))

    def to_record(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        record = {name: getattr(self, name) for name in self.__dataclass_fields__}
        record["inputs"] = [asdict(file) for file in self.inputs]
        return record | {name: dict(record[name]) for name in ("dropped", "notes", "details")}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Provenance:
        """Read back what ``to_record`` gave."""
        return cls(**{**record, "inputs": tuple(InputFile(**file) for file in record["inputs"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class CleanTable:
    """A validated table and where it comes from.

    Attributes
    ----------
    frame : pandas.DataFrame
    provenance : Provenance

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.provenance import CleanTable, Provenance
    >>> account = Provenance(survey="enaho", table="members", year=2024, rows_in=1, rows_out=1)
    >>> CleanTable(frame=pd.DataFrame({"age_years": [4.0]}), provenance=account).provenance.table
    'members'
    """

    frame: pd.DataFrame
    provenance: Provenance
