"""ENDES adults' health: CSALUD01 to one row an adult who answered, with depressive symptoms."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.paths import RawFolder
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.endes import clean, women_schema
from juntos_eval.surveys.endes.households import CARRIED, clean_households
from juntos_eval.surveys.endes.join import Account, attach, open_endes, without_match
from juntos_eval.surveys.endes.keys import household_id, person_id
from juntos_eval.surveys.endes.persons import clean_persons
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.schema import finish

__all__ = ["clean_health"]

NOT_ANSWERED: Final = "adult chosen who did not answer (no weight)"
WITHOUT_PERSON: Final = "no person of this key in an interviewed household"


def clean_health(
    raw: RawFolder,
    year: int,
    *,
    households: CleanTable | None = None,
    persons: CleanTable | None = None,
) -> CleanTable:
    r"""Clean CSALUD01: the nine items of PHQ-9 and their sum.

    .. math:: PHQ9_i = \sum_{j=1}^{9} x_{ij}, \qquad x_{ij} \in \{0, 1, 2, 3\}

    Parameters
    ----------
    raw : RawFolder
    year : int
    households, persons : CleanTable, optional
        Of the same year, cleaned already; else they are cleaned here.

    Returns
    -------
    CleanTable

    Raises
    ------
    SourceError, SchemaError
        If a file, its columns or its content is not what was declared, or two files are of different years.

    References
    ----------
    Kroenke, K., Spitzer, R. L. & Williams, J. B. W. (2001). The PHQ-9: validity of a brief depression
    severity measure. Journal of General Internal Medicine, 16, 606-613.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.endes import clean_health
    >>> from juntos_eval.surveys.synthetic.endes import write_synthetic_endes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic_endes(Path(folder), seed=1, households=300, years=(2020,))
    ...     health = clean_health(RawFolder.at(folder), 2020)
    >>> bool(health.frame["phq9_score"].dropna().between(0, 27).all())
    True
    """
    homes = clean_households(raw, year) if households is None else households
    people = clean_persons(raw, year, households=homes) if persons is None else persons
    opened = open_endes(raw, "health", year)
    where = opened.source.name
    listed = opened.frame.assign(household_id=household_id(opened.frame["hhid"]))
    listed["person_id"] = person_id(listed["household_id"], listed["line"], where=where)
    lost = without_match(listed["person_id"], people.frame["person_id"], what="person of RECH1", where=where)
    has_weight = listed["adult_weight"].notna()
    listed = listed[~lost & has_weight]
    frame = listed[["household_id", "person_id"]].assign(
        year=np.int64(year),
        line=listed["line"].astype("int64"),
        adult_weight=clean.sampling_weight(listed["adult_weight"], where=f"{where}, PESO15_AMAS"),
    )
    told = people.frame[["person_id", "sex", "age_years"]]
    frame = attach(frame, told, on="person_id", what="persons", where="RECH1")
    for name in women_schema.SYMPTOMS:
        frame[name] = clean.full_labels(listed, "health", name)
    frame["phq9_score"] = _score(frame)
    place = homes.frame[list(CARRIED)]
    frame = attach(frame, place, on="household_id", what="households", where="households")
    account = Account(
        first=opened,
        others=(homes, people),
        dropped={WITHOUT_PERSON: int(lost.sum()), NOT_ANSWERED: int((~lost & ~has_weight).sum())},
        details={**homes.provenance.details, "weight": "adult_weight"},
    )
    return finish(frame, women_schema.HEALTH, account.provenance(year))


def _score(frame: pd.DataFrame) -> pd.Series:
    """Sum of the nine items; missing where one is."""
    codes = load_codebook("endes").codes_of("health", women_schema.SYMPTOMS[0])
    points = {code.value: float(code.code) for code in codes}
    items = [frame[name].astype("object").map(points).astype("float64") for name in women_schema.SYMPTOMS]
    return pd.concat(items, axis=1).sum(axis=1, skipna=False)
