"""Write frames as the UK Data Service does: .dta, .sav or .tab, and zips; the same seed, the same bytes."""

from __future__ import annotations

import zipfile
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Final, Literal

import pandas as pd

from juntos_eval.paths import atomic_path
from juntos_eval.surveys.synthetic.raw_layout import STAMP

__all__ = ["write_study_file", "zip_study"]

#: Where an SPSS header keeps date and time of writing.
_SPSS_DATE: Final = 92
_SPSS_STAMP: Final = b"01 Jan 2600:00:00"

Labels = Mapping[str, Mapping[int, str]]
Version = Literal[114, 118]


def write_study_file(path: Path, frame: pd.DataFrame, labels: Labels, *, version: Version = 118) -> Path:
    """Write a raw file in the format that its suffix names.

    Parameters
    ----------
    path : Path
        ``.dta``, ``.sav`` or ``.tab``; upper and lower case of the columns as released.
    frame : pandas.DataFrame
    labels : mapping of str to mapping of int to str
        Column -> code -> text; a ``.tab`` carries none.
    version : int
        Of a Stata file.

    Returns
    -------
    Path
    """
    writers = {".dta": _write_dta, ".sav": _write_sav, ".tab": _write_tab}
    with atomic_path(path) as partial:
        writers[path.suffix](partial, frame, labels, version)
    return path


def _write_dta(path: Path, frame: pd.DataFrame, labels: Labels, version: Version) -> None:
    stored = frame.copy()
    for name in stored.columns:
        if pd.api.types.is_datetime64_any_dtype(stored[name]):
            stored[name] = (stored[name] - pd.Timestamp("1960-01-01")).dt.days.astype("float64")
        elif not pd.api.types.is_numeric_dtype(stored[name]):
            stored[name] = stored[name].fillna("")
    known: dict[Hashable, dict[float, str]] = {
        name: {float(code): text for code, text in codes.items()}
        for name, codes in labels.items()
        if name in stored
    }
    with path.open("wb") as stream:
        stored.to_stata(stream, write_index=False, version=version, time_stamp=STAMP, value_labels=known)


def _write_sav(path: Path, frame: pd.DataFrame, labels: Labels, _version: Version) -> None:
    import pyreadstat

    known: dict[str, dict[int | float, str]] = {
        name: dict(codes.items()) for name, codes in labels.items() if name in frame
    }
    pyreadstat.write_sav(frame, str(path), variable_value_labels=known)
    with path.open("r+b") as stream:
        stream.seek(_SPSS_DATE)
        stream.write(_SPSS_STAMP)


def _write_tab(path: Path, frame: pd.DataFrame, _labels: Labels, _version: Version) -> None:
    stored = frame.copy()
    for name in stored.columns:
        if pd.api.types.is_datetime64_any_dtype(stored[name]):
            stored[name] = stored[name].dt.strftime("%m/%d/%Y")
        elif pd.api.types.is_float_dtype(stored[name]):
            stored[name] = stored[name].map(_bare)
    stored.to_csv(path, sep="\t", index=False, na_rep=" ", lineterminator="\n", encoding="utf-8")


def _bare(value: float) -> str | None:
    return None if value != value else f"{value:.10g}"  # noqa: PLR0124 - NaN is not itself


def zip_study(path: Path, folder: Path, members: list[Path]) -> Path:
    """Pack files below a folder into the zip of a study, always the same bytes.

    Parameters
    ----------
    path : Path
        ``UKDA-<SN>-<format>.zip``.
    folder : Path
        Names in the zip are relative to it.
    members : list of Path

    Returns
    -------
    Path
    """
    with atomic_path(path) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in sorted(members):
            facts = zipfile.ZipInfo(member.relative_to(folder).as_posix(), date_time=(2026, 1, 1, 0, 0, 0))
            facts.compress_type = zipfile.ZIP_DEFLATED
            facts.external_attr = 0o644 << 16
            archive.writestr(facts, member.read_bytes())
    return path
