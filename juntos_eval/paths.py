"""Where raw, clean and report files of a run lie, and the write that leaves nothing half-done."""

from __future__ import annotations

import errno
import os
import re
import secrets
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SourceError

__all__ = [
    "MANIFEST",
    "SYNTHETIC_RUN",
    "Expectation",
    "RawFolder",
    "RunPaths",
    "atomic_path",
    "write_atomically",
]

#: What the owner of a raw folder states about its files; optional.
MANIFEST: Final = "manifest.toml"

#: The run on embedded synthetic files.
SYNTHETIC_RUN: Final = "synthetic-data"


_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Lend a temporary path that becomes ``path`` when the block ends well, and vanishes when it does not.

    Parameters
    ----------
    path : Path
        Its folder is made if need be.

    Yields
    ------
    Path
        ``<name>.<process>.partial`` in the same folder, so that the final rename is one step of the file
        system; two processes that write one file do not share it, and the last whole one stays.

    Raises
    ------
    SourceError
        If the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import atomic_path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with atomic_path(Path(folder) / "table.txt") as partial:
    ...         _ = partial.write_text("whole")
    ...     [entry.name for entry in Path(folder).iterdir()]
    ['table.txt']
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f"{path.name}.{os.getpid()}-{secrets.token_hex(4)}.partial")
    try:
        yield partial
        with partial.open("rb+") as written:
            os.fsync(written.fileno())
        partial.replace(path)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise SourceError(
            "The disk is full", where=str(path), remedy="make room and try again: nothing was changed"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def write_atomically(path: Path, content: bytes | str) -> Path:
    r"""Write a whole file or nothing; text as UTF-8 with ``\n`` line ends.

    Parameters
    ----------
    path : Path
    content : bytes or str

    Returns
    -------
    Path
        The path written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import write_atomically
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_atomically(Path(folder) / "a" / "b.txt", "más").read_bytes()
    b'm\xc3\xa1s'
    """
    with atomic_path(path) as partial:
        partial.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
    return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a sound copy of a raw file looks like; None where nobody said.

    Attributes
    ----------
    rows : int, optional
    size_bytes : int, optional
    sha256 : str, optional

    Examples
    --------
    >>> from juntos_eval.paths import Expectation
    >>> Expectation(rows=33691).sha256 is None
    True
    """

    rows: int | None = None
    size_bytes: int | None = None
    sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RawFolder:
    """Raw survey files: a folder ``<root>/<survey>/<year>/<file>``, or a TOML that says where each lies.

    The TOML has one table a survey and year; paths are relative to the TOML::

        [enaho.2024]
        members = "somewhere/enaho01-2024-200.dta"
        [geo]
        districts = "elsewhere/ubigeo_distrito.csv"

    Such a TOML, or a ``manifest.toml`` in the folder, may also state what its owner knows of the files. That
    wins over what the package expects of INEI's issue, and ``synthetic = true`` says that no record is real::

        synthetic = true
        [files."enaho/2024/enaho01-2024-200.dta"]
        rows = 1234
        bytes = 567890
        sha256 = "…"

    Attributes
    ----------
    root : Path
    listed : FrozenMapping of str to Path
        ``survey/year/table`` (``survey/table`` where undated) -> file; empty for a folder.
    expected : FrozenMapping of Path to Expectation
        What the owner states.
    is_synthetic : bool

    Examples
    --------
    >>> import tempfile
    >>> from juntos_eval.paths import RawFolder
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     RawFolder.at(folder).is_synthetic
    False
    """

    root: Path
    listed: FrozenMapping[str, Path] = field(default_factory=FrozenMapping)
    expected: FrozenMapping[Path, Expectation] = field(default_factory=FrozenMapping)
    is_synthetic: bool = False

    @classmethod
    def at(cls, place: Path | str) -> RawFolder:
        """Open a folder or a TOML file.

        Raises
        ------
        SourceError
            Where there is neither, or the TOML cannot be read.
        """
        place = Path(place)
        if place.is_dir():
            return cls._from_folder(place)
        if place.is_file() and place.suffix == ".toml":
            return cls._from_toml(place)
        raise SourceError(
            "There is no raw data here",
            where=str(place),
            remedy="name a folder <survey>/<year>/<file>, or a .toml file that lists the files",
        )

    @classmethod
    def _from_folder(cls, root: Path) -> RawFolder:
        manifest = _load_toml(root / MANIFEST) if (root / MANIFEST).is_file() else {}
        return cls(root=root, expected=_expected(manifest, root), is_synthetic=_is_synthetic(manifest))

    @classmethod
    def _from_toml(cls, place: Path) -> RawFolder:
        content = _load_toml(place)
        tables = {key: value for key, value in content.items() if key not in {"files", "synthetic"}}
        return cls(
            root=place.parent,
            listed=FrozenMapping(
                {key: place.parent / name for key, name in _flatten(tables, where=str(place))}
            ),
            expected=_expected(content, place.parent),
            is_synthetic=_is_synthetic(content),
        )

    def find(self, *, survey: str, year: int | None, table: str, names: tuple[str, ...]) -> Path | None:
        """Return the file of a table, or None where it is absent.

        Parameters
        ----------
        survey : str
        year : int or None
            None for tables without a date.
        table : str
            The canonical name under which a TOML lists the file.
        names : tuple of str
            File names, the preferred first; upper and lower case are one.

        Raises
        ------
        SourceError
            If a listed file does not exist, or two files differ in nothing but upper and lower case.
        """
        if self.listed:
            return self._find_listed(survey, year, table)
        folder = self.root / survey / str(year) if year is not None else self.root / survey
        present = sorted(folder.iterdir()) if folder.is_dir() else []
        for name in names:
            found = [path for path in present if path.name.lower() == name.lower()]
            if len(found) > 1:
                raise SourceError(
                    f"{len(found)} files are named {name} but for upper and lower case",
                    where=str(folder),
                    remedy="leave one of them",
                )
            if found:
                return found[0]
        return None

    def _find_listed(self, survey: str, year: int | None, table: str) -> Path | None:
        key = f"{survey}/{year}/{table}" if year is not None else f"{survey}/{table}"
        path = self.listed.get(key)
        if path is not None and not path.is_file():
            raise SourceError(
                f"The file listed for {key} does not exist",
                where=str(path),
                remedy="correct its path in the TOML file, or fetch it",
            )
        return path


@dataclass(frozen=True, slots=True, kw_only=True)
class RunPaths:
    """Where a run writes: ``<root>/data_clean/<run>`` and ``<root>/reports/<run>``.

    Attributes
    ----------
    root : Path
        The project's folder.
    run : str
        ``real`` or ``synthetic-data``: lower-case letters, digits and hyphens.

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RunPaths
    >>> run = RunPaths(root=Path("."), run="synthetic-data")
    >>> run.clean_table("enaho", "members", 2024).as_posix()
    'data_clean/synthetic-data/enaho/members_2024.parquet'
    >>> run.report_file("tables", "balance.csv").as_posix()
    'reports/synthetic-data/tables/synthetic-data-balance.csv'
    """

    root: Path
    run: str

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", self.run):
            raise SourceError(
                f"{self.run!r} cannot name a run",
                remedy="use lower-case letters, digits and hyphens",
            )

    @property
    def is_synthetic(self) -> bool:
        """Whether file names of this run must say that its data is synthetic."""
        return self.run == SYNTHETIC_RUN

    @property
    def data_clean(self) -> Path:
        """Folder of the clean tables."""
        return self.root / "data_clean" / self.run

    @property
    def reports(self) -> Path:
        """Folder of records, tables and figures."""
        return self.root / "reports" / self.run

    @property
    def index(self) -> Path:
        """The report itself, one for all runs."""
        return self.root / "reports" / "index.html"

    def clean_table(self, survey: str, table: str, year: int | None = None) -> Path:
        """Return the Parquet file of a clean table."""
        name = table if year is None else f"{table}_{year}"
        return self.data_clean / survey / f"{name}.parquet"

    def report_file(self, kind: str, name: str) -> Path:
        """Return a file below ``reports/<run>/<kind>``, prefixed in the synthetic run."""
        prefix = f"{SYNTHETIC_RUN}-" if self.is_synthetic else ""
        return self.reports / kind / f"{prefix}{name}"


def _load_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SourceError(
            f"This TOML cannot be read: {error}",
            where=str(path),
            remedy="see the layout in data_raw/README.md",
        ) from error


def _is_synthetic(content: Mapping[str, Any]) -> bool:
    return bool(content.get("synthetic", False))


def _expected(content: Mapping[str, Any], root: Path) -> FrozenMapping[Path, Expectation]:
    return FrozenMapping(
        {
            root / name: Expectation(
                rows=facts.get("rows"), size_bytes=facts.get("bytes"), sha256=facts.get("sha256")
            )
            for name, facts in content.get("files", {}).items()
        }
    )


def _flatten(content: Mapping[str, Any], *, where: str, above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in content.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, where=where, above=f"{above}{key}/")
        elif isinstance(value, str):
            yield f"{above}{key}", value
        else:
            raise SourceError(
                f"{above}{key} is not a file name",
                where=where,
                remedy='write [survey.year] and below it table = "path"',
            )
