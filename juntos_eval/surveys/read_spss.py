"""SPSS files: the encoding that their bytes bear out, codes declared missing kept as codes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import pandas as pd

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SourceError
from juntos_eval.surveys.read_labels import RawLabels

__all__ = ["SpssFacts", "read_spss", "spss_chunks", "spss_facts", "spss_rows"]

_T = TypeVar("_T")

_REMEDY: Final = "fetch the file again and compare its size with the publisher's"
_KEEP: Final[dict[str, Any]] = {"user_missing": True, "disable_datetime_conversion": True}

#: Tried when the declared encoding fails, in this order and strictly: nothing is ever replaced.
_RETRIES: Final = ("UTF-8", "LATIN1", "CP1252")
_CONTROLS: Final = re.compile(r"[\x80-\x9f]")
_MISREAD_UTF8: Final = re.compile("[\u00c2\u00c3][\u0080-\u00bf]")


@dataclass(frozen=True, slots=True, kw_only=True)
class SpssFacts:
    """What an SPSS file is, found by reading it once in pieces.

    Attributes
    ----------
    encoding : str
        The one that all of its text bears out.
    is_text : FrozenMapping of str to bool
        Column -> whether it holds text and not numbers, in the file's order.
    labels : RawLabels

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd, pyreadstat
    >>> from juntos_eval.surveys.read_spss import spss_facts
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.sav"
    ...     pyreadstat.write_sav(pd.DataFrame({"HHID": ["1"], "HV005": [1.0]}), path)
    ...     dict(spss_facts(path).is_text)
    {'HHID': True, 'HV005': False}
    """

    encoding: str
    is_text: FrozenMapping[str, bool]
    labels: RawLabels


class _MisfitError(Exception):
    """An encoding that the bytes do not bear out."""


def read_spss(path: Path) -> tuple[pd.DataFrame, str, RawLabels]:
    """Read a whole ``.sav`` or ``.zsav``; codes stay codes, those declared missing too.

    Parameters
    ----------
    path : Path

    Returns
    -------
    frame : pandas.DataFrame
        Numbers float, texts str.
    encoding : str
        The one that the bytes bear out, not always the one declared.
    labels : RawLabels

    Raises
    ------
    SourceError
        If the file is cut, is no SPSS file, or no encoding fits it.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd, pyreadstat
    >>> from juntos_eval.surveys.read_spss import read_spss
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.sav"
    ...     frame = pd.DataFrame({"HC70": [-201.0, 9998.0]})
    ...     pyreadstat.write_sav(frame, path, missing_ranges={"HC70": [{"lo": 9996, "hi": 9999}]})
    ...     frame, encoding, labels = read_spss(path)
    >>> frame["HC70"].tolist(), encoding, labels.missing["HC70"]
    ([-201.0, 9998.0], 'utf-8', ((9996.0, 9999.0),))
    """
    frame, facts = _first_fitting(path, lambda encoding: _read(path, encoding, {}))
    _check_total(path, len(frame))
    return frame, facts.file_encoding.lower(), _labels(facts)


def spss_facts(path: Path, piece_rows: int = 50_000) -> SpssFacts:
    """Read an SPSS file once, in pieces, for its encoding and its labels.

    Parameters
    ----------
    path : Path
    piece_rows : int

    Returns
    -------
    SpssFacts

    Raises
    ------
    SourceError
        As ``read_spss``.
    """
    facts = _first_fitting(path, lambda encoding: _last_facts(path, encoding, piece_rows))
    return SpssFacts(
        encoding=facts.file_encoding.lower(),
        is_text=FrozenMapping(
            {name: facts.readstat_variable_types[name] == "string" for name in facts.column_names}
        ),
        labels=_labels(facts),
    )


def spss_chunks(path: Path, rows: int, encoding: str | None = None) -> Iterator[pd.DataFrame]:
    """Read a ``.sav`` in pieces of so many rows.

    Parameters
    ----------
    path : Path
    rows : int
    encoding : str, optional
        What ``spss_facts`` found; the declared one without it.

    Yields
    ------
    pandas.DataFrame

    Raises
    ------
    SourceError
        If the file is cut, or its text is not in that encoding.
    """
    found = 0
    try:
        for frame, _ in _pieces(path, encoding, rows):
            found += len(frame)
            if len(frame):
                yield frame
    except _MisfitError as error:
        raise _no_encoding(path, [str(error)]) from error
    _check_total(path, found)


def spss_rows(path: Path) -> int | None:
    """Return the rows that an SPSS file announces; None where its writer did not count them.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd, pyreadstat
    >>> from juntos_eval.surveys.read_spss import spss_rows
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.sav"
    ...     pyreadstat.write_sav(pd.DataFrame({"HC70": [1.0, 2.0, 3.0]}), path)
    ...     spss_rows(path)
    3
    """
    with path.open("rb") as stream:
        head = stream.read(84)
    if not head.startswith((b"$FL2", b"$FL3")) or len(head) < 84:
        return None
    order: Any = "little" if int.from_bytes(head[64:68], "little") in {2, 3} else "big"
    rows = int.from_bytes(head[80:84], order, signed=True)
    return rows if rows >= 0 else None


def _check_total(path: Path, found: int) -> None:
    rows = spss_rows(path)
    if rows is not None and rows != found:
        raise SourceError(
            f"The SPSS file is half-copied: {found:,} rows, its header announces {rows:,}",
            where=f"{path}, {path.stat().st_size:,} bytes",
            remedy=_REMEDY,
        )


def _first_fitting(path: Path, attempt: Callable[[str | None], _T]) -> _T:
    _check_kind(path)
    tried = []
    for candidate in (None, *_RETRIES):
        try:
            return attempt(candidate)
        except _MisfitError as error:
            tried.append(str(error))
    raise _no_encoding(path, tried)


def _last_facts(path: Path, encoding: str | None, rows: int) -> Any:
    facts = None
    for _, facts in _pieces(path, encoding, rows):  # noqa: B007
        pass
    return facts


def _pieces(path: Path, encoding: str | None, rows: int) -> Iterator[tuple[pd.DataFrame, Any]]:
    start = 0
    while True:
        frame, facts = _read(path, encoding, {"row_offset": start, "row_limit": rows})
        yield frame, facts
        if len(frame) < rows:
            return
        start += rows


def _read(path: Path, encoding: str | None, window: dict[str, int]) -> tuple[pd.DataFrame, Any]:
    import pyreadstat

    choices: dict[str, Any] = {"encoding": encoding, **_KEEP, **window}
    name = encoding or "the declared one"
    try:
        frame, facts = pyreadstat.read_sav(path, **choices)
    except (pyreadstat.ReadstatError, ValueError) as error:
        if "invalid byte sequence" in str(error) or isinstance(error, UnicodeDecodeError):
            raise _MisfitError(f"{name} does not fit") from error
        raise SourceError(
            f"The SPSS file is half-copied or damaged: {error}",
            where=f"{path}, {path.stat().st_size:,} bytes",
            remedy=_REMEDY,
        ) from error
    facts.file_encoding = encoding or facts.file_encoding or "UTF-8"
    text = _all_text(frame, facts)
    if _CONTROLS.search(text):
        raise _MisfitError(f"{facts.file_encoding} gives control characters")
    if _is_misread_utf8(text):
        raise _MisfitError(f"{facts.file_encoding} gives two characters for each accented letter")
    return frame, facts


def _no_encoding(path: Path, tried: list[str]) -> SourceError:
    return SourceError(
        f"The text of the SPSS file is in no encoding known: {'; '.join(tried)}",
        where=str(path),
        remedy="get the file as the publisher issued it",
    )


def _check_kind(path: Path) -> None:
    with path.open("rb") as stream:
        head = stream.read(4)
    if head not in {b"$FL2", b"$FL3"}:
        raise SourceError(
            "The file is no SPSS file that can be read", where=str(path), remedy="look at what was fetched"
        )


def _all_text(frame: pd.DataFrame, facts: Any) -> str:
    labels = [label or "" for label in facts.column_names_to_labels.values()]
    values = [label for codes in facts.variable_value_labels.values() for label in codes.values()]
    texts = [*frame.columns, *labels, *values]
    for name in frame.columns:
        if not pd.api.types.is_numeric_dtype(frame[name]):
            texts += [str(text) for text in frame[name].dropna().unique()]
    return "\n".join(texts)


def _is_misread_utf8(text: str) -> bool:
    """Whether UTF-8 was declared a one-byte set: two characters stand for each accented letter."""
    if not _MISREAD_UTF8.search(text):
        return False
    try:
        text.encode("cp1252").decode("utf-8")
    except (UnicodeEncodeError, UnicodeDecodeError):
        return False
    return True


def _labels(facts: Any) -> RawLabels:
    return RawLabels.of(
        variables=facts.column_names_to_labels,
        values=facts.variable_value_labels,
        missing={
            name: tuple((span["lo"], span["hi"]) for span in spans)
            for name, spans in facts.missing_ranges.items()
        },
    )
