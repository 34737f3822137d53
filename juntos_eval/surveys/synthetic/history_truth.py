"""What was planted in the synthetic years: effects on those treated, and what a naive reader sees."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError

__all__ = ["TRUTH_FILE", "HistoryTruth", "Sums"]

TRUTH_FILE: Final = "synthetic_history_truth.json"


@dataclass(slots=True, kw_only=True)
class Sums:
    """Running weighted sums of one outcome and year, block by block."""

    treated: float = 0.0
    effect: float = 0.0
    seen: dict[bool, float] = field(default_factory=lambda: {True: 0.0, False: 0.0})
    weight: dict[bool, float] = field(default_factory=lambda: {True: 0.0, False: 0.0})
    persons: int = 0

    def add(self, weight: Floats, treated: Bools, effect: Floats, seen: Floats) -> None:
        """Add persons; those without an outcome are left out."""
        known = ~np.isnan(seen)
        own = known & treated
        self.effect += float(weight[own] @ effect[own])
        self.treated += float(weight[own].sum())
        self.persons += int(own.sum())
        for is_treated in (True, False):
            rows = known & (treated == is_treated)
            self.seen[is_treated] += float(weight[rows] @ seen[rows])
            self.weight[is_treated] += float(weight[rows].sum())

    def record(self, outcome: str, year: int) -> dict[str, Any]:
        """Return the mean effect on the treated and the difference of raw means; None where undefined."""
        has_both = min(self.weight.values()) > 0
        means = {key: self.seen[key] / self.weight[key] for key in (True, False)} if has_both else {}
        return {
            "outcome": outcome,
            "year": year,
            "att": self.effect / self.treated if self.treated else None,
            "treated_persons": self.persons,
            "naive_difference": means[True] - means[False] if has_both else None,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryTruth:
    """What was planted.

    Attributes
    ----------
    seed, households : int
    years : tuple of int
    model : dict
    effects : tuple of dict
        ``outcome year att treated_persons naive_difference``: the weighted mean effect on persons of
        households with Juntos (None where nobody has it), and the difference of raw means.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.synthetic.history import write_history
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     truth = write_history(Path(folder), seed=1, households=600, years=(2015,), modules=("sumaria",))
    >>> truth.effect("attendance", 2015)["att"] > 0 > truth.effect("child_work", 2015)["att"]
    True
    """

    seed: int
    households: int
    years: tuple[int, ...]
    model: Mapping[str, Any]
    effects: tuple[Mapping[str, Any], ...]

    def effect(self, outcome: str, year: int) -> Mapping[str, Any]:
        """Return the record of an outcome in a year.

        Raises
        ------
        DesignError
            If nothing was planted there.
        """
        for record in self.effects:
            if (record["outcome"], record["year"]) == (outcome, year):
                return record
        raise DesignError(f"Nothing was planted on {outcome} in {year}", where=TRUTH_FILE)

    def to_json(self) -> str:
        """Return it as JSON."""
        names = ("seed", "households", "years", "model", "effects")
        return (
            json.dumps({"synthetic": True} | {name: getattr(self, name) for name in names}, indent=1) + "\n"
        )
