"""The package's own errors: few, and each says what is wrong, where, and what to do."""

from __future__ import annotations

__all__ = ["DesignError", "InferenceError", "JuntosError", "SchemaError", "SourceError"]


class JuntosError(Exception):
    """Any error that this package raises on purpose.

    Parameters
    ----------
    what : str
        What is wrong, in one sentence.
    where : str, optional
        The file, the column and how many rows are concerned.
    remedy : str, optional
        What the reader can do about it.

    Examples
    --------
    >>> from juntos_eval.errors import SchemaError
    >>> print(SchemaError("factor07 is negative", where="sumaria.dta, 3 rows", remedy="fetch it again"))
    factor07 is negative [sumaria.dta, 3 rows]. Remedy: fetch it again.
    """

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        place = f" [{where}]" if where else ""
        advice = f" Remedy: {remedy.rstrip('.')}." if remedy else ""
        super().__init__(f"{what.rstrip('.')}{place}." + advice)


class SourceError(JuntosError):
    """A raw file is missing, truncated, unreadable or not what it should be."""


class SchemaError(JuntosError):
    """The content of a table breaks its declared columns, codes, keys or ranges."""


class DesignError(JuntosError):
    """The data cannot answer the question that an estimator was asked."""


class InferenceError(JuntosError):
    """The uncertainty asked for cannot be had from this fit."""
