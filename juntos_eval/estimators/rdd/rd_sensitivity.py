"""How an effect moves with the order of the polynomial, and samples in which there can be none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd

from juntos_eval.errors import DesignError
from juntos_eval.estimators.design import require_frame
from juntos_eval.estimators.rdd.falsification import donut_sensitivity
from juntos_eval.estimators.rdd.regression_discontinuity import RegressionDiscontinuity

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["placebo_samples", "polynomial_sensitivity"]


def polynomial_sensitivity(
    design: RegressionDiscontinuity, data: DataFrame, *, orders: Sequence[int] = (0, 1, 2, 3)
) -> DataFrame:
    """Estimate with polynomials of several orders, each with bandwidths selected for it.

    Parameters
    ----------
    design : RegressionDiscontinuity
        Bandwidths that it gives as numbers stay as they are; the bias has the next order.
    data : pandas.DataFrame
    orders : sequence of int
        Not below the design's derivative.

    Returns
    -------
    pandas.DataFrame
        One row an order, the robust estimate in the columns of ``Estimate.tidy``, with ``order``, bandwidths
        and counts. An order that cannot be estimated has NaN and the ``reason``.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import RegressionDiscontinuity, polynomial_sensitivity
    >>> rng = np.random.default_rng(1)
    >>> frame = pd.DataFrame({"x": rng.uniform(-1, 1, 900)})
    >>> frame["y"] = 2.0 * (frame["x"] >= 0) + rng.normal(size=900)
    >>> design = RegressionDiscontinuity(outcome="y", running="x")
    >>> polynomial_sensitivity(design, frame, orders=(1, 2))["order"].tolist()
    [1, 2]
    """
    rows = []
    for order in orders:
        chosen = replace(design, order=order, bias_order=order + 1)
        rows.append(_row(chosen, data).assign(order=order))
    return _stacked(rows, "order", f"orders={tuple(orders)!r}")


def placebo_samples(
    design: RegressionDiscontinuity, samples: Mapping[str, DataFrame], *, data: DataFrame
) -> DataFrame:
    """Estimate the reduced form in samples that the programme did not reach, beside the one that it did.

    A village without the programme, or a year before it, has the same score and the same cutoff: an effect
    there is none of the programme's (in Progresa's control villages it is found).

    Parameters
    ----------
    design : RegressionDiscontinuity
        In a fuzzy design the reduced form is estimated.
    samples : Mapping of str to pandas.DataFrame
        Placebo samples by name.
    data : pandas.DataFrame
        The sample of the design.

    Returns
    -------
    pandas.DataFrame
        One row a sample as of :func:`polynomial_sensitivity`, the design's own first (``sample`` is
        ``"design"``), with ``is_placebo`` and, for placebos, ``passed``: whether p is 0.05 or more; missing
        where there is no estimate.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import RegressionDiscontinuity, placebo_samples
    >>> rng = np.random.default_rng(1)
    >>> before = pd.DataFrame({"x": rng.uniform(-1, 1, 900), "y": rng.normal(size=900)})
    >>> after = before.assign(y=before["y"] + 2.0 * (before["x"] >= 0))
    >>> design = RegressionDiscontinuity(outcome="y", running="x")
    >>> placebo_samples(design, {"before": before}, data=after)["passed"].tolist()
    [<NA>, True]
    """
    if "design" in samples:
        raise DesignError("a placebo sample has the name of the design's own", where="samples['design']")
    reduced = replace(design, treatment=None)
    rows = [_row(reduced, data).assign(sample="design", is_placebo=False)]
    rows += [_row(reduced, frame).assign(sample=name, is_placebo=True) for name, frame in samples.items()]
    found = _stacked(rows, "sample", "samples={}")
    passed = (found["p_value"] >= 0.05).astype("boolean")
    return found.assign(passed=passed.mask(~found["is_placebo"] | found["p_value"].isna()))


def _row(design: RegressionDiscontinuity, data: DataFrame) -> DataFrame:
    """Return the design's robust row; a donut without a hole is the design itself."""
    require_frame(data)
    return donut_sensitivity(design, data, radii=(0.0,)).drop(columns=["radius", "rows_left_out"])


def _stacked(rows: list[DataFrame], first: str, where: str) -> DataFrame:
    if not rows:
        raise DesignError("nothing was asked for", where=where)
    found = pd.concat([row.dropna(axis="columns", how="all") for row in rows], ignore_index=True)
    columns = [first, *(name for name in rows[0].columns if name != first)]
    return found.reindex(columns=columns)
