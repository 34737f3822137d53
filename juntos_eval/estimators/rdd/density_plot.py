"""What a density plot around a cutoff shows: a histogram that stops at the cutoff, and densities a side."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.design import select
from juntos_eval.estimators.rdd.density import DensityChoices, density_test
from juntos_eval.numerics.distributions import normal_quantile
from juntos_eval.numerics.local_density import density_curve

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["DensityPicture", "density_picture"]

DEFAULT = DensityChoices()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DensityPicture:
    """Curve, histogram and test of a running variable's density.

    Attributes
    ----------
    test : Estimate
        Of :func:`density_test`, with the same choices.
    curve : pandas.DataFrame
        ``side running density std_error conf_low conf_high``, pointwise.
    histogram : pandas.DataFrame
        ``side low high rows density``, bins that end at the cutoff.
    level : float

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import density_picture
    >>> frame = pd.DataFrame({"score": np.random.default_rng(1).normal(size=500)})
    >>> density_picture(frame, running="score").curve.columns.tolist()[:3]
    ['side', 'running', 'density']
    """

    test: Estimate
    curve: DataFrame
    histogram: DataFrame
    level: float


def density_picture(
    data: DataFrame,
    *,
    running: str,
    cutoff: float = 0.0,
    choices: DensityChoices = DEFAULT,
    reach: float = 3.0,
    points: int = 25,
    level: float = 0.95,
) -> DensityPicture:
    """Estimate the density of a running variable at places left and right of a cutoff.

    Parameters
    ----------
    data : pandas.DataFrame
        Not changed.
    running : str
    cutoff : float
    choices : DensityChoices
        Also of the test; the curve has the order of the test, each side for itself.
    reach : float
        How far the picture goes, in bandwidths of each side.
    points : int
        Places on each side.
    level : float
        Of pointwise intervals.

    Returns
    -------
    DensityPicture

    Raises
    ------
    DesignError
        As of :func:`density_test`, and for a reach or number of points that show nothing.

    References
    ----------
    Cattaneo, M. D., Jansson, M. & Ma, X. (2020). Simple local polynomial density estimators. *Journal of the
    American Statistical Association* 115(531), 1449–1455.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import density_picture
    >>> score = np.random.default_rng(5).normal(size=2000)
    >>> picture = density_picture(pd.DataFrame({"score": score}), running="score", points=5)
    >>> picture.curve["side"].tolist().count("left"), bool(picture.curve["density"].between(0.3, 0.5)[4])
    (5, True)
    """
    if not reach > 0 or points < 2 or not 0 < level < 1:
        raise DesignError(
            "a density picture needs a positive reach, two points or more and a level between 0 and 1",
            where=f"reach={reach!r}, points={points!r}, level={level!r}",
        )
    test = density_test(data, running=running, cutoff=cutoff, choices=choices)
    values = np.sort(select(data, numeric=(running,)).columns[running] - cutoff)
    quantile = float(normal_quantile(0.5 + level / 2.0))
    curves, bars = [], []
    for label, sign in (("left", -1.0), ("right", 1.0)):
        within = values < 0 if sign < 0 else values >= 0
        bandwidth = float(test.details[f"h_{label}"])
        whole = float(np.abs(values[within]).max())
        end = min(reach * bandwidth, whole)
        places = np.sort(sign * np.linspace(0.0, end, points))
        shape = (bandwidth, choices.order + 1, choices.kernel)
        density, error = density_curve(values, places, within, shape)
        curves.append(
            pd.DataFrame(
                {
                    "side": label,
                    "running": cutoff + places,
                    "density": density,
                    "std_error": error,
                    "conf_low": density - quantile * error,
                    "conf_high": density + quantile * error,
                }
            )
        )
        bars.append(_bars(values[within], sign * end, cutoff, len(values)).assign(side=label))
    return DensityPicture(
        test=test,
        curve=pd.concat(curves, ignore_index=True),
        histogram=pd.concat(bars, ignore_index=True),
        level=level,
    )


def _bars(values: np.ndarray, end: float, cutoff: float, rows: int) -> DataFrame:
    """Return a histogram from the cutoff to an end, as many bins as McCrary (2008) would take."""
    count = max(int((np.abs(values) <= abs(end)).sum()), 1)
    spread = float(np.std(values)) or abs(end)
    bins = int(np.clip(ceil(abs(end) / (2.0 * spread * count**-0.5)), 4, 40))
    edges = np.sort(np.linspace(0.0, end, bins + 1))
    heights, _ = np.histogram(values, bins=edges)
    return pd.DataFrame(
        {
            "low": cutoff + edges[:-1],
            "high": cutoff + edges[1:],
            "rows": heights,
            "density": heights / (rows * np.diff(edges)),
        }
    )
