"""Young Lives: how a registered user gets the files, and the unpacking of zips placed by hand."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from juntos_eval.surveys.extract import extract_all
from juntos_eval.surveys.young_lives.study_files import SURVEY, load_deposit

__all__ = ["how_to_get", "unpack_deposits"]

_ZIP: Final = re.compile(r"^ukda-(\d{4})-(stata|spss|tab)\.zip$", re.IGNORECASE)


def how_to_get(root: Path) -> str:
    """Return how a user gets the files of Young Lives Peru and where to put them.

    Parameters
    ----------
    root : Path
        The raw folder.

    Returns
    -------
    str

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.fetch.young_lives import how_to_get
    >>> "data_raw/young_lives/UKDA-7483-stata.zip" in how_to_get(Path("data_raw"))
    True
    """
    deposit = load_deposit()
    folder = root / SURVEY
    lines = [
        "Young Lives Peru is not fetched: the UK Data Service gives it to registered users under its",
        "End User Licence, free of charge, and no row of it may be passed on.",
        "",
        "1. Register at https://ukdataservice.ac.uk (an institution's login or a UK Data Service account).",
        "2. Make a project that says what the data is for, and add the studies below to it.",
        "3. Accept the End User Licence and download each study as Stata (else SPSS or TAB).",
        "4. Put the zips, as they come, here (nothing need be unpacked):",
        "",
    ]
    for study, facts in sorted(deposit.studies.items()):
        lines.append(f"   {(folder / f'UKDA-{study}-stata.zip').as_posix():<48} {facts}")
    return "\n".join([*lines, "", "Then: juntos-eval doctor"])


def unpack_deposits(root: Path) -> tuple[Path, ...]:
    """Unpack every ``UKDA-<SN>-<format>.zip`` of the raw folder beside it, safely.

    The files are read from the zips too; unpacking saves time when they are read often. The archive's own
    folders are kept, for a study may hold one file in two versions of a format.

    Parameters
    ----------
    root : Path

    Returns
    -------
    tuple of Path
        Data files written.

    Raises
    ------
    SourceError
        If a zip is damaged, encrypted or leads out of its folder.
    """
    folder = root / SURVEY
    made: list[Path] = []
    for path in sorted(folder.iterdir()) if folder.is_dir() else []:
        if _ZIP.match(path.name):
            made += extract_all(path, folder / path.stem, keeps_folders=True)
    return tuple(made)
