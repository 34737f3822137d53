"""Where frames stop: columns become checked arrays, and what was left out is counted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from pandas import DataFrame, Series

from juntos_eval.arrays import Bools, Codes, Floats, FrozenMapping, frozen
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Groups, Inference

__all__ = ["Selection", "groups_to_carry", "require_frame", "select", "zero_one"]


class _Columns(Mapping[str, Floats]):
    """Columns as read-only arrays of floats: views of the frame, or made where somebody asks for them.

    What a fit keeps of them is copied by :func:`~juntos_eval.arrays.frozen`, so that no later change of the
    frame reaches it; what is read and let go costs no memory.
    """

    __slots__ = ("_arrays",)

    def __init__(self, arrays: Mapping[str, Any]) -> None:
        self._arrays = dict(arrays)

    def __getitem__(self, name: str) -> Floats:
        return np.asarray(self.stored(name), dtype=np.float64)

    def stored(self, name: str) -> Any:
        """Return the column in the type that the frame has."""
        values = np.asarray(self._arrays[name]).view()
        values.flags.writeable = False
        return values

    def __contains__(self, name: object) -> bool:
        return name in self._arrays

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rows and columns that an estimator uses, as arrays.

    Attributes
    ----------
    columns : Mapping of str to numpy.ndarray, shape (n,)
        Numeric columns that were asked for.
    covariates : numpy.ndarray, shape (n, p)
        Covariates; a category of L levels becomes L - 1 indicators, the first level left out.
    covariate_names : tuple of str, length p
        ``column`` or ``column[level]``.
    weights : numpy.ndarray, shape (n,)
        Ones where none were given.
    groups : Mapping of str to Groups
        Groupings to carry in a Fit.
    rows : numpy.ndarray of int64, shape (n,)
        Positions of the used rows in the frame.
    dropped : Mapping of str to int
        Rows left out, by reason.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.design import select
    >>> frame = pd.DataFrame({"y": [1.0, None, 3.0], "d": [0, 1, 1]})
    >>> chosen = select(frame, numeric=("y",), required=("d",))
    >>> chosen.columns["y"].tolist(), dict(chosen.dropped)
    ([1.0, 3.0], {'y missing': 1})
    """

    columns: Mapping[str, Floats]
    covariates: Floats
    covariate_names: tuple[str, ...]
    weights: Floats
    groups: Mapping[str, Groups]
    rows: Codes
    dropped: Mapping[str, int]

    def __post_init__(self) -> None:
        for name in ("covariates", "weights"):
            object.__setattr__(self, name, frozen(getattr(self, name)))
        object.__setattr__(self, "rows", frozen(self.rows, np.int64))
        if not isinstance(self.columns, _Columns):
            object.__setattr__(self, "columns", FrozenMapping(self.columns))
        for name in ("groups", "dropped"):
            object.__setattr__(self, name, FrozenMapping(getattr(self, name)))

    @property
    def n(self) -> int:
        """Rows used."""
        return len(self.rows)

    def stored(self, name: str) -> Any:
        """Return a numeric column in the type that the frame has, read-only: whole numbers stay so."""
        columns = self.columns
        return columns.stored(name) if isinstance(columns, _Columns) else columns[name]


def select(
    data: DataFrame,
    *,
    numeric: Sequence[str] = (),
    required: Sequence[str] = (),
    covariates: Sequence[str] = (),
    weights: str | None = None,
    carry: Sequence[str] = (),
    factors: Sequence[str] = (),
) -> Selection:
    """Turn columns of a frame into arrays; the frame is not changed.

    Parameters
    ----------
    data : pandas.DataFrame
    numeric : sequence of str
        Columns of numbers whose missing values drop the row (an outcome, a running variable).
    required : sequence of str
        Columns of numbers that may not be missing (a treatment, a period): a missing value is an error.
    covariates : sequence of str
        Numbers, booleans or categories; missing values drop the row.
    weights : str, optional
        Sampling weights; missing, negative and infinite ones are errors, rows of weight zero are
        dropped and counted.
    carry : sequence of str
        Groupings (cluster, strata, PSU); a missing value is an error.
    factors : sequence of str
        Groupings that belong to the model (absorbed effects); missing values drop the row.

    Returns
    -------
    Selection

    Raises
    ------
    DesignError
        For a column that is not there, of the wrong kind, or missing where it may not be; for
        unusable weights; and where no row is left.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.design import select
    >>> frame = pd.DataFrame({"y": [1.0, 2.0], "area": ["rural", "urban"]})
    >>> select(frame, numeric=("y",), covariates=("area",)).covariate_names
    ('area[urban]',)
    """
    wanted = [*numeric, *required, *covariates, *factors, *carry, *([weights] if weights else [])]
    _require_columns(data, wanted)
    keep = np.ones(len(data), dtype=np.bool_)
    dropped: dict[str, int] = {}
    arrays = {name: _numbers(data, name) for name in dict.fromkeys([*numeric, *required])}
    for name in required:
        if not _is_whole(data[name]):
            _refuse_missing(name, np.isnan(arrays[name]), "give every row a value or leave the rows out")
    if weights is not None:
        weight = _checked_weights(data, weights)
        _drop(keep, dropped, weight == 0, f"{weights} is zero")
    else:
        weight = np.ones(len(data))
        weight.flags.writeable = False
    for name in dict.fromkeys(numeric):
        if not _is_whole(data[name]):
            _drop(keep, dropped, np.isnan(arrays[name]), f"{name} missing")
    for name in dict.fromkeys([*covariates, *factors]):
        if not _is_whole(data[name]):
            _drop(keep, dropped, data[name].isna().to_numpy(), f"{name} missing")
    rows = np.flatnonzero(keep) if dropped else np.arange(len(data))
    rows.flags.writeable = False
    if not len(rows):
        raise DesignError(
            "no complete row is left",
            where="; ".join(f"{reason}: {count} rows" for reason, count in dropped.items()) or "empty frame",
            remedy="look at the missing values of these columns",
        )
    matrix, names = _covariate_matrix(data, tuple(dict.fromkeys(covariates)), rows)
    return Selection(
        columns=_Columns({name: _at(values, rows) for name, values in arrays.items()}),
        covariates=matrix,
        covariate_names=names,
        weights=_at(weight, rows),
        groups={name: _grouping(data, name, rows) for name in dict.fromkeys([*factors, *carry])},
        rows=rows,
        dropped=dropped,
    )


def groups_to_carry(inference: Inference | None, carry: Sequence[str]) -> tuple[str, ...]:
    """Return the groupings that the caller and the inference need, each once.

    Parameters
    ----------
    inference : Inference or None
    carry : sequence of str

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> from juntos_eval.estimators.design import groups_to_carry
    >>> groups_to_carry(None, ("psu", "psu"))
    ('psu',)
    """
    needed = inference.columns if inference is not None else ()
    return tuple(dict.fromkeys([*carry, *needed]))


def zero_one(values: Floats, name: str) -> Bools:
    """Return a treatment as booleans.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
    name : str
        Column, for the error.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)

    Raises
    ------
    DesignError
        If a value is neither 0 nor 1, or if nobody or everybody is treated.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.design import zero_one
    >>> zero_one(np.array([0.0, 1.0]), "has_juntos").tolist()
    [False, True]
    """
    other = (values != 0) & (values != 1)
    if other.any():
        raise DesignError(
            f"the treatment '{name}' must be 0 or 1",
            where=f"column '{name}', {int(other.sum())} rows with other values",
            remedy="recode the treatment to 0 and 1",
        )
    treated = values == 1
    if not treated.any() or treated.all():
        kind = "treated" if not treated.any() else "untreated"
        raise DesignError(
            f"there is no {kind} row to compare with",
            where=f"column '{name}', {len(values)} rows after dropping incomplete ones",
            remedy="check how the treatment is coded and which rows were dropped",
        )
    return np.asarray(treated)


def require_frame(data: object) -> None:
    """Refuse what is no pandas frame.

    Parameters
    ----------
    data : object

    Raises
    ------
    DesignError
        If it is something else: a frame of another library, a mapping, an array.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.design import require_frame
    >>> require_frame(pd.DataFrame({"y": [1.0]}))
    """
    if not isinstance(data, DataFrame):
        raise DesignError(
            "the data are not a pandas DataFrame",
            where=f"{type(data).__module__}.{type(data).__name__}",
            remedy="convert them first: to_pandas() of a polars or Arrow table, or pandas.DataFrame(data)",
        )


def _require_columns(data: DataFrame, wanted: Sequence[str]) -> None:
    require_frame(data)
    absent = [name for name in dict.fromkeys(wanted) if name not in data.columns]
    if absent:
        raise DesignError(
            f"the data have no column {', '.join(repr(name) for name in absent)}",
            where=f"{len(data.columns)} columns: {', '.join(map(str, list(data.columns)[:12]))} …",
            remedy="check the spelling, or add the column",
        )
    twice = [name for name in dict.fromkeys(wanted) if isinstance(data[name], DataFrame)]
    if twice:
        raise DesignError(
            f"a column name stands more than once: {', '.join(twice)}",
            where="columns of the data",
            remedy="rename or drop the duplicates",
        )


def _numbers(data: DataFrame, name: str) -> Any:
    """Return a column of numbers, whole ones as they are and others as floats, none infinite."""
    column = data[name]
    if not (pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column)):
        raise DesignError(
            f"the column '{name}' does not hold numbers",
            where=f"column '{name}' of type {column.dtype}, {len(column)} rows",
            remedy="convert it to numbers (0 and 1 for a treatment)",
        )
    if _is_whole(column):
        return column.to_numpy()
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise DesignError(
            f"the column '{name}' holds infinite values",
            where=f"column '{name}', {int(np.isinf(values).sum())} rows",
            remedy="set them to missing or correct them",
        )
    return values


def _is_whole(column: Series[Any]) -> bool:
    """Whether a column holds whole numbers or booleans, of which none is missing or infinite."""
    return isinstance(column.dtype, np.dtype) and column.dtype.kind in "iub"


def _refuse_missing(name: str, missing: Bools, remedy: str) -> None:
    if missing.any():
        raise DesignError(
            f"the column '{name}' has missing values",
            where=f"column '{name}', {int(missing.sum())} of {len(missing)} rows",
            remedy=remedy,
        )


def _checked_weights(data: DataFrame, name: str) -> Floats:
    weight = np.asarray(_numbers(data, name), dtype=np.float64)
    _refuse_missing(name, np.isnan(weight), "give every row a sampling weight or leave the rows out")
    if (weight < 0).any():
        raise DesignError(
            f"the weights '{name}' are negative",
            where=f"column '{name}', {int((weight < 0).sum())} rows",
            remedy="use sampling weights, which count people and cannot be negative",
        )
    return weight


def _drop(keep: Bools, dropped: dict[str, int], gone: Bools, reason: str) -> None:
    newly = keep & gone
    if newly.any():
        dropped[reason] = int(newly.sum())
        keep &= ~gone


def _covariate_matrix(
    data: DataFrame, covariates: tuple[str, ...], rows: Codes
) -> tuple[Floats, tuple[str, ...]]:
    blocks: list[Floats] = []
    names: list[str] = []
    for name in covariates:
        column = data[name].iloc[rows]
        if pd.api.types.is_numeric_dtype(column) or pd.api.types.is_bool_dtype(column):
            blocks.append(_numbers(data, name)[rows, None])
            names.append(name)
        else:
            indicators, levels = _indicators(column)
            blocks.append(indicators)
            names += [f"{name}[{level}]" for level in levels]
    return (np.hstack(blocks) if blocks else np.zeros((len(rows), 0))), tuple(names)


def _indicators(column: Series[Any]) -> tuple[Floats, list[str]]:
    """Return indicators of all levels but the first: in the order of a categorical, else sorted."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        used = column.cat.remove_unused_categories()
        codes, levels = used.cat.codes.to_numpy(), [str(level) for level in used.cat.categories]
    else:
        codes, found = pd.factorize(column, sort=True)
        levels = [str(level) for level in found]
    return (codes[:, None] == np.arange(1, len(levels))).astype(np.float64), levels[1:]


def _grouping(data: DataFrame, name: str, rows: Codes) -> Groups:
    column = data[name] if len(rows) == len(data) else data[name].iloc[rows]
    if not _is_whole(column):
        _refuse_missing(
            name,
            column.isna().to_numpy(),
            "give every row a group: a missing one would become a group of its own",
        )
    counted = _counted(column)
    if counted is not None:
        return counted
    codes, levels = pd.factorize(column, sort=True)
    return Groups(np.asarray(codes, dtype=np.int64), tuple(map(str, levels)))


def _counted(column: Series[Any]) -> Groups | None:
    """Return the groups of whole numbers that leave few gaps: counting them is faster than hashing."""
    if not (isinstance(column.dtype, np.dtype) and column.dtype.kind in "iu" and len(column)):
        return None
    values = column.to_numpy()
    low, high = int(values.min()), int(values.max())
    if high - low > 2 * len(values) or high >= np.iinfo(np.int64).max:
        return None
    shifted = np.subtract(values, low, dtype=np.int64)
    sizes = np.bincount(shifted, minlength=high - low + 1)
    seen = sizes > 0
    codes = shifted if seen.all() else (np.cumsum(seen) - 1).take(shifted)
    for array in (codes, sizes):
        array.flags.writeable = False
    return Groups.of_whole_numbers(codes, np.flatnonzero(seen) + low, sizes if seen.all() else sizes[seen])


def _at(values: Floats, rows: Codes) -> Floats:
    return values if len(rows) == len(values) else values[rows]
