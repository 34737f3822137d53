"""Raw files to Parquet, piece by piece, so that memory is bounded whatever the file's length."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SourceError
from juntos_eval.paths import atomic_path
from juntos_eval.surveys.read_dbf import dbf_chunks, dbf_encoding, dbf_fields
from juntos_eval.surveys.read_delimited import TextRules, delimited_batches
from juntos_eval.surveys.read_labels import NO_LABELS, MissingMarks, RawLabels
from juntos_eval.surveys.read_spss import spss_chunks, spss_facts
from juntos_eval.surveys.read_stata import checked_layout, stata_chunks, stata_labels
from juntos_eval.surveys.stata_layout import INTEGER_TYPES

__all__ = ["ConvertedFile", "stored_labels", "to_parquet"]

_LABELS: Final = b"juntos_eval.labels"

#: Bytes of memory for a byte of a row while a piece is read, typed and compressed: measured, rounded up.
_COPIES: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class ConvertedFile:
    """What a conversion made.

    Attributes
    ----------
    path : Path
    rows, columns : int
    encoding : str or None

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from juntos_eval.surveys.to_parquet import to_parquet
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     raw = Path(folder) / "a.dta"
    ...     pd.DataFrame({"hogar": ["11", "12"]}).to_stata(raw, write_index=False)
    ...     made = to_parquet(raw, Path(folder) / "a.parquet")
    >>> made.rows, made.columns
    (2, 1)
    """

    path: Path
    rows: int
    columns: int
    encoding: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Source:
    """A raw file about to be converted: its types, its labels and its pieces."""

    types: Mapping[str, pa.DataType]
    labels: RawLabels
    encoding: str | None
    pieces: Iterable[pd.DataFrame | pa.RecordBatch]


def to_parquet(
    raw: Path, target: Path, *, rules: TextRules | None = None, memory_bytes: int = 400_000_000
) -> ConvertedFile:
    """Write a raw file as Parquet (zstd): every row and column, codes as codes, labels in the schema.

    Whole numbers stay whole where some are missing. Stata's ``.a`` to ``.z`` are null in their column; the
    labels in the schema say which rows hold which, and ``read_raw`` of the Parquet gives them back.

    Parameters
    ----------
    raw : Path
        ``.dta .sav .zsav .csv .tab .dbf``.
    target : Path
        Replaced only by a whole file.
    rules : TextRules, optional
        Of text files.
    memory_bytes : int
        About what the pieces may take beyond the libraries themselves. The labels are held whole, and the
        encoding of an SPSS file is found by reading it once.

    Returns
    -------
    ConvertedFile

    Raises
    ------
    SourceError
        If the raw file is cut, damaged or of an unknown kind; nothing is written then.
    """
    opener = _OPENERS.get(raw.suffix.lower())
    if opener is None:
        raise SourceError(
            f"Files {raw.suffix or 'without suffix'} are not converted",
            where=str(raw),
            remedy=f"use one of {', '.join(_OPENERS)}",
        )
    source = opener(raw, rules or TextRules(), memory_bytes)
    schema = pa.schema(list(source.types.items())).with_metadata({_LABELS: _to_json(source.labels)})
    rows = 0
    with atomic_path(target) as partial:
        with pq.ParquetWriter(partial, schema, compression="zstd") as writer:
            for piece in source.pieces:
                batch = _typed(piece, schema, raw)
                rows += batch.num_rows
                writer.write_table(batch)
        if rows == 0:
            raise SourceError("The file has no rows", where=f"{raw}, 0 rows", remedy="fetch it again")
    return ConvertedFile(path=target, rows=rows, columns=len(schema), encoding=source.encoding)


def stored_labels(schema: pa.Schema) -> RawLabels:
    """Return the labels that ``to_parquet`` wrote into a schema; none from other writers.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from juntos_eval.surveys.to_parquet import stored_labels
    >>> dict(stored_labels(pa.schema([("a", pa.int8())])).variables)
    {}
    """
    content = (schema.metadata or {}).get(_LABELS)
    if content is None:
        return NO_LABELS
    record = json.loads(content)
    return RawLabels.of(
        variables=record["variables"],
        values={name: dict(of) for name, of in record["values"].items()},
        missing={name: tuple((low, high) for low, high in of) for name, of in record["missing"].items()},
        marks={
            name: MissingMarks(rows=tuple(rows), letters=letters)
            for name, (rows, letters) in record["marks"].items()
        },
    )


def _to_json(labels: RawLabels) -> bytes:
    # pairs, for JSON's own keys are texts and codes are mostly numbers
    record = {
        "variables": dict(labels.variables),
        "values": {name: list(of.items()) for name, of in labels.values.items()},
        "missing": {name: list(of) for name, of in labels.missing.items()},
        "marks": {name: [list(of.rows), of.letters] for name, of in labels.marks.items()},
    }
    return json.dumps(record, ensure_ascii=False).encode("utf-8")


def _rows_within(memory_bytes: int, row_bytes: int) -> int:
    return int(np.clip(memory_bytes // (_COPIES * max(row_bytes, 1)), 500, 500_000))


def _typed(piece: pd.DataFrame | pa.RecordBatch, schema: pa.Schema, raw: Path) -> pa.Table:
    if isinstance(piece, pa.RecordBatch):
        return pa.Table.from_batches([piece]).replace_schema_metadata(schema.metadata)
    try:
        arrays = [pa.array(piece[field.name], type=field.type, from_pandas=True) for field in schema]
    except (pa.ArrowException, KeyError, TypeError) as error:
        raise SourceError(
            f"A column changes its type within the file: {error}",
            where=str(raw),
            remedy="the file is damaged: fetch it again",
        ) from error
    return pa.Table.from_arrays(arrays, schema=schema)


def _open_stata(raw: Path, _rules: TextRules, memory_bytes: int) -> _Source:
    layout = checked_layout(raw)
    row_bytes = sum(int(kind[1:]) for kind in layout.types)
    types = dict(zip(layout.names, (_arrow_type(kind) for kind in layout.types), strict=True))
    return _Source(
        types=types,
        labels=stata_labels(raw),
        encoding=None,
        pieces=stata_chunks(raw, _rows_within(memory_bytes, row_bytes)),
    )


def _arrow_type(kind: str) -> pa.DataType:
    if kind in INTEGER_TYPES:
        return pa.type_for_alias(INTEGER_TYPES[kind])
    return {"f4": pa.float32(), "f8": pa.float64()}.get(kind, pa.string())


def _open_spss(raw: Path, _rules: TextRules, memory_bytes: int) -> _Source:
    facts = spss_facts(raw)
    types = {name: pa.string() if is_text else pa.float64() for name, is_text in facts.is_text.items()}
    rows = _rows_within(memory_bytes, 8 * len(types))
    return _Source(
        types=types,
        labels=facts.labels,
        encoding=facts.encoding,
        pieces=spss_chunks(raw, rows, facts.encoding),
    )


def _open_dbf(raw: Path, rules: TextRules, memory_bytes: int) -> _Source:
    encoding = dbf_encoding(raw, rules.encodings)
    fields = dbf_fields(raw)
    types = {name: pa.float64() if kind in "NF" else pa.string() for name, kind, _ in fields}
    row_bytes = sum(size for _, _, size in fields)
    pieces = dbf_chunks(raw, _rows_within(memory_bytes, row_bytes), encoding)
    return _Source(types=types, labels=NO_LABELS, encoding=encoding, pieces=pieces)


def _open_text(raw: Path, rules: TextRules, memory_bytes: int) -> _Source:
    names, encoding, batches = delimited_batches(raw, rules, block_bytes=max(memory_bytes // 16, 1 << 16))
    return _Source(
        types=dict.fromkeys(names, pa.string()), labels=NO_LABELS, encoding=encoding, pieces=batches
    )


_OPENERS: Final = FrozenMapping(
    {
        ".dta": _open_stata,
        ".sav": _open_spss,
        ".zsav": _open_spss,
        ".csv": _open_text,
        ".tab": _open_text,
        ".dbf": _open_dbf,
    }
)
