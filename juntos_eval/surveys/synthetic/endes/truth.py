"""What was planted in synthetic ENDES: effects by outcome and year, of all and by year of entry."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from juntos_eval.arrays import Floats, FrozenMapping
from juntos_eval.errors import SchemaError, SourceError
from juntos_eval.surveys.synthetic.endes.chunk import Chunk

__all__ = [
    "ENDES_TRUTH_FILE",
    "EndesEffect",
    "EndesTruth",
    "add_up",
    "find_effects",
    "read_endes_truth",
]

ENDES_TRUTH_FILE: Final = "endes_truth.json"

#: Outcome as the clean tables name it -> columns of both potential outcomes, and the one realised.
_VIOLENCE: Final = {
    "has_physical_violence_last_12_months": "physical",
    "has_sexual_violence_last_12_months": "sexual",
    "has_emotional_violence_last_12_months": "emotional",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EndesEffect:
    r"""One planted effect, on the scale of its outcome.

    Attributes
    ----------
    outcome : str
        As the clean tables name it.
    year : int
    estimand : str
        ``att``: mean of :math:`Y_i(1) - Y_i(0)` over rows of affiliated households. ``itt``: over rows of
        eligible households in covered districts, each times its chance to affiliate: what a
        difference-in-differences of eligible women by the district's year of entry should find.
    first_treated : int
        Year of entry of the districts averaged over; 0: all.
    value : float
        Weighted by the household's sampling weight; NaN where there is no such row.
    naive_gap : float
        Mean of the realised outcome of affiliated (``itt``: eligible and covered) rows less that of all
        others; NaN for single years of entry.
    rows : int
        Behind ``value``.
    """

    outcome: str
    year: int
    estimand: str
    first_treated: int
    value: float
    naive_gap: float
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EndesTruth:
    """Everything planted in one folder of synthetic ENDES files.

    Attributes
    ----------
    seed, households : int
        ``households`` a year, as asked for.
    years : tuple of int
    parameters : FrozenMapping
    effects : tuple of EndesEffect

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.synthetic.endes import write_synthetic_endes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     truth = write_synthetic_endes(Path(folder), seed=1, households=400, years=(2019,))
    >>> truth.effect("has_physical_violence_last_12_months", 2019).value < 0
    True
    """

    seed: int
    households: int
    years: tuple[int, ...]
    parameters: FrozenMapping[str, Any]
    effects: tuple[EndesEffect, ...]

    def effect(
        self, outcome: str, year: int, *, estimand: str = "att", first_treated: int = 0
    ) -> EndesEffect:
        """Look up one planted effect.

        Parameters
        ----------
        outcome : str
        year : int
        estimand : {"att", "itt"}
        first_treated : int
            0 for all years of entry together.

        Returns
        -------
        EndesEffect

        Raises
        ------
        SchemaError
            If nothing was planted under that name.
        """
        for planted in self.effects:
            if (planted.outcome, planted.year, planted.estimand, planted.first_treated) == (
                outcome,
                year,
                estimand,
                first_treated,
            ):
                return planted
        known = ", ".join(sorted({planted.outcome for planted in self.effects}))
        raise SchemaError(
            f"No {estimand} of entry in {first_treated or 'any year'} was planted for {outcome} in {year}",
            where=ENDES_TRUTH_FILE,
            remedy=f"outcomes of {', '.join(map(str, self.years))}: {known}",
        )

    def to_json(self) -> str:
        """Return the JSON text of ``endes_truth.json``; effects that do not exist are null."""
        effects = [
            {key: None if value != value else value for key, value in asdict(planted).items()}  # noqa: PLR0124
            for planted in self.effects
        ]
        record = {
            "seed": self.seed,
            "households": self.households,
            "years": list(self.years),
            "parameters": dict(self.parameters),
            "effects": effects,
            "is_synthetic": True,
        }
        return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> EndesTruth:
        """Read back what ``to_json`` wrote.

        Raises
        ------
        SchemaError
            If the text is no such record.
        """
        try:
            record = json.loads(text)
            effects = tuple(_read_effect(planted) for planted in record["effects"])
            return cls(
                seed=record["seed"],
                households=record["households"],
                years=tuple(record["years"]),
                parameters=FrozenMapping(record["parameters"]),
                effects=effects,
            )
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise SchemaError(
                f"This is no record of a planted truth: {error}",
                where=ENDES_TRUTH_FILE,
                remedy="write the synthetic files again",
            ) from error


def _read_effect(planted: dict[str, Any]) -> EndesEffect:
    known: dict[str, Any] = {key: float("nan") if value is None else value for key, value in planted.items()}
    return EndesEffect(**known)


def read_endes_truth(folder: Path) -> EndesTruth:
    """Read the planted truth of a folder of synthetic ENDES files.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    EndesTruth

    Raises
    ------
    SourceError
        If the folder has none.
    """
    path = folder / ENDES_TRUTH_FILE
    if not path.is_file():
        raise SourceError(
            "No planted truth of ENDES lies here",
            where=str(path),
            remedy="write the folder with write_synthetic_endes",
        )
    return EndesTruth.from_json(path.read_text(encoding="utf-8"))


def add_up(chunk: Chunk) -> pd.DataFrame:
    """Return sums by outcome and year of entry, which add over chunks.

    Parameters
    ----------
    chunk : Chunk

    Returns
    -------
    pandas.DataFrame
    """
    parts = [_sums(outcome, rows, effect, seen) for outcome, rows, effect, seen in _outcomes(chunk)]
    return pd.concat(parts, ignore_index=True)


def _outcomes(chunk: Chunk) -> Iterator[tuple[str, pd.DataFrame, np.ndarray, np.ndarray]]:
    asked = chunk.violence[chunk.violence["union"] > 0]
    for outcome, kind in _VIOLENCE.items():
        effect = (asked[f"{kind}_1"] - asked[f"{kind}_0"]).to_numpy()
        yield outcome, asked, effect, asked[kind].eq(2).to_numpy(dtype=float)
    drunk = (asked["drunk_1"] - asked["drunk_0"]).to_numpy()
    yield "has_often_drunk_partner", asked, drunk, asked["drunk"].to_numpy(dtype=float)
    children = chunk.children
    haz = np.where(children["has_juntos"], children["haz_1"], children["haz_0"])
    yield "haz", children, (children["haz_1"] - children["haz_0"]).to_numpy(), haz
    stunted = _below(children["haz_1"]) - _below(children["haz_0"])
    yield "is_stunted", children, stunted, (haz < -2).astype(float)
    births = chunk.births[chunk.births["age_days"] < 1826]
    gain = (births["checks_1"] - births["checks_0"]).to_numpy()
    was_covered = births["is_exposed"] | ~births["has_juntos"]
    gain = np.where(was_covered, gain, 0.0)
    yield "prenatal_checks", births, gain, births["prenatal_checks"].to_numpy(dtype=float)


def _below(haz: pd.Series) -> Floats:
    return np.asarray(haz.to_numpy() < -2, dtype=np.float64)


def _sums(outcome: str, rows: pd.DataFrame, effect: np.ndarray, seen: np.ndarray) -> pd.DataFrame:
    weight = rows["weight"].to_numpy()
    treated = rows["has_juntos"].to_numpy(dtype=bool)
    chance = rows["take_up_chance"].to_numpy()
    reached = chance > 0
    frame = pd.DataFrame(
        {
            "first_treated": rows["first_treated"].fillna(0).to_numpy(dtype=np.int64),
            "att_sum": weight * treated * effect,
            "att_weight": weight * treated,
            "att_rows": treated.astype(int),
            "itt_sum": weight * reached * chance * effect,
            "itt_weight": weight * reached,
            "itt_rows": reached.astype(int),
            "seen_treated": weight * treated * seen,
            "seen_reached": weight * reached * seen,
            "seen": weight * seen,
            "weight": weight,
        }
    )
    return frame.groupby("first_treated", as_index=False).sum().assign(outcome=outcome)


def find_effects(sums: pd.DataFrame, year: int) -> list[EndesEffect]:
    """Make the effects of a year of the sums of its chunks.

    Parameters
    ----------
    sums : pandas.DataFrame
        Rows of ``add_up``.
    year : int

    Returns
    -------
    list of EndesEffect
    """
    effects = []
    for outcome, own in sums.groupby("outcome", sort=False):
        total = own.drop(columns=["outcome", "first_treated"]).sum()
        for estimand, seen in (("att", "seen_treated"), ("itt", "seen_reached")):
            gap = _gap(total, estimand, seen)
            effects.append(_effect(str(outcome), year, estimand, 0, total, gap))
            by_entry = own.drop(columns="outcome").groupby("first_treated").sum()
            for entry, row in by_entry.iterrows():
                if row[f"{estimand}_rows"] > 0:
                    effects.append(_effect(str(outcome), year, estimand, int(str(entry)), row, float("nan")))
    return effects


def _effect(outcome: str, year: int, estimand: str, entry: int, row: pd.Series, gap: float) -> EndesEffect:
    return EndesEffect(
        outcome=outcome,
        year=year,
        estimand=estimand,
        first_treated=entry,
        value=_ratio(row[f"{estimand}_sum"], row[f"{estimand}_weight"]),
        naive_gap=gap,
        rows=int(row[f"{estimand}_rows"]),
    )


def _gap(total: pd.Series, estimand: str, seen: str) -> float:
    treated = _ratio(total[seen], total[f"{estimand}_weight"])
    others = _ratio(total["seen"] - total[seen], total["weight"] - total[f"{estimand}_weight"])
    return treated - others


def _ratio(above: float, below: float) -> float:
    return float(above) / float(below) if below > 0 else float("nan")
