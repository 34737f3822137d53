"""The record of what was planted: one effect an outcome, and the gap that a naive reader would report."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import SchemaError, SourceError

__all__ = ["TRUTH_FILE", "TRUTH_VERSION", "PlantedEffect", "SyntheticTruth", "read_truth"]

TRUTH_FILE: Final = "synthetic_truth.json"
TRUTH_VERSION: Final = "1"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedEffect:
    r"""One planted effect, on the scale of its outcome (shares between 0 and 1, or raw-score items).

    Attributes
    ----------
    outcome : str
        As named in the clean table of households.
    year : int
    estimand : str
        ``att`` (all Juntos households that answered) or ``att_entrants`` (credibly linked households that
        entered between the years: the effect of the second year; naive is then the raw
        difference-in-differences against households in neither year).
    value : float
        Sample effect on the treated, :math:`\sum_i w_i (p_{1i} - p_{0i}) / \sum_i w_i` over treated
        children (or households, for food outcomes), with the individual probabilities of both potential
        outcomes; w is the household's weight, so that a household counts as often as it has children of the
        group.
    population : float
        The same with every household's chance of treatment in place of its realised treatment: what
        ``value`` is on average over draws of treatment.
    household_value : float
        The same with each household counted once, at the mean effect among its children.
    naive_gap : float
        Weighted mean of the treated less that of the untreated, as answered.
    treated_households, treated_children : int
        Behind ``value``; children are 0 for food outcomes.
    """

    outcome: str
    year: int
    estimand: str
    value: float
    population: float
    household_value: float
    naive_gap: float
    treated_households: int
    treated_children: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticTruth:
    """Everything planted in one folder of synthetic files.

    Attributes
    ----------
    seed : int
    version : str
        Of the structural model: two truths of one seed and two versions may differ.
    households : int
        Asked for, a year.
    years : tuple of int
    linkable_households : int
        Household keys found in both years (0 if one year was written).
    parameters : FrozenMapping
        Of the structural model.
    effects : tuple of PlantedEffect

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.synthetic import write_synthetic
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     truth = write_synthetic(Path(folder), seed=1, households=400)
    >>> truth.effect("working_share_5_17", 2025).value < 0
    True
    """

    seed: int
    version: str
    households: int
    years: tuple[int, ...]
    linkable_households: int
    parameters: FrozenMapping[str, Any]
    effects: tuple[PlantedEffect, ...]

    def effect(self, outcome: str, year: int, estimand: str = "att") -> PlantedEffect:
        """Look up one planted effect.

        Parameters
        ----------
        outcome : str
        year : int
        estimand : str

        Returns
        -------
        PlantedEffect

        Raises
        ------
        SchemaError
            If nothing was planted under that name.
        """
        for planted in self.effects:
            if (planted.outcome, planted.year, planted.estimand) == (outcome, year, estimand):
                return planted
        known = sorted({planted.outcome for planted in self.effects if planted.estimand == estimand})
        raise SchemaError(
            f"No {estimand} was planted for {outcome} in {year}",
            where=TRUTH_FILE,
            remedy=f"outcomes of {', '.join(map(str, self.years))}: {', '.join(known)}",
        )

    def to_json(self) -> str:
        """Return the JSON text of ``synthetic_truth.json``; effects that do not exist are null."""
        record = asdict(self) | {
            "parameters": dict(self.parameters),
            "effects": [_without_nan(asdict(planted)) for planted in self.effects],
            "is_synthetic": True,
        }
        return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> SyntheticTruth:
        """Read back what ``to_json`` wrote.

        Raises
        ------
        SchemaError
            If the text is not such a record, or of another version.
        """
        try:
            record = json.loads(text)
            if record["version"] != TRUTH_VERSION:
                raise SchemaError(
                    f"The truth is of version {record['version']} and version {TRUTH_VERSION} is planted now",
                    where=TRUTH_FILE,
                    remedy="write the synthetic files again",
                )
            return cls(
                seed=record["seed"],
                version=record["version"],
                households=record["households"],
                years=tuple(record["years"]),
                linkable_households=record["linkable_households"],
                parameters=FrozenMapping(record["parameters"]),
                effects=tuple(PlantedEffect(**_with_nan(planted)) for planted in record["effects"]),
            )
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise SchemaError(
                f"This is no record of a planted truth: {error}",
                where=TRUTH_FILE,
                remedy="write the synthetic files again",
            ) from error


def read_truth(folder: Path) -> SyntheticTruth:
    """Read the planted truth of a folder of synthetic files.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    SyntheticTruth

    Raises
    ------
    SourceError
        If the folder has none.
    SchemaError
        If the record is damaged.
    """
    path = folder / TRUTH_FILE
    if not path.is_file():
        raise SourceError(
            "No planted truth lies here", where=str(path), remedy="write the folder with write_synthetic"
        )
    return SyntheticTruth.from_json(path.read_text(encoding="utf-8"))


def _without_nan(record: dict[str, Any]) -> dict[str, Any]:
    return {key: None if value != value else value for key, value in record.items()}  # noqa: PLR0124


def _with_nan(record: dict[str, Any]) -> dict[str, Any]:
    return {key: float("nan") if value is None else value for key, value in record.items()}
