"""The bytes of a study's file to a raw frame, loose or inside the zip of the UK Data Service."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from juntos_eval.paths import Expectation
from juntos_eval.surveys.extract import lent_member
from juntos_eval.surveys.read import RawTable, read_raw
from juntos_eval.surveys.read_delimited import TextRules
from juntos_eval.surveys.young_lives.locate import FoundFile

__all__ = ["read_study_file"]

#: Fields of ``.tab`` files that mean "no value".
_RULES: Final = TextRules(missing=("", " ", "."))


def read_study_file(found: FoundFile, expected: Expectation | None = None) -> RawTable:
    """Read a ``.dta``, ``.sav`` or ``.tab``, loose or inside a zip; codes stay codes, labels are kept.

    Parameters
    ----------
    found : FoundFile
    expected : Expectation, optional
        Rows, bytes and sha256 of a sound copy.

    Returns
    -------
    RawTable
        Of a zip: of the member, under the member's name.

    Raises
    ------
    SourceError
        If the file is truncated, of a wrong encoding, encrypted, damaged, or no data at all.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.locate import FoundFile
    >>> from juntos_eval.surveys.young_lives.read_study import read_study_file
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "a.dta"
    ...     frame = pd.DataFrame({"appjntr3": [0.0, 1.0]})
    ...     frame.to_stata(path, write_index=False, value_labels={"appjntr3": {0: "no", 1: "beneficiary"}})
    ...     read_study_file(FoundFile(path=path)).labels.values["appjntr3"][1]
    'beneficiary'
    """
    if found.member is None:
        return read_raw(found.path, rules=_RULES, expected=expected)
    with lent_member(found.path, found.member) as path:
        read = read_raw(path, rules=_RULES, expected=expected)
    return replace(read, member=found.member)
