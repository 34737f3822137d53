"""What was fetched when: the sha256 of every zip on first sight, against which later ones are held."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SourceError
from juntos_eval.paths import write_atomically

__all__ = ["LEDGER", "Ledger", "Record"]

#: In the raw folder.
LEDGER: Final = "fetched.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One zip: its edition, and the data files taken out of it.

    Attributes
    ----------
    url, sha256, first_seen, last_modified : str
        ``first_seen`` is the date (UTC) on which this edition was first fetched.
    size_bytes : int
    files : FrozenMapping of str to str
        Path below the raw folder -> sha256.
    earlier : tuple of str
        sha256 of editions that this one replaced, the oldest first.

    Examples
    --------
    >>> from juntos_eval.surveys.fetch.ledger import Record
    >>> made = Record(url="https://…", sha256="ab", first_seen="2026-05-19", last_modified="", size_bytes=9)
    >>> Record.from_record(made.to_record()) == made
    True
    """

    url: str
    sha256: str
    first_seen: str
    last_modified: str
    size_bytes: int
    files: Mapping[str, str] = field(default_factory=FrozenMapping)
    earlier: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "files", FrozenMapping(self.files))

    def to_record(self) -> dict[str, Any]:
        """Return it as plain values, ready for JSON."""
        record = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return record | {"files": dict(self.files), "earlier": list(self.earlier)}

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> Record:
        """Read back what ``to_record`` gave."""
        return cls(**{**record, "earlier": tuple(record["earlier"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    """All records of a raw folder.

    Attributes
    ----------
    records : FrozenMapping of str to Record
        ``survey/name of the zip`` -> record.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.fetch.ledger import Ledger
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     len(Ledger.read(Path(folder)).records)
    0
    """

    records: FrozenMapping[str, Record] = field(default_factory=FrozenMapping)

    @classmethod
    def read(cls, root: Path) -> Ledger:
        """Read the ledger of a raw folder; an empty one where there is none.

        Raises
        ------
        SourceError
            If it is damaged: then nobody knows which editions were seen.
        """
        path = root / LEDGER
        if not path.is_file():
            return cls()
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            found = {key: Record.from_record(record) for key, record in content["zips"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise SourceError(
                f"The ledger of what was fetched is damaged: {error}",
                where=str(path),
                remedy="put a sound copy back, or move it away: every zip is then seen for the first time",
            ) from error
        return cls(records=FrozenMapping(found))

    def with_record(self, key: str, record: Record) -> Ledger:
        """Return a ledger in which this record stands; a replaced edition is remembered."""
        before = self.records.get(key)
        if before is not None and before.sha256 != record.sha256:
            record = replace(record, earlier=(*before.earlier, before.sha256))
        elif before is not None:
            record = replace(record, first_seen=before.first_seen, earlier=before.earlier)
        return Ledger(records=FrozenMapping({**self.records, key: record}))

    def write(self, root: Path) -> Path:
        """Write it, whole or not at all."""
        zips = {key: record.to_record() for key, record in sorted(self.records.items())}
        text = json.dumps({"zips": zips}, indent=2, ensure_ascii=False)
        return write_atomically(root / LEDGER, text + "\n")

    def sha256_of_files(self) -> dict[str, str]:
        """Return every data file fetched, below the raw folder, and its sha256."""
        return {name: sha256 for record in self.records.values() for name, sha256 in record.files.items()}
