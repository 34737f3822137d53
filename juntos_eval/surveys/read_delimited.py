"""Delimited text: the encoding that the bytes bear out, the delimiter, and lines that are whole."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from juntos_eval.errors import SourceError

__all__ = ["TextRules", "decode", "delimited_batches", "read_delimited", "sniff_delimiter"]

_DELIMITERS: Final = (",", ";", "\t", "|")
_CONTROLS: Final = re.compile(r"[\x80-\x9f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class TextRules:
    """How the text files of a survey are written.

    Attributes
    ----------
    encodings : tuple of str
        Tried in this order, strictly: nothing is ever replaced.
    missing : tuple of str
        Fields that mean "no value".

    Examples
    --------
    >>> from juntos_eval.surveys.read_delimited import TextRules
    >>> TextRules(missing=("", "NA")).encodings
    ('utf-8', 'latin-1', 'cp1252')
    """

    encodings: tuple[str, ...] = ("utf-8", "latin-1", "cp1252")
    missing: tuple[str, ...] = ("",)


def read_delimited(path: Path, rules: TextRules, rows: int | None = None) -> tuple[pd.DataFrame, str]:
    r"""Read a delimited text file as text, every field as written.

    Parameters
    ----------
    path : Path
    rules : TextRules
    rows : int, optional
        Rows of a sound copy: they excuse a last line without an end.

    Returns
    -------
    frame : pandas.DataFrame
        All columns text.
    encoding : str

    Raises
    ------
    SourceError
        If the encoding is another, a line has too many or too few fields, or the last line is cut.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.read_delimited import TextRules, read_delimited
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     _ = path.write_bytes(b"CONGLOME;P203\n015009;1\n")
    ...     frame, encoding = read_delimited(path, TextRules())
    >>> frame.iloc[0].to_dict(), encoding
    ({'CONGLOME': '015009', 'P203': '1'}, 'utf-8')
    """
    text, encoding = decode(path, rules.encodings)
    delimiter = sniff_delimiter(text.partition("\n")[0], where=str(path))
    ragged: list[int] = []

    def skip(row: pa_csv.InvalidRow) -> str:
        ragged.append(row.actual_columns)
        return "skip"

    try:
        table = pa_csv.read_csv(
            pa.py_buffer(text.encode("utf-8")),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip
            ),
            convert_options=_as_text(text.partition("\n")[0], delimiter, rules.missing),
        )
    except pa.ArrowInvalid as error:
        raise _unreadable(path, error) from error
    _check_lines(path, text, ragged, table, rows)
    return table.to_pandas(), encoding


def delimited_batches(
    path: Path, rules: TextRules, *, block_bytes: int
) -> tuple[list[str], str, Iterator[pa.RecordBatch]]:
    """Read a delimited text file in pieces; it is gone through once before, for its encoding.

    Parameters
    ----------
    path : Path
    rules : TextRules
    block_bytes : int
        Text of a piece.

    Returns
    -------
    names : list of str
    encoding : str
    batches : iterator of pyarrow.RecordBatch
        All columns text. It raises at its end if lines had too many or too few fields.

    Raises
    ------
    SourceError
        As ``read_delimited``; a last line without an end is taken for cut.
    """
    encoding, header = _scan(path, rules.encodings, block_bytes)
    delimiter = sniff_delimiter(header, where=str(path))
    ragged: list[int] = []

    def skip(row: pa_csv.InvalidRow) -> str:
        ragged.append(row.actual_columns)
        return "skip"

    stream = pa.transcoding_input_stream(pa.OSFile(str(path)), encoding, "utf-8")
    try:
        reader = pa_csv.open_csv(
            stream,
            read_options=pa_csv.ReadOptions(block_size=block_bytes),
            parse_options=pa_csv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=skip
            ),
            convert_options=_as_text(header, delimiter, rules.missing),
        )
    except pa.ArrowInvalid as error:
        raise _unreadable(path, error) from error
    return reader.schema.names, encoding, _checked_batches(path, reader, ragged)


def _checked_batches(
    path: Path, reader: pa_csv.CSVStreamingReader, ragged: list[int]
) -> Iterator[pa.RecordBatch]:
    try:
        yield from reader
    except pa.ArrowInvalid as error:
        raise _unreadable(path, error) from error
    _check_fields(path, ragged, len(reader.schema))


def _scan(path: Path, encodings: tuple[str, ...], block_bytes: int) -> tuple[str, str]:
    """Return the first encoding that all bytes bear out, and the header line."""
    with path.open("rb") as stream:
        head = stream.read(1 << 20)
        stream.seek(-1, 2)
        is_ended = stream.read(1) == b"\n"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in head[:4096]:
        raise _wrong_encoding(path, encodings, "it looks like UTF-16")
    if not is_ended:
        raise SourceError(
            "The file is half-copied: its last line has no end",
            where=f"{path}, {path.stat().st_size:,} bytes",
            remedy="fetch it again and compare its size with the publisher's",
        )
    tried: list[str] = []
    for encoding in ("utf-8-sig",) if head.startswith(codecs.BOM_UTF8) else encodings:
        problem, lost = _bears_out(path, encoding, block_bytes)
        if problem:
            tried.append(problem)
            continue
        header = head.decode(encoding, errors="ignore").partition("\n")[0].rstrip("\r")
        _refuse_lost(path, lost - header.count("\ufffd"))
        return encoding, header
    raise _wrong_encoding(path, encodings, "; ".join(tried))


def _bears_out(path: Path, encoding: str, block_bytes: int) -> tuple[str, int]:
    decoder = codecs.getincrementaldecoder(encoding)()
    lost = read = 0
    with path.open("rb") as stream:
        while True:
            block = stream.read(block_bytes)
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                return f"{encoding} fails at byte {read + error.start:,}", 0
            if encoding == "latin-1" and _CONTROLS.search(text):
                return "latin-1 gives control characters", 0
            lost += text.count("\ufffd")
            read += len(block)
            if not block:
                return "", lost


def decode(path: Path, encodings: tuple[str, ...]) -> tuple[str, str]:
    r"""Decode a file strictly by the first encoding that its bytes bear out.

    Latin-1 gives a character to every byte; a file whose characters would be control codes (0x80-0x9f) was
    not written in it, and the next encoding is tried.

    Parameters
    ----------
    path : Path
    encodings : tuple of str

    Returns
    -------
    text : str
    encoding : str

    Raises
    ------
    SourceError
        If none fits, or characters were already lost when the file was made.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.read_delimited import decode
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.csv"
    ...     _ = path.write_bytes(b"A\xd1O,MES\n")
    ...     decode(path, ("utf-8", "latin-1"))
    ('AÑO,MES\n', 'latin-1')
    """
    content = path.read_bytes()
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\x00" in content[:4096]:
        raise _wrong_encoding(path, encodings, "it looks like UTF-16")
    marked = content.startswith(codecs.BOM_UTF8)
    tried = []
    for encoding in ("utf-8-sig",) if marked else encodings:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError as error:
            tried.append(f"{encoding} fails at byte {error.start:,}")
            continue
        if encoding == "latin-1" and _CONTROLS.search(text):
            tried.append("latin-1 gives control characters")
            continue
        _check_nothing_lost(path, text)
        return text.replace("\r\n", "\n"), encoding
    raise _wrong_encoding(path, encodings, "; ".join(tried))


def sniff_delimiter(header: str, *, where: str) -> str:
    """Return the delimiter that the header line has most of.

    Raises
    ------
    SourceError
        If it has none.

    Examples
    --------
    >>> from juntos_eval.surveys.read_delimited import sniff_delimiter
    >>> sniff_delimiter("AÑO;MES;P208,A", where="a.csv")
    ';'
    """
    best = max(_DELIMITERS, key=header.count)
    if header.count(best) == 0:
        raise SourceError(
            "The first line is no header: it has one field", where=where, remedy="look at what was fetched"
        )
    return best


def _as_text(header: str, delimiter: str, missing: tuple[str, ...]) -> pa_csv.ConvertOptions:
    names = [name.strip('"') for name in header.split(delimiter)]
    return pa_csv.ConvertOptions(
        column_types=dict.fromkeys(names, pa.string()),
        strings_can_be_null=True,
        null_values=list(missing),
        quoted_strings_can_be_null=True,
    )


def _check_nothing_lost(path: Path, text: str) -> None:
    body = text.partition("\n")[2]
    _refuse_lost(path, body.count("\ufffd"))


def _refuse_lost(path: Path, lost: int) -> None:
    if lost:
        raise SourceError(
            f"{lost:,} characters were lost when the file was made (U+FFFD stands for them)",
            where=str(path),
            remedy="get the file from its publisher; what was replaced cannot be had back",
        )


def _check_lines(path: Path, text: str, ragged: list[int], table: pa.Table, rows: int | None) -> None:
    is_ended = text.endswith("\n") or (rows is not None and table.num_rows >= rows)
    if not is_ended:
        expected = f"expected {rows:,}" if rows is not None else "its last line has no end"
        raise SourceError(
            f"The file is half-copied: {table.num_rows:,} whole rows, {expected}",
            where=f"{path}, {path.stat().st_size:,} bytes",
            remedy="fetch it again and compare its size with the publisher's",
        )
    _check_fields(path, ragged, table.num_columns)


def _check_fields(path: Path, ragged: list[int], columns: int) -> None:
    if ragged:
        raise SourceError(
            f"{len(ragged):,} lines have {min(ragged)} to {max(ragged)} fields, expected {columns}",
            where=str(path),
            remedy="the file is damaged or its delimiter stands inside fields: fetch it again",
        )


def _unreadable(path: Path, error: Exception) -> SourceError:
    return SourceError(f"The text file cannot be read: {error}", where=str(path), remedy="fetch it again")


def _wrong_encoding(path: Path, encodings: tuple[str, ...], detail: str) -> SourceError:
    return SourceError(
        f"The text is not in the encoding declared ({', '.join(encodings)}): {detail}",
        where=str(path),
        remedy="get the file as the publisher issued it, or correct `encodings` in source.toml",
    )
