"""Parquet files asked by DuckDB, which spills to disk what does not fit into memory."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from juntos_eval.engine.sql import as_array
from juntos_eval.errors import SourceError

__all__ = ["DuckDB"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DuckDB:
    """A table in Parquet files.

    Parameters
    ----------
    source : str, Path, or tuple of these
        Files, or patterns such as ``"clean/enaho/*.parquet"``.
    memory_limit : str, optional
        Such as ``"4GB"``; by default DuckDB's own, four fifths of the machine.
    threads : int, optional
    spill_folder : Path, optional
        Where it writes what does not fit; by default beside the process.

    Raises
    ------
    SourceError
        Where the package duckdb is missing, or the files cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.engine import DuckDB
    >>> import tempfile, pathlib
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = pathlib.Path(folder.name) / "rows.parquet"
    >>> pd.DataFrame({"y": [1.0, 2.0]}).to_parquet(path)
    >>> engine = DuckDB(source=path)
    >>> engine.run(f"SELECT SUM(y) AS total FROM {engine.table}")["total"].tolist()
    [3.0]
    >>> folder.cleanup()
    """

    source: str | Path | tuple[str | Path, ...]
    memory_limit: str | None = None
    threads: int | None = None
    spill_folder: Path | None = None

    @property
    def table(self) -> str:
        """What stands after FROM."""
        files = self.source if isinstance(self.source, tuple) else (self.source,)
        listed = ", ".join(_literal(str(one)) for one in files)
        return f"read_parquet([{listed}])"

    def quoted(self, name: str) -> str:
        """Return a column's name in quotes."""
        return '"' + name.replace('"', '""') + '"'

    def columns(self) -> tuple[str, ...]:
        """Names of the table's columns."""
        found = self.run(f"DESCRIBE SELECT * FROM {self.table}")  # noqa: S608 - files, as a quoted literal
        return tuple(str(name) for name in found["column_name"])

    def run(self, query: str) -> Mapping[str, NDArray[Any]]:
        """Return the columns of a query's answer."""
        try:
            import duckdb
        except ImportError as error:
            raise SourceError(
                "DuckDB is not installed",
                where="the package duckdb",
                remedy="pip install 'juntos-eval[scale]'",
            ) from error
        choices = {
            "memory_limit": self.memory_limit,
            "threads": self.threads,
            "temp_directory": None if self.spill_folder is None else str(self.spill_folder),
        }
        config: dict[str, Any] = {name: value for name, value in choices.items() if value is not None}
        try:
            with duckdb.connect(":memory:", config=config) as connection:
                answer = connection.execute(query)
                names = [one[0] for one in answer.description or ()]
                rows = answer.fetchall()
        except duckdb.Error as error:
            raise SourceError(
                "DuckDB could not answer",
                where=f"{self.source}: {str(error).splitlines()[0][:200]}",
                remedy="check that the files are Parquet and have the columns that were named",
            ) from error
        columns = zip(*rows, strict=True) if rows else [() for _ in names]
        return {name: as_array(list(values)) for name, values in zip(names, columns, strict=True)}


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
