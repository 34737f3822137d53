"""From canonical items to raw files: names of columns.csv, codes of codes.csv, order of headers.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from juntos_eval.arrays import Bools, Codes, Floats
from juntos_eval.errors import SchemaError
from juntos_eval.paths import atomic_path
from juntos_eval.surveys.codebook import load_codebook

__all__ = ["RawLayout", "encode", "encode_flag", "header", "padded", "raw_layout", "write_csv", "write_stata"]

WHERE: Final = "surveys/synthetic/headers.toml"

#: Stata files carry the time of writing; a fixed one keeps the bytes a function of the seed.
STAMP: Final = datetime(2026, 1, 1, tzinfo=UTC).replace(tzinfo=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RawLayout:
    """The columns of one raw file.

    Attributes
    ----------
    table : str
    items : tuple of str
        In file order: the canonical name where ``columns.csv`` has one, else INEI's in lower case.
    raw_names : tuple of str
        As spelled in the file.
    """

    table: str
    items: tuple[str, ...]
    raw_names: tuple[str, ...]


@lru_cache
def _headers() -> Mapping[str, Any]:
    return tomllib.loads(files("juntos_eval.surveys.synthetic").joinpath("headers.toml").read_text("utf-8"))


def header(table: str, year: int) -> tuple[str, ...]:
    """Return the columns of a raw file in order; empty where the year has no such file.

    Parameters
    ----------
    table : str
    year : int

    Returns
    -------
    tuple of str
    """
    return tuple(_headers()[table].get(str(year), "").split())


def raw_layout(table: str, year: int) -> RawLayout | None:
    """Return the columns of a table's file in a year, or None where the year has no such file.

    Parameters
    ----------
    table : str
    year : int

    Returns
    -------
    RawLayout or None

    Raises
    ------
    SchemaError
        If the header lacks a column that ``columns.csv`` maps.
    """
    names = header(table, year)
    if not names:
        return None
    columns = load_codebook("enaho").columns_of(table, year)
    canonical = {column.raw[str(year)]: column.name for column in columns}
    lacking = sorted(set(canonical) - set(names))
    if lacking:
        raise SchemaError(
            f"The header of {table} {year} lacks {', '.join(lacking)}",
            where=WHERE,
            remedy="write the header of the real file, or correct columns.csv",
        )
    items = tuple(canonical.get(name, name.lower().replace("$", "_")) for name in names)
    return RawLayout(table=table, items=items, raw_names=names)


def encode(table: str, name: str, positions: Codes, values: Sequence[str], is_known: Bools) -> Floats:
    """Turn positions in a tuple of clean values into INEI's codes; NaN where unknown.

    Parameters
    ----------
    table, name : str
        Where ``codes.csv`` declares the codes.
    positions : numpy.ndarray, shape (n,)
        Position in ``values``.
    values : sequence of str
    is_known : numpy.ndarray, shape (n,)

    Returns
    -------
    numpy.ndarray, shape (n,)

    Raises
    ------
    SchemaError
        If a value has no code.
    """
    # where a label had another code in earlier years, the first row is the newest
    code_of = {code.value: code.code for code in reversed(load_codebook("enaho").codes_of(table, name))}
    lacking = [value for value in values if value not in code_of]
    if lacking:
        raise SchemaError(
            f"{table}.{name} has no code for {', '.join(lacking)}",
            where="surveys/enaho/codes.csv",
            remedy="the simulated values must be those of codes.csv",
        )
    codes = np.asarray([float(code_of[value]) for value in values])
    return np.where(is_known, codes[np.where(is_known, positions, 0)], np.nan)


def encode_flag(table: str, name: str, flags: Bools, is_known: Bools) -> Floats:
    """Encode a yes/no answer; NaN where unknown."""
    return encode(table, name, flags.astype(np.int64), ("no", "yes"), is_known)


def padded(values: Any, width: int) -> NDArray[Any]:
    """Write non-negative whole numbers as zero-padded text."""
    return np.asarray(pd.Series(np.asarray(values)).astype(int).astype(str).str.zfill(width), dtype=object)


def write_stata(path: Path, layout: RawLayout, items: Mapping[str, Any]) -> Path:
    """Write a .dta (format 118) with text keys, long codes, double weights and float answers.

    Parameters
    ----------
    path : Path
    layout : RawLayout
    items : mapping of str to array
        One array an item.

    Returns
    -------
    Path
    """
    integers, doubles = _headers()["integers"], _headers()["doubles"]

    def stored(item: str) -> Any:
        values = np.asarray(items[item])
        if values.dtype == object:
            return values
        if item in integers:
            return values.astype(np.int32)
        return values.astype(np.float64 if item in doubles else np.float32)

    columns = {raw: stored(item) for item, raw in zip(layout.items, layout.raw_names, strict=True)}
    with atomic_path(path) as partial, partial.open("wb") as stream:
        pd.DataFrame(columns).to_stata(stream, write_index=False, version=118, time_stamp=STAMP)
    return path


def write_csv(path: Path, layout: RawLayout, items: Mapping[str, Any], *, encoding: str = "latin-1") -> Path:
    r"""Write a comma-separated file as INEI does: whole numbers bare, missing ones empty, ``\n`` line ends.

    Parameters
    ----------
    path : Path
    layout : RawLayout
    items : mapping of str to array
    encoding : str

    Returns
    -------
    Path
    """
    doubles = [item for item in _headers()["doubles"] if item != "p201p"]
    padded_items = _headers()["padded"]

    def stored(item: str) -> Any:
        values = np.asarray(items[item])
        if values.dtype == object:
            return values
        if item in padded_items:
            return padded(values, 2)
        return values if item in doubles else pd.array(values).astype("Int64")

    columns = {raw: stored(item) for item, raw in zip(layout.items, layout.raw_names, strict=True)}
    text = pd.DataFrame(columns).to_csv(index=False, lineterminator="\n", float_format="%.15g")
    with atomic_path(path) as partial:
        partial.write_bytes(text.encode(encoding))
    return path
