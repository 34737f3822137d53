"""The files of the rounds in their released shape: names, codes, identities and quirks of each round."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from juntos_eval.errors import SchemaError
from juntos_eval.surveys.synthetic.young_lives.children import Cohort, months_of
from juntos_eval.surveys.synthetic.young_lives.outcomes import Outcomes, Siblings, ppvt_scores
from juntos_eval.surveys.young_lives.clean import HOURS
from juntos_eval.surveys.young_lives.open_table import columns_of
from juntos_eval.surveys.young_lives.study_files import StudyFile, load_deposit

__all__ = ["raw_frame", "round_values"]

_SPANISH: Final = 4.0
_NUMERIC_ID: Final = (4, 5)
_BODY: Final = ("height_cm", "weight_kg", "haz", "waz", "baz", "bmi", "is_haz_flagged", "is_baz_flagged")
_SAME: Final = (
    "site",
    "community_id",
    "area",
    "region",
    "age_months",
    "sex",
    "ethnicity",
    "household_size",
    "wealth_index",
    "housing_index",
    "durables_index",
    "services_index",
)


def raw_frame(file: StudyFile, values: dict[str, Any]) -> pd.DataFrame:
    """Put canonical values under the raw names of a file's round, in the order of ``columns.csv``.

    Parameters
    ----------
    file : StudyFile
    values : dict of str to array
        Canonical name -> values, coded as released; what is not given is left out.

    Returns
    -------
    pandas.DataFrame
    """
    label = "undated" if file.round is None else str(file.round)
    columns = columns_of(file)
    return pd.DataFrame(
        {column.raw[label].split("|")[0]: values[column.name] for column in columns if column.name in values}
    )


def round_values(
    file: StudyFile,
    cohort: Cohort,
    panel: pd.DataFrame,
    made: Outcomes,
    siblings: Siblings | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    """Give the canonical values of one file of one round.

    Parameters
    ----------
    file : StudyFile
    cohort : Cohort
    panel : pandas.DataFrame
        Of the cohort, as written.
    made : Outcomes
    siblings : Siblings or None
        Of the younger cohort.
    rng : numpy.random.Generator

    Returns
    -------
    dict of str to array

    Raises
    ------
    SchemaError
        For a file that is not of one round, or one of siblings where there are none.
    """
    if file.round is None:
        raise SchemaError("a file of every round is not made round by round", where=file.table)
    place = file.round - 1
    rows = _seen(cohort, panel, place)
    kind = file.table.rsplit("_", 1)[0]
    if kind == "household":
        return _household(file.round, rows, made, siblings, rng)
    if kind == "child":
        return _child(file, rows, made, siblings, rng)
    if kind == "roster":
        return _roster(file.round, rows, siblings, rng)
    if kind == "cognitive":
        return _cognitive(file.round, rows, made, siblings, rng)
    if siblings is None:
        raise SchemaError("only the younger cohort has siblings who were tested", where=file.table)
    return _siblings(file.round, rows, siblings, rng)


def _seen(cohort: Cohort, panel: pd.DataFrame, place: int) -> pd.DataFrame:
    of_round = panel[panel["round"].eq(place + 1)].reset_index(drop=True)
    names = ["code", "mother_schooling", "is_indigenous", "start", "end", "has_heard"]
    names += [f"answer_{place + 1}"] if place >= 2 else []
    drawn = cohort.children[names].reset_index(drop=True)
    row = pd.Series(np.arange(len(drawn)), name="row")
    return pd.concat([of_round, drawn, row], axis=1)[cohort.is_seen[:, place]]


def _identity(survey_round: int, rows: pd.DataFrame) -> Any:
    return rows["code"].to_numpy(dtype=float) if survey_round in _NUMERIC_ID else rows["child_id"].to_numpy()


def _household(
    survey_round: int,
    rows: pd.DataFrame,
    made: Outcomes,
    siblings: Siblings | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    is_late = survey_round in _NUMERIC_ID
    dates = rows["interview_date"]
    out: dict[str, Any] = {
        "child_id": _identity(survey_round, rows),
        # rounds 4 and 5 write day, month, year and an empty time
        "interview_date": dates.dt.strftime("%d/%m/%Y 00:00:00").to_numpy() if is_late else dates.to_numpy(),
        **{name: rows[name].to_numpy() for name in (*_SAME, *_BODY)},
        "language_spoken": np.where(rows["is_indigenous"], 2.0, 1.0),
        "mother_language": np.where(rows["is_indigenous"], 2.0, 1.0),
        "mother_schooling": rows["mother_schooling"].to_numpy(dtype=float),
    }
    if survey_round in {2, 3}:
        out["area"] = rows["area"].astype("int64").astype(str).to_numpy()
    if is_late:
        for name in ("height_cm", "weight_kg"):
            out[name] = _decimal_comma(rows[name])
    if survey_round == 2 and siblings is not None:
        out |= _early_tests(rows, made, rng)
    if survey_round >= 3:
        out |= _juntos(survey_round, rows, rng)
    if survey_round == 3 and siblings is not None:
        out |= _sibling_lines(rows, siblings)
    return out


def _decimal_comma(numbers: pd.Series) -> Any:
    return numbers.map(lambda value: "" if np.isnan(value) else f"{value:.1f}".replace(".", ",")).to_numpy()


def _early_tests(rows: pd.DataFrame, made: Outcomes, rng: np.random.Generator) -> dict[str, Any]:
    theta = made.theta[rows["row"], 1]
    is_tested = rng.uniform(size=len(rows)) < 0.96
    is_spanish = ~rows["is_indigenous"].to_numpy(dtype=bool) | (rng.uniform(size=len(rows)) < 0.5)
    cda = np.clip(np.round(8 + 3 * theta + rng.normal(0, 1, len(rows))), 0, 15)
    return {
        "ppvt_raw": np.where(is_tested, ppvt_scores(theta, 2), np.nan),
        "ppvt_rasch": np.where(is_tested & is_spanish, np.round(300 + 50 * theta, 2), np.nan),
        "cda_raw": np.where(is_tested, cda, np.nan),
        "cda_rasch": np.where(is_tested & is_spanish, np.round(300 + 50 * theta, 2), np.nan),
        "test_language": np.where(is_tested, np.where(is_spanish, 1.0, 2.0), np.nan),
    }


def _juntos(survey_round: int, rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, Any]:
    size = len(rows)
    answer = rows[f"answer_{survey_round}"].to_numpy(dtype=float)
    now = made_date(rows)
    start, end = rows["start"].to_numpy(dtype=float), rows["end"].to_numpy(dtype=float)
    was_in, has_left = start < now, (start < now) & (end < now)
    heard = rows["has_heard"].to_numpy(dtype=bool) | (answer > 0)
    years, months = months_of(start)
    end_years, end_months = months_of(end)
    forgot = rng.uniform(size=size)
    out = {
        "has_heard_juntos": heard.astype(float),
        "juntos_answer": np.where(heard, np.where(forgot > 0.995, 77.0, answer), 88.0),
        "juntos_start_month": np.where(was_in, np.where(forgot < 0.05, 77.0, months), 88.0),
        "juntos_start_year": np.where(was_in, np.where(forgot < 0.01, 7777.0, years), 8888.0),
        "juntos_end_month": np.where(has_left, end_months, 88.0),
        "juntos_end_year": np.where(has_left, end_years, 8888.0),
    }
    is_paid = was_in & ~has_left & (rng.uniform(size=size) < 0.98)
    amount = np.where(is_paid, np.where(rng.uniform(size=size) < 0.02, -77.0, 100.0), -88.0)
    return out | {
        "has_received_juntos": np.where(was_in, is_paid.astype(float), 88.0),
        "juntos_amount_soles": amount,
        "has_missed_payment": np.where(was_in, (rng.uniform(size=size) < 0.1).astype(float), 88.0),
    }


def made_date(rows: pd.DataFrame) -> Any:
    """Return interview dates as decimal years."""
    return ((rows["interview_date"] - pd.Timestamp("1960-01-01")).dt.days / 365.25 + 1960).to_numpy()


def _sibling_lines(rows: pd.DataFrame, siblings: Siblings) -> dict[str, Any]:
    found = siblings.frame.set_index("child").reindex(rows["row"])
    return {
        "sibling_1_id": found["line"].to_numpy(dtype=float),
        "sibling_1_sex": found["is_female"].map({True: 2.0, False: 1.0}).to_numpy(dtype=float),
        "sibling_1_height_cm": found["height_3"].to_numpy(dtype=float),
        "sibling_1_weight_kg": found["weight_3"].to_numpy(dtype=float),
    }


def _child(
    file: StudyFile,
    rows: pd.DataFrame,
    made: Outcomes,
    siblings: Siblings | None,
    rng: np.random.Generator,
) -> dict[str, Any]:
    survey_round = int(file.round or 0)
    out: dict[str, Any] = {
        "child_id": _identity(survey_round, rows),
        "age_months": rows["age_months"].to_numpy(),
        **{name: rows[name].to_numpy() for name in _BODY},
        **_hours(rows, rng),
    }
    if survey_round in _NUMERIC_ID:
        for name in ("height_cm", "weight_kg"):
            out[name] = _decimal_comma(rows[name])
    if siblings is not None and survey_round in _NUMERIC_ID:
        out["sibling_haz"] = _of_siblings(rows, siblings, f"haz_{survey_round}").round(2)
    if file.table == "child_younger" and survey_round == 3:
        return _with_doubles(file, out | _round_3_tests(rows, made, siblings, rng))
    return out


def _hours(rows: pd.DataFrame, rng: np.random.Generator) -> dict[str, Any]:
    """Give hours with codes of no answer where the panel has none."""
    codes = rng.choice([77.0, 88.0, 99.0], size=(len(rows), len(HOURS)))
    return {
        name: np.where(rows[name].isna(), codes[:, place], rows[name]) for place, name in enumerate(HOURS)
    }


def _of_siblings(rows: pd.DataFrame, siblings: Siblings, name: str) -> Any:
    return siblings.frame.set_index("child")[name].reindex(rows["row"]).to_numpy(dtype=float)


def _round_3_tests(
    rows: pd.DataFrame, made: Outcomes, siblings: Siblings | None, rng: np.random.Generator
) -> dict[str, Any]:
    size = len(rows)
    theta, maths = made.theta[rows["row"], 2], made.maths[rows["row"], 2]
    reading = 0.7 * theta + rng.normal(0, 0.6, size)
    is_tested = rng.uniform(size=size) < 0.97

    def known(values: Any) -> Any:
        return np.where(is_tested, values, np.nan)

    out = {
        "ppvt_raw": known(ppvt_scores(theta, 3)),
        "ppvt_uncorrected": known(ppvt_scores(theta, 3)),
        "ppvt_rasch": known(np.round(300 + 50 * theta, 2)),
        "ppvt_language": known(_SPANISH),
        "maths_raw": known(np.clip(np.round(14 + 5 * maths), 0, 29)),
        "maths_corrected": known(np.clip(np.round(12 + 5 * maths), 0, 27)),
        "maths_rasch": known(np.round(300 + 50 * maths, 2)),
        "egra_raw": known(np.clip(np.round(8 + 3 * reading), 0, 14)),
        "egra_corrected": known(np.clip(np.round(7 + 3 * reading), 0, 13)),
        "egra_rasch": known(np.round(300 + 50 * reading, 2)),
    }
    if siblings is None:
        return out
    theirs = _of_siblings(rows, siblings, "theta_3")
    return out | {
        "sibling_id": _of_siblings(rows, siblings, "line"),
        "sibling_ppvt_raw": np.clip(np.round(35 + 15 * theirs), 0, 125),
        "sibling_ppvt_rasch": np.round(300 + 50 * theirs, 2),
        "sibling_ppvt_language": np.where(np.isnan(theirs), np.nan, _SPANISH),
    }


def _with_doubles(file: StudyFile, values: dict[str, Any]) -> dict[str, Any]:
    """Write the double rows that the codebook names, where their children are among those drawn."""
    rows = pd.DataFrame(values)
    doubles = []
    for named in load_deposit().duplicates:
        # where the child's own sibling has that line already, two rows could not be told apart
        own = rows[rows["child_id"].eq(named.child_id) & rows["sibling_id"].ne(named.sibling_id)]
        if named.table == file.table and len(own):
            doubles.append(own.assign(sibling_id=float(named.sibling_id)))
    whole = pd.concat([rows, *doubles], ignore_index=True).sort_values("child_id", kind="stable")
    return {str(name): whole[name].to_numpy() for name in whole}


def _cognitive(
    survey_round: int, rows: pd.DataFrame, made: Outcomes, siblings: Siblings | None, rng: np.random.Generator
) -> dict[str, Any]:
    size = len(rows)
    theta = made.theta[rows["row"], survey_round - 1]
    raw = np.where(rng.uniform(size=size) < 0.96, ppvt_scores(theta, survey_round), np.nan)
    maths = np.clip(np.round(15 + 5 * made.maths[rows["row"], survey_round - 1]), 0, 34)
    reading = np.clip(np.round(13 + 4 * (0.7 * theta + rng.normal(0, 0.6, size))), 0, 24)
    out: dict[str, Any] = {
        "child_id": _identity(survey_round, rows),
        "ppvt_raw": raw,
        "ppvt_percent": np.round(raw / 125 * 100, 2),
        "maths_raw": maths,
        "reading_raw": reading,
    }
    if siblings is not None and survey_round == 4:
        out |= _later_sibling_tests(rows, siblings, survey_round)
    return out


def _later_sibling_tests(rows: pd.DataFrame, siblings: Siblings, survey_round: int) -> dict[str, Any]:
    raw = np.clip(np.round(60 + 16 * _of_siblings(rows, siblings, f"theta_{survey_round}")), 0, 125)
    return {"sibling_ppvt_raw": raw, "sibling_ppvt_percent": np.round(raw / 125 * 100, 2)}


def _siblings(
    survey_round: int, rows: pd.DataFrame, siblings: Siblings, rng: np.random.Generator
) -> dict[str, Any]:
    kept = rows[rows["row"].isin(siblings.frame["child"])]
    out: dict[str, Any] = {"child_id": _identity(survey_round, kept)}
    if survey_round == 5:
        return out | _later_sibling_tests(kept, siblings, survey_round)
    haz = _of_siblings(kept, siblings, "haz_3").round(2)
    baz = rng.normal(0.3, 0.9, len(kept)).round(2)
    return out | {
        "sibling_1_bmi": np.round(16 + baz, 2),
        "sibling_1_waz": np.round(0.75 * haz + 0.65 * baz, 2),
        "sibling_1_haz": haz,
        "sibling_1_baz": baz,
        "sibling_1_is_haz_flagged": (np.abs(haz) > 6).astype(float),
    }


def _roster(
    survey_round: int, rows: pd.DataFrame, siblings: Siblings | None, rng: np.random.Generator
) -> dict[str, Any]:
    """List the child (line 0 from round 2 on), its parents, and its sibling."""
    size = len(rows)
    child = pd.DataFrame(
        {
            "child_id": _identity(survey_round, rows),
            "line": 0.0,
            "age_years": np.floor(rows["age_months"].to_numpy() / 12),
            "sex": rows["sex"].to_numpy(),
            "relation": 0.0,
            "schooling": rows["grade_enrolled"].fillna(0.0).to_numpy(),
            **_hours(rows, rng),
        }
    )
    blank = {name: np.full(size, np.nan) for name in HOURS}
    parents = [
        child.assign(
            line=line,
            age_years=rng.integers(22, 50, size).astype(float),
            sex=sex,
            relation=1.0,
            schooling=rows["mother_schooling"].to_numpy(dtype=float),
            **blank,
        )
        for line, sex in ((1.0, 2.0), (2.0, 1.0))
    ]
    parts = [*([child] if survey_round > 1 else []), *parents]
    if siblings is not None and survey_round == 3:
        is_with = rows["row"].isin(siblings.frame["child"]).to_numpy()
        age = made_date(rows) - _of_siblings(rows, siblings, "birth")
        sibling = child.assign(
            line=_of_siblings(rows, siblings, "line"), age_years=np.floor(age), relation=7.0, **blank
        )
        parts.append(sibling[is_with])
    whole = pd.concat(parts).sort_values(["child_id", "line"], kind="stable")
    return {str(name): whole[name].to_numpy() for name in whole}
