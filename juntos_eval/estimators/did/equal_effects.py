"""Joint test that effects do not change with time since treatment."""

from __future__ import annotations

import numpy as np

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate

__all__ = ["equal_effects_test"]


def equal_effects_test(estimate: Estimate) -> Check:
    r"""Test whether effects from treatment on are all the same.

    .. math:: H_0: \theta_0 = \theta_1 = \dots = \theta_L

    by a Wald test of the differences from the first, with the estimate's own covariance.

    Parameters
    ----------
    estimate : Estimate
        With rows by ``event_time``; those before 0 are not tested.

    Returns
    -------
    Check
        ``passed`` is None: effects that differ are no fault. The detail has statistic and p value.

    Raises
    ------
    DesignError
        If there are not two effects from event time 0 on.

    References
    ----------
    de Chaisemartin, C., & D'Haultfœuille, X. (2024). Difference-in-differences estimators of intertemporal
    treatment effects. *Review of Economics and Statistics*.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import Estimate, Sample, Uncertainty
    >>> from juntos_eval.estimators.did import equal_effects_test
    >>> effects = Estimate(
    ...     spec={"estimator": "by hand"}, keys={"term": ("att", "att"), "event_time": (0, 1)},
    ...     values=[3.0, 1.0], uncertainty=Uncertainty(method="known", covariance=np.eye(2), df=np.inf),
    ...     sample=Sample(rows=10, units=5))
    >>> equal_effects_test(effects).detail
    '2 effects alike: 2, chi-squared(1), p = 0.157 (known)'
    """
    times = estimate.keys.get("event_time", ())
    rows = [row for row, at in enumerate(times) if at is not None and float(at) >= 0]
    if len(rows) < 2:
        raise DesignError(
            "there are no two effects from treatment on to compare",
            where=f"keys {', '.join(estimate.keys)}; {len(rows)} rows at event time 0 or later",
            remedy="give effects by event_time, of two periods or more",
        )
    contrast = np.zeros((len(rows) - 1, len(times)))
    contrast[:, rows[0]] = -1.0
    contrast[np.arange(len(rows) - 1), rows[1:]] = 1.0
    test = estimate.test(contrast)
    is_exact = not np.isinf(test.df_denominator)
    statistic = test.statistic if is_exact else test.statistic * test.df
    law = f"F({test.df}, {test.df_denominator:g})" if is_exact else f"chi-squared({test.df})"
    return Check(
        "effects equal over time",
        None,
        f"{len(rows)} effects alike: {statistic:.4g}, {law}, p = {test.p_value:.3g} "
        f"({estimate.uncertainty.method})",
    )
