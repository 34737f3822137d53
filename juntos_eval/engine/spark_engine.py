"""A table asked by Spark, for those that one machine has outgrown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

from juntos_eval.engine.sql import as_array
from juntos_eval.errors import SourceError

__all__ = ["Spark"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A table or view of a Spark session.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
    view : str
        Name of the table or view, such as one made by ``createOrReplaceTempView``.

    Raises
    ------
    SourceError
        Where Spark cannot answer.

    Examples
    --------
    >>> from juntos_eval.engine import Spark
    >>> Spark(session=None, view="households").quoted("a`b")
    '`a``b`'
    """

    session: Any
    view: str

    @property
    def table(self) -> str:
        """What stands after FROM."""
        return ".".join(self.quoted(part) for part in self.view.split("."))

    def quoted(self, name: str) -> str:
        """Return a column's name in backticks."""
        return "`" + name.replace("`", "``") + "`"

    def columns(self) -> tuple[str, ...]:
        """Names of the table's columns."""
        return tuple(self._asked(lambda: self.session.table(self.table).columns))

    def run(self, query: str) -> Mapping[str, NDArray[Any]]:
        """Return the columns of a query's answer."""
        names, rows = self._asked(lambda: _collected(self.session.sql(query)))
        columns = zip(*rows, strict=True) if rows else [() for _ in names]
        return {name: as_array(list(values)) for name, values in zip(names, columns, strict=True)}

    def _asked(self, ask: Any) -> Any:
        try:
            return ask()
        except Exception as error:  # Spark's own errors are known only where it is installed
            raise SourceError(
                "Spark could not answer",
                where=f"{self.view}: {type(error).__name__}: {str(error).splitlines()[0][:200]}",
                remedy="check the session, the view and the columns that were named",
            ) from error


def _collected(answer: Any) -> tuple[list[str], list[tuple[Any, ...]]]:
    return list(answer.columns), [tuple(row) for row in answer.collect()]
