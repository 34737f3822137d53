"""Test scores: raw, percentage, Rasch, comparable across rounds, and standardised within age."""

from __future__ import annotations

from typing import Final

import pandas as pd

from juntos_eval.errors import SourceError
from juntos_eval.paths import RawFolder
from juntos_eval.surveys.provenance import CleanTable
from juntos_eval.surveys.young_lives.accounts import account, finish_children, open_rounds
from juntos_eval.surveys.young_lives.clean import completed_years, score_within_age
from juntos_eval.surveys.young_lives.open_table import StudyTable, has_study_table, open_study_table
from juntos_eval.surveys.young_lives.panel import open_panel
from juntos_eval.surveys.young_lives.schema_tables import TEST_NAMES, TESTS
from juntos_eval.surveys.young_lives.study_files import load_deposit

__all__ = ["SCORES", "clean_tests", "long_scores"]

#: (table, round, test) -> what its columns are: kind of score -> canonical column.
SCORES: Final[dict[tuple[str, int, str], dict[str, str]]] = {
    ("household_younger", 2, "ppvt"): {
        "raw": "ppvt_raw",
        "rasch": "ppvt_rasch",
        "language_code": "test_language",
    },
    ("household_younger", 2, "cda"): {
        "raw": "cda_raw",
        "rasch": "cda_rasch",
        "language_code": "test_language",
    },
    ("child_younger", 3, "ppvt"): {
        "raw": "ppvt_raw",
        "rasch": "ppvt_rasch",
        "language_code": "ppvt_language",
    },
    ("child_younger", 3, "maths"): {
        "raw": "maths_raw",
        "corrected": "maths_corrected",
        "rasch": "maths_rasch",
    },
    ("child_younger", 3, "egra"): {"raw": "egra_raw", "corrected": "egra_corrected", "rasch": "egra_rasch"},
    ("cognitive_younger", 4, "ppvt"): {"raw": "ppvt_raw", "percent": "ppvt_percent"},
    ("cognitive_younger", 4, "maths"): {"raw": "maths_raw"},
    ("cognitive_younger", 4, "reading"): {"raw": "reading_raw"},
    ("cognitive_younger", 5, "ppvt"): {"raw": "ppvt_raw", "percent": "ppvt_percent"},
    ("cognitive_younger", 5, "maths"): {"raw": "maths_raw"},
    ("cognitive_younger", 5, "reading"): {"raw": "reading_raw"},
}
_IRT: Final = {"ppvt_irt": "ppvt", "maths_irt": "maths", "reading_irt": "reading"}
_KINDS: Final = ("raw", "corrected", "percent", "rasch", "language_code")
#: Codes of ``language1`` in round 2, whose labels stand in codes.csv.
_LANGUAGES: Final = {"spanish": 1.0, "quechua": 2.0, "other": 3.0}


def clean_tests(raw: RawFolder) -> CleanTable:
    """Clean test scores: one row a child, round and test with any score.

    Raw scores come from the files of each round, abilities comparable across rounds from the IRT files of
    study 7483 (PPVT also for the older cohort). ``z_within_age`` standardises the raw score within test,
    round, cohort and age in completed years; groups of fewer than five give none. Scores of different
    languages are not comparable: the language stands beside each.

    Parameters
    ----------
    raw : RawFolder
        With the panel, for ages, and any file with scores.

    Returns
    -------
    CleanTable

    Raises
    ------
    SourceError
        If no file with scores is there.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.paths import RawFolder
    >>> from juntos_eval.surveys.synthetic.young_lives import write_young_lives
    >>> from juntos_eval.surveys.young_lives import clean_tests
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_young_lives(Path(folder), seed=1, share=0.05, studies=(7483, 6853))
    ...     tests = clean_tests(RawFolder.at(folder)).frame
    >>> sorted(tests["test"].unique())
    ['egra', 'maths', 'ppvt', 'reading']
    """
    panel = open_panel(raw, ("age_months",))
    columns = frozenset(name for kinds in SCORES.values() for name in kinds.values())
    with_scores: dict[tuple[str, int], StudyTable] = {}
    missing: list[str] = []
    for table, one in dict.fromkeys(place[:2] for place in SCORES):
        opened, gone = open_rounds(raw, (table,), rounds=(one,), only=columns)
        with_scores |= opened
        missing += gone
    irt = {name: open_study_table(raw, name) for name in _IRT if has_study_table(raw, name)}
    if not with_scores and not irt:
        raise SourceError(
            "No file with test scores is there",
            where=str(raw.root),
            remedy=f"put these there: {'; '.join(missing)}",
        )
    scores = long_scores(with_scores)
    abilities = _abilities(irt)
    joined = scores.merge(abilities, on=["child_id", "round", "cohort", "test"], how="outer")
    ages = panel.frame[["child_id", "round", "age_months"]].astype({"round": "int64"})
    whole = joined.merge(ages, on=["child_id", "round"], how="left", indicator=True)
    notes = {"scores of children whom the panel does not have": int(whole["_merge"].eq("left_only").sum())}
    lacking = missing + [load_deposit().file(name, None).label for name in _IRT if name not in irt]
    notes |= {f"{label}: file not there": 1 for label in lacking}
    used = (panel, *with_scores.values(), *irt.values())
    frame = _finished(whole)
    return finish_children(frame, TESTS, account(used, rows_in=len(frame), notes=notes))


def long_scores(opened: dict[tuple[str, int], StudyTable]) -> pd.DataFrame:
    """Turn the score columns of the rounds' files into one row a child, round and test.

    Parameters
    ----------
    opened : dict of (table, round) to StudyTable

    Returns
    -------
    pandas.DataFrame
        Rows without any score are left out.

    Examples
    --------
    >>> from juntos_eval.surveys.young_lives.achievement import long_scores
    >>> long_scores({}).columns.tolist()[:4]
    ['child_id', 'round', 'cohort', 'test']
    """
    parts = []
    for (table, survey_round, test), columns in SCORES.items():
        if (table, survey_round) not in opened:
            continue
        frame = opened[table, survey_round].frame
        part = pd.DataFrame({"child_id": frame["child_id"], "round": survey_round, "cohort": "younger"})
        part["test"] = test
        for kind in _KINDS:
            name = columns.get(kind)
            found = (
                frame[name] if name is not None and name in frame else pd.Series(float("nan"), frame.index)
            )
            part[kind] = found.map(_LANGUAGES).astype("float64") if name == "test_language" else found
        parts.append(part[part[["raw", "corrected", "percent", "rasch"]].notna().any(axis=1)])
    columns_out = ["child_id", "round", "cohort", "test", *_KINDS]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns_out)


def _abilities(irt: dict[str, StudyTable]) -> pd.DataFrame:
    parts = []
    for name, table in irt.items():
        rows = table.frame[table.frame["irt"].notna()]
        part = rows[["child_id", "irt"]].assign(
            round=rows["round"].astype("int64"), cohort=rows["cohort"].astype("str"), test=_IRT[name]
        )
        parts.append(part)
    return pd.concat(parts) if parts else pd.DataFrame(columns=["child_id", "irt", "round", "cohort", "test"])


def _finished(whole: pd.DataFrame) -> pd.DataFrame:
    age = completed_years(whole["age_months"])
    groups = [whole["test"], whole["round"], whole["cohort"], age]
    return pd.DataFrame(
        {
            "child_id": whole["child_id"].astype("str"),
            "round": whole["round"].astype("int64"),
            "cohort": pd.Categorical(whole["cohort"], categories=["younger", "older"]),
            "test": pd.Categorical(whole["test"], categories=TEST_NAMES),
            "age_years": age,
            **{kind: whole[kind].astype("float64") for kind in ("raw", "corrected", "percent", "rasch")},
            "irt": whole["irt"].astype("float64"),
            "language_code": whole["language_code"].astype("float64"),
            "z_within_age": score_within_age(whole["raw"].astype("float64"), groups),
        }
    )
