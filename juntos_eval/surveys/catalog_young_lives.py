"""What the UK Data Service holds of Young Lives Peru: which study has which files, by public listings."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from juntos_eval.surveys.catalog import table_text

__all__ = ["DepositedFile", "deposited_files", "names_on_disk"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DepositedFile:
    """One file of a study.

    Attributes
    ----------
    round : str
        ``R1`` to ``R5``; ``R1-5`` of the constructed files.
    study : int
        Study number (SN).
    cohort : str
        ``YC`` younger, ``OC`` older, ``comm`` communities, ``both``.
    folder, file : str
        As listings show them, the file without suffix.
    seen : str
        ``listing``, ``study_page``, or ``inferred`` from another country's twin.

    Examples
    --------
    >>> from juntos_eval.surveys.catalog_young_lives import deposited_files
    >>> [file.file for file in deposited_files() if file.study == 7483][0]
    'peru_constructed'
    """

    round: str
    study: int
    cohort: str
    folder: str
    file: str
    seen: str

    @property
    def id_rule(self) -> str:
        """How the file names a child: rounds 4 and 5 hold a number where the others hold a text."""
        if self.round in {"R4", "R5"}:
            return 'CHILDCODE numeric; childid = "PE"+zfill(6)'
        return 'childid ("PE"+6 digits)'

    @property
    def stem(self) -> str:
        """Name of the file without folder and suffix."""
        return self.file.rpartition("/")[2]


@lru_cache
def deposited_files() -> tuple[DepositedFile, ...]:
    """Return every file known, in the order of the listing.

    Examples
    --------
    >>> from juntos_eval.surveys.catalog_young_lives import deposited_files
    >>> len(deposited_files())
    88
    """
    return tuple(
        DepositedFile(
            round=row["round"],
            study=int(row["study"]),
            cohort=row["cohort"],
            folder=row["folder"],
            file=row["file"],
            seen=row["seen"],
        )
        for row in csv.DictReader(table_text("young_lives.csv").splitlines())
    )


def names_on_disk(folder: Path) -> dict[str, str]:
    """Return the stem of each data file below a folder, loose or in a zip, and where it lies.

    Parameters
    ----------
    folder : Path
        ``<data_raw>/young_lives``.

    Returns
    -------
    dict of str to str
        Stem in lower case -> path below the folder.

    Raises
    ------
    SourceError
        If a zip there is damaged or not to be trusted.
    """
    from juntos_eval.surveys.extract import DATA_SUFFIXES, check_archive

    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
        place = path.relative_to(folder).as_posix()
        if path.suffix.lower() == ".zip":
            for member in check_archive(path):
                inside = Path(member.filename)
                if inside.suffix.lower() in DATA_SUFFIXES:
                    found.setdefault(inside.stem.lower(), f"{place}: {member.filename}")
        elif path.suffix.lower() in DATA_SUFFIXES:
            found[path.stem.lower()] = place
    return found
