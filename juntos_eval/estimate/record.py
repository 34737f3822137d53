"""Between values in memory and what JSON can hold."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from juntos_eval.errors import SchemaError

__all__ = ["FORMAT", "number", "numbers", "plain", "required"]

FORMAT = "juntos_eval/estimate/1"
_WORDS = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def plain(value: Any, digits: int | None = None) -> Any:
    """Return a value as JSON can hold it.

    Parameters
    ----------
    value : object
        Numbers, text, arrays, mappings, sequences and dataclasses of them.
    digits : int, optional
        Significant digits of floats to keep; all by default.

    Returns
    -------
    object
        NaN and infinities become the words ``nan``, ``inf``, ``-inf``, for JSON has no such numbers.

    Raises
    ------
    SchemaError
        For a value of another kind.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate.record import plain
    >>> plain({"a": np.array([1.0, np.nan])})
    {'a': [1.0, 'nan']}
    """
    if isinstance(value, np.generic):
        return plain(value.item(), digits)
    if isinstance(value, (str, bool, int)) or value is None:
        return value
    if isinstance(value, float):
        return _plain_float(value, digits)
    if isinstance(value, Mapping):
        return {str(key): plain(entry, digits) for key, entry in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(entry, digits) for entry in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return plain({"kind": type(value).__name__, **fields}, digits)
    raise SchemaError(
        "a value cannot be written into a record",
        where=type(value).__name__,
        remedy="use numbers, text, lists and mappings of them",
    )


def _plain_float(value: float, digits: int | None) -> Any:
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value if digits is None else float(f"{value:.{digits}g}")


def required(record: Mapping[str, Any], field: str) -> Any:
    """Return a field of a record or say that it is missing.

    Parameters
    ----------
    record : Mapping
    field : str

    Returns
    -------
    object

    Raises
    ------
    SchemaError
        If the record does not have it.

    Examples
    --------
    >>> from juntos_eval.estimate.record import required
    >>> required({"values": [1.0]}, "values")
    [1.0]
    """
    if field not in record:
        raise SchemaError(
            f"a record of an estimate has no field '{field}'",
            where=f"fields: {', '.join(map(str, record)) or 'none'}",
            remedy="write the record again with Estimate.to_record()",
        )
    return record[field]


def number(value: Any) -> float:
    """Return the float of a plain value: the inverse of :func:`plain`.

    Parameters
    ----------
    value : float or str

    Returns
    -------
    float

    Raises
    ------
    SchemaError
        If it is neither a number nor one of the words nan, inf, -inf.

    Examples
    --------
    >>> from juntos_eval.estimate.record import number
    >>> number("-inf")
    -inf
    """
    if isinstance(value, str) and value in _WORDS:
        return _WORDS[value]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise SchemaError(
        "a record of an estimate has something else where a number belongs",
        where=repr(value)[:80],
        remedy="use numbers, or the words nan, inf, -inf",
    )


def numbers(values: Any) -> Any:
    """Return nested lists of plain values as nested lists of floats; None alone stays None.

    Parameters
    ----------
    values : list or float or str or None

    Returns
    -------
    list or float or None

    Examples
    --------
    >>> from juntos_eval.estimate.record import numbers
    >>> numbers([[1, "nan"]])
    [[1.0, nan]]
    """
    return None if values is None else _nested(values)


def _nested(values: Any) -> Any:
    return [_nested(value) for value in values] if isinstance(values, list) else number(values)
