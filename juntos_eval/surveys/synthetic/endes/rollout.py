"""Which district enters Juntos when: an invented calendar, the poorest first, never the official list."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.paths import write_atomically
from juntos_eval.surveys.synthetic.endes.parameters import EndesModel

__all__ = ["ROLLOUT_FILE", "draw_rollout", "write_rollout"]

ROLLOUT_FILE: Final = "juntos_entry_SYNTHETIC.csv"


def draw_rollout(rng: np.random.Generator, districts: pd.DataFrame, model: EndesModel) -> pd.DataFrame:
    """Give each district its year and month of entry; missing where it never enters.

    Parameters
    ----------
    rng : numpy.random.Generator
    districts : pandas.DataFrame
        From ``draw_districts``.
    model : EndesModel

    Returns
    -------
    pandas.DataFrame
        The districts with ``first_treated`` and ``entry_month``.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.surveys.synthetic.endes import EndesModel, draw_rollout
    >>> from juntos_eval.surveys.synthetic.geo_files import draw_districts
    >>> districts = draw_rollout(*[np.random.default_rng(1), draw_districts(np.random.default_rng(1))],
    ...                          EndesModel())
    >>> poverty = districts.groupby("first_treated")["poverty_rate"].mean()
    >>> bool(poverty[2005] > poverty[2012] > poverty[2016])
    True
    """
    n = len(districts)
    index = districts["poverty_rate"].to_numpy() + model.rollout_noise * rng.standard_normal(n)
    rank = (np.argsort(np.argsort(-index)) + 0.5) / n
    years = np.array([*(float(year) for year, _ in model.rollout), np.nan])
    shares = np.array([share for _, share in model.rollout])
    first = years[np.searchsorted(shares, rank, side="left")]
    month = rng.integers(1, 13, n)
    return districts.assign(first_treated=first, entry_month=np.where(first > 0, month, np.nan))


def write_rollout(path: Path, districts: pd.DataFrame) -> Path:
    """Write the calendar: ``ubigeo, entry_month, source``, one row a district that enters.

    Parameters
    ----------
    path : Path
    districts : pandas.DataFrame
        From ``draw_rollout``.

    Returns
    -------
    Path
    """
    enters = districts[districts["first_treated"] > 0]
    year, month = (enters[name].astype(int).astype(str) for name in ("first_treated", "entry_month"))
    month = year + "-" + month.str.zfill(2)
    table = pd.DataFrame({"ubigeo": enters["ubigeo"], "entry_month": month, "source": "SYNTHETIC"})
    return write_atomically(path, table.to_csv(index=False, lineterminator="\n"))
