"""What a raw file says of its own columns: labels of variables and values, and codes declared missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from juntos_eval.arrays import FrozenMapping

__all__ = ["NO_LABELS", "MissingMarks", "RawLabels"]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingMarks:
    """Rows of a Stata column that hold ``.a`` to ``.z`` and not the plain ``.``.

    Attributes
    ----------
    rows : tuple of int
        Positions in the file, from 0.
    letters : str
        One letter a row.

    Examples
    --------
    >>> from juntos_eval.surveys.read_labels import MissingMarks
    >>> MissingMarks(rows=(0, 7, 9), letters="aba").counts()
    {'.a': 2, '.b': 1}
    """

    rows: tuple[int, ...]
    letters: str

    def counts(self) -> dict[str, int]:
        """Return the rows of each mark."""
        return {f".{letter}": self.letters.count(letter) for letter in sorted(set(self.letters))}


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLabels:
    """Labels as the file holds them.

    Attributes
    ----------
    variables : FrozenMapping of str to str
        Column -> label, for the columns that have one.
    values : FrozenMapping of str to FrozenMapping
        Column -> code -> label.
    missing : FrozenMapping of str to tuple of (low, high)
        SPSS: ranges of codes that the file declares missing. The frame keeps the codes as they are.
    marks : FrozenMapping of str to MissingMarks
        Stata: where a column holds ``.a`` to ``.z``. The frame has NaN there.

    Examples
    --------
    >>> from juntos_eval.surveys.read_labels import RawLabels
    >>> labels = RawLabels.of(variables={"p710_04": "Juntos"}, values={"p710_04": {1: "sí", 0: "no"}})
    >>> labels.values["p710_04"][1], labels.slot("juntos")
    ('sí', ('p710_04',))
    """

    variables: FrozenMapping[str, str] = field(default_factory=FrozenMapping)
    values: FrozenMapping[str, FrozenMapping[Any, str]] = field(default_factory=FrozenMapping)
    missing: FrozenMapping[str, tuple[tuple[Any, Any], ...]] = field(default_factory=FrozenMapping)
    marks: FrozenMapping[str, MissingMarks] = field(default_factory=FrozenMapping)

    @classmethod
    def of(
        cls,
        *,
        variables: Mapping[str, str | None] | None = None,
        values: Mapping[str, Mapping[Any, str]] | None = None,
        missing: Mapping[str, tuple[tuple[Any, Any], ...]] | None = None,
        marks: Mapping[str, MissingMarks] | None = None,
    ) -> RawLabels:
        """Freeze plain mappings; empty labels are left out."""
        return cls(
            variables=FrozenMapping({name: label for name, label in (variables or {}).items() if label}),
            values=FrozenMapping({name: FrozenMapping(of) for name, of in (values or {}).items()}),
            missing=FrozenMapping(missing or {}),
            marks=FrozenMapping(marks or {}),
        )

    def slot(self, text: str) -> tuple[str, ...]:
        """Return the columns whose label, or one of whose value labels, holds a text; case does not count.

        INEI moves a programme from one slot of an item to another between years; the label says where it is.
        """
        wanted = text.casefold()
        named = [name for name, label in self.variables.items() if wanted in label.casefold()]
        by_value = [
            name
            for name, codes in self.values.items()
            if name not in named and any(wanted in label.casefold() for label in codes.values())
        ]
        return (*named, *by_value)


#: Of files that have none: delimited text, dBase, Parquet.
NO_LABELS = RawLabels()
