"""The analysis table of synthetic households in one call: for tours, examples and tests."""

from __future__ import annotations

import tempfile
from pathlib import Path

from pandas import DataFrame

from juntos_eval.paths import RawFolder
from juntos_eval.surveys import enaho
from juntos_eval.surveys.synthetic.truth import SyntheticTruth
from juntos_eval.surveys.synthetic.write import write_synthetic

__all__ = ["synthetic_households"]


def synthetic_households(
    year: int = 2025, *, seed: int = 1, households: int = 3_000
) -> tuple[DataFrame, SyntheticTruth]:
    """Write SYNTHETIC raw files into a temporary folder and clean them into the analysis table.

    Parameters
    ----------
    year : int
        2024 or 2025.
    seed : int
    households : int
        300 or more.

    Returns
    -------
    pandas.DataFrame
        One row a household, as ``households_<year>`` of the clean data; ``attrs["data"]`` says
        SYNTHETIC DATA.
    SyntheticTruth
        What was planted.

    Raises
    ------
    DesignError
        If the year is unknown to the model, the seed negative or the sample too small.

    Examples
    --------
    >>> import juntos_eval as je
    >>> frame, truth = je.synthetic_households(seed=1, households=400)
    >>> frame.attrs["data"], truth.effect("working_share_5_17", 2025).value < 0
    ('SYNTHETIC DATA', True)
    """
    with tempfile.TemporaryDirectory(prefix="synthetic-data-") as folder:
        truth = write_synthetic(Path(folder), seed=seed, households=households, years=(year,))
        raw = RawFolder.at(folder)
        has_food = any(effect.outcome == "fies_raw_score" for effect in truth.effects)
        table = enaho.build_households(
            enaho.clean_members(raw, year),
            enaho.clean_programmes(raw, year),
            districts=enaho.clean_districts(raw),
            food_security=enaho.clean_food_security(raw, year) if has_food else None,
            dwellings=enaho.clean_dwellings(raw, year) if has_food else None,
        )
    frame = table.frame
    frame.attrs["data"] = "SYNTHETIC DATA"
    return frame, truth
