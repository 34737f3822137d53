r"""The wealth index by its documented rule, to compare with the one released.

.. math:: wi = (hq + cd + sv) / 3

where :math:`hq` is the mean of rooms per person (rescaled to 0-1 by the least and greatest within the
cohort's file), good floor, roof and wall; :math:`cd` the share of twelve durables owned; :math:`sv` the mean
of safe water, electricity, sanitation and adequate fuel. A missing item enters as 0.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.errors import SchemaError

__all__ = ["DURABLES", "SERVICES", "compare_wealth", "durables_index", "housing_index", "services_index"]

DURABLES: Final = (
    "has_radio",
    "has_tv",
    "has_fridge",
    "has_bicycle",
    "has_motorbike",
    "has_car",
    "has_mobile_phone",
    "has_landline",
    "has_record_player",
    "has_iron",
    "has_gas_cooker",
    "has_blender",
)
SERVICES: Final = ("has_safe_water", "has_electricity", "has_sanitation", "has_adequate_fuel")


def _items(frame: pd.DataFrame, names: tuple[str, ...], what: str) -> pd.DataFrame:
    lacking = [name for name in names if name not in frame]
    if lacking:
        raise SchemaError(
            f"{what} needs {len(lacking)} columns that are not there: {', '.join(lacking)}",
            remedy="give every item, missing where nobody answered",
        )
    items = frame[list(names)].astype("Float64").astype("float64")
    odd = int((~items.isin([0.0, 1.0]) & items.notna()).to_numpy().sum())
    if odd:
        raise SchemaError(
            f"{what} has {odd:,} items that are neither 0 nor 1", remedy="recode yes to 1, no to 0"
        )
    return items


def services_index(frame: pd.DataFrame) -> pd.Series:
    """Return access to services: the mean of four items, a missing one being 0.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.wealth import SERVICES, services_index
    >>> services_index(pd.DataFrame({name: [1.0, None] for name in SERVICES})).tolist()
    [1.0, 0.0]
    """
    return _items(frame, SERVICES, "The services index").fillna(0.0).mean(axis=1)


def durables_index(frame: pd.DataFrame) -> pd.Series:
    """Return the share of twelve durables that the household owns, a missing one being 0.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.wealth import DURABLES, durables_index
    >>> items = {name: [1.0 if name in {"has_radio", "has_tv", "has_iron"} else 0.0] for name in DURABLES}
    >>> durables_index(pd.DataFrame(items)).tolist()
    [0.25]
    """
    return _items(frame, DURABLES, "The durables index").fillna(0.0).mean(axis=1)


def housing_index(frame: pd.DataFrame) -> pd.Series:
    """Return housing quality: rooms per person on 0-1 within each cohort's file, good floor, roof and wall.

    Parameters
    ----------
    frame : pandas.DataFrame
        ``rooms household_size has_good_floor has_good_roof has_good_wall``, and ``cohort round`` where it
        holds more than one file.

    Returns
    -------
    pandas.Series

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.wealth import housing_index
    >>> home = {"rooms": [1, 4], "household_size": [4, 4], "has_good_floor": [0, 1]}
    >>> housing_index(pd.DataFrame({**home, "has_good_roof": [0, 1], "has_good_wall": [1, 1]})).tolist()
    [0.25, 1.0]
    """
    quality = _items(frame, ("has_good_floor", "has_good_roof", "has_good_wall"), "The housing index")
    crowding = (frame["rooms"] / frame["household_size"]).astype("float64").replace([np.inf, -np.inf], np.nan)
    keys = [name for name in ("cohort", "round") if name in frame]
    grouped = crowding.groupby([frame[name] for name in keys], observed=True) if keys else None
    least = crowding.min() if grouped is None else grouped.transform("min")
    greatest = crowding.max() if grouped is None else grouped.transform("max")
    scaled = ((crowding - least) / (greatest - least)).rename("rooms_a_person")
    return pd.concat([scaled, quality], axis=1).fillna(0.0).mean(axis=1)


def compare_wealth(frame: pd.DataFrame, *, tolerance: float = 1e-6) -> pd.DataFrame:
    """Compare the released indices with the rule, by cohort and round.

    ``services_index`` is made again from its four items where the file has them, ``wealth_index`` from the
    three released sub-indices, and housing and durables from their items where a user maps them.

    Parameters
    ----------
    frame : pandas.DataFrame
        Children by round: ``cohort round``, the four released indices, and items.
    tolerance : float
        Greatest difference that counts as equal.

    Returns
    -------
    pandas.DataFrame
        One row an index, cohort and round: ``rows compared differing largest_difference``.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.surveys.young_lives.wealth import compare_wealth
    >>> parts = {"housing_index": [0.4], "durables_index": [0.5], "services_index": [0.6]}
    >>> home = pd.DataFrame({"cohort": ["younger"], "round": [1], "wealth_index": [0.5], **parts})
    >>> compare_wealth(home)["differing"].tolist()
    [0]
    """
    parts = frame[["housing_index", "durables_index", "services_index"]]
    remade = {"wealth_index": parts.mean(axis=1, skipna=False)}
    makers = {
        "services_index": (services_index, SERVICES),
        "durables_index": (durables_index, DURABLES),
        "housing_index": (
            housing_index,
            ("rooms", "household_size", "has_good_floor", "has_good_roof", "has_good_wall"),
        ),
    }
    for index, (make, needs) in makers.items():
        if set(needs) <= set(frame):
            has_any = frame[list(needs)].notna().any(axis=1)
            remade[index] = make(frame).where(has_any)
    compared = [_compared(frame, index, values, tolerance) for index, values in remade.items()]
    return pd.concat(compared, ignore_index=True)


def _compared(frame: pd.DataFrame, index: str, remade: pd.Series, tolerance: float) -> pd.DataFrame:
    difference = (frame[index] - remade).abs()
    work = frame[["cohort", "round"]].assign(
        difference=difference, compared=difference.notna(), differing=difference > tolerance
    )
    grouped = work.groupby(["cohort", "round"], observed=True)
    table = grouped.agg(
        rows=("compared", "size"),
        compared=("compared", "sum"),
        differing=("differing", "sum"),
        largest_difference=("difference", "max"),
    )
    return table.reset_index().assign(index=index)
