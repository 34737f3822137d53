r"""Do small studies say more than large ones: Egger's test, PET-PEESE, trim and fill."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from scipy import stats

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Inference
from juntos_eval.estimators.design import select
from juntos_eval.synthesis.knapp_hartung import KnappHartung
from juntos_eval.synthesis.meta_analysis import MetaAnalysis

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["egger_test", "pet_peese", "trim_and_fill"]

FilledBy = Literal["L0", "R0"]


def egger_test(
    data: DataFrame, *, outcome: str, std_error: str, inference: Inference | None = None
) -> Estimate:
    r"""Return the regression of estimates on their standard errors: a symmetric funnel has slope zero.

    .. math:: y_i = \beta_0 + \beta_1 s_i + e_i, \qquad w_i = 1/s_i^2

    which is Egger's regression of :math:`y_i/s_i` on :math:`1/s_i`, whose constant is :math:`\beta_1`.

    Parameters
    ----------
    data : pandas.DataFrame
    outcome, std_error : str
    inference : Inference, optional
        By default :class:`KnappHartung`: the usual t test of weighted least squares.

    Returns
    -------
    Estimate
        Terms ``effect_at_zero_error`` and ``asymmetry``; a check on the latter at 10 percent.

    Raises
    ------
    DesignError
        With fewer than three studies, or errors that are all alike.

    References
    ----------
    Egger, M., Davey Smith, G., Schneider, M., & Minder, C. (1997). Bias in meta-analysis detected by a
    simple, graphical test. *BMJ*, 315, 629-634.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.synthesis import egger_test
    >>> studies = pd.DataFrame({"effect": [0.11, 0.19, 0.32, 0.38], "se": [0.1, 0.2, 0.3, 0.4]})
    >>> egger_test(studies, outcome="effect", std_error="se").values.round(2).tolist()
    [0.01, 0.94]
    """
    found = _on_error(data, outcome, std_error, 1, inference)
    p_value = float(found.p_values()[1])
    check = Check(
        "funnel asymmetry",
        bool(p_value >= 0.1),
        f"slope on the standard error {found.values[1]:.3g}, p = {p_value:.3f}, {found.sample.rows} studies",
    )
    keys = {"term": ("effect_at_zero_error", "asymmetry")}
    return replace(
        found,
        spec={"estimator": "egger_test", "outcome": outcome, "std_error": std_error},
        keys=keys,
        checks=(*found.checks, check),
    )


def pet_peese(
    data: DataFrame, *, outcome: str, std_error: str, inference: Inference | None = None
) -> Estimate:
    r"""Return the effect that a study without error would find, by two curves and the rule between them.

    .. math:: \text{PET: } y_i = \beta_0 + \beta_1 s_i + e_i, \qquad
              \text{PEESE: } y_i = \beta_0 + \beta_1 s_i^2 + e_i, \qquad w_i = 1/s_i^2

    PEESE's constant is taken where PET's is above zero in a one-sided test at 5 percent, else PET's.

    Parameters
    ----------
    data, outcome, std_error, inference
        As of :func:`egger_test`; effects are coded so that the expected sign is positive.

    Returns
    -------
    Estimate
        Terms ``pet``, ``peese``; ``details["chosen"]`` names the one of the rule. Their covariance is not
        known (NaN).

    Raises
    ------
    DesignError
        As of :func:`egger_test`.

    References
    ----------
    Stanley, T. D., & Doucouliagos, H. (2014). Meta-regression approximations to reduce publication selection
    bias. *Research Synthesis Methods*, 5(1), 60-78.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.synthesis import pet_peese
    >>> studies = pd.DataFrame({"effect": [0.31, 0.29, 0.42, 0.38], "se": [0.05, 0.06, 0.3, 0.4]})
    >>> pet_peese(studies, outcome="effect", std_error="se").details["chosen"]
    'peese'
    """
    parts = [_on_error(data, outcome, std_error, power, inference) for power in (1, 2)]
    statistic = parts[0].values[0] / parts[0].uncertainty.std_error[0]
    is_above = bool(stats.t.sf(statistic, parts[0].uncertainty.df) < 0.05)
    covariance = np.full((2, 2), np.nan)
    np.fill_diagonal(covariance, [part.uncertainty.covariance[0, 0] for part in parts])
    return Estimate(
        spec={"estimator": "pet_peese", "outcome": outcome, "std_error": std_error},
        keys={"term": ("pet", "peese")},
        values=np.array([part.values[0] for part in parts]),
        uncertainty=replace(
            parts[0].uncertainty,
            method="; ".join(
                f"{name}: {part.uncertainty.method}"
                for name, part in zip(("PET", "PEESE"), parts, strict=True)
            ),
            covariance=covariance,
            df_each=None,
        ),
        sample=parts[0].sample,
        checks=parts[0].checks,
        details={"chosen": "peese" if is_above else "pet"},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filled:
    effects: Floats
    std_errors: Floats
    missing: int
    side: str


def trim_and_fill(
    analysis: MetaAnalysis,
    data: DataFrame,
    *,
    rule: FilledBy = "L0",
    missing: Literal["left", "right"] | None = None,
    inference: Inference | None = None,
) -> Estimate:
    r"""Return the pooled effect after mirror images of the studies that have no counterpart were added.

    Effects :math:`y_i - \hat\mu` are ranked by size. With :math:`T_n` the sum of ranks on the crowded side
    and :math:`\gamma` the run of largest ranks there,

    .. math:: L_0 = \frac{4T_n - n(n + 1)}{2n - 1}, \qquad R_0 = \gamma - 1

    (not below zero, rounded) is how many studies are missing on the other. Those at the crowded end are
    trimmed, the rest pooled again, until the number stands; then each trimmed study gets its mirror image.

    Parameters
    ----------
    analysis : MetaAnalysis
        Without covariates; how the rest is pooled, and all in the end.
    data : pandas.DataFrame
    rule : {"L0", "R0"}
    missing : {"left", "right"}, optional
        The side where studies are missing; by default the one that Egger's slope points away from.
    inference : Inference, optional

    Returns
    -------
    Estimate
        Term ``pooled``; ``details`` has ``filled``, ``side``, and the ``mirror_effects`` with their
        ``mirror_std_errors``.

    Raises
    ------
    DesignError
        With covariates, fewer than three studies, or a rule or side that there is not.

    References
    ----------
    Duval, S., & Tweedie, R. (2000). Trim and fill: a simple funnel-plot-based method of testing and adjusting
    for publication bias in meta-analysis. *Biometrics*, 56(2), 455-463.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.synthesis import MetaAnalysis, trim_and_fill
    >>> studies = pd.DataFrame({"effect": [0.1, 0.15, 0.2, 0.4, 0.6], "se": [0.05, 0.06, 0.1, 0.2, 0.3]})
    >>> found = trim_and_fill(MetaAnalysis(outcome="effect", std_error="se"), studies)
    >>> found.details["side"], found.details["filled"]
    ('left', 2)
    """
    if analysis.covariates or rule not in get_args(FilledBy) or missing not in (None, "left", "right"):
        raise DesignError(
            "trim and fill has another rule or side, or a regression to fill",
            where=f"rule={rule!r}, missing={missing!r}, covariates {analysis.covariates}",
            remedy="choose 'L0' or 'R0', 'left' or 'right', and leave the covariates out",
        )
    import pandas as pd

    chosen = select(data, numeric=(analysis.outcome, analysis.std_error))
    effects, errors = chosen.columns[analysis.outcome], chosen.columns[analysis.std_error]
    if missing is None:
        slope = egger_test(data, outcome=analysis.outcome, std_error=analysis.std_error).values[1]
        missing = "left" if slope > 0 else "right"
    filled = _fill(analysis, effects, errors, rule, missing)
    frame = pd.DataFrame({analysis.outcome: filled.effects, analysis.std_error: filled.std_errors})
    found = analysis.fit(frame, inference=inference)
    added = len(effects)
    return replace(
        found,
        spec={"estimator": "trim_and_fill", **asdict(analysis), "rule": rule, "missing": missing},
        sample=replace(found.sample, rows=added, units=added, dropped=chosen.dropped),
        details={
            **found.details,
            "filled": filled.missing,
            "side": missing,
            "mirror_effects": filled.effects[added:].tolist(),
            "mirror_std_errors": filled.std_errors[added:].tolist(),
        },
        checks=(
            *found.checks,
            Check(
                "trim and fill", filled.missing == 0, f"{filled.missing} studies filled in on the {missing}"
            ),
        ),
    )


def _fill(analysis: MetaAnalysis, effects: Floats, errors: Floats, rule: FilledBy, missing: str) -> _Filled:
    # turned so that studies are missing on the left
    sign = 1.0 if missing == "left" else -1.0
    order = np.argsort(sign * effects, kind="stable")
    y, s = sign * effects[order], errors[order]
    count, seen = 0, {0}
    while True:
        centre = _centre(analysis, y[: len(y) - count], s[: len(y) - count])
        found = min(_missing_studies(y - centre, rule), len(y) - 1)
        if found == count or found in seen:  # a number that comes back would come back for ever
            break
        count = found
        seen.add(count)
    mirror = slice(len(y) - count, len(y))
    return _Filled(
        effects=np.concatenate([effects, sign * (2 * centre - y[mirror])]),
        std_errors=np.concatenate([errors, s[mirror]]),
        missing=count,
        side=missing,
    )


def _centre(analysis: MetaAnalysis, effects: Floats, errors: Floats) -> float:
    import pandas as pd

    kept = pd.DataFrame({analysis.outcome: effects, analysis.std_error: errors})
    return float(analysis.fit(kept).values[0])


def _missing_studies(centred: Floats, rule: FilledBy) -> int:
    ranks = stats.rankdata(np.abs(centred), method="ordinal")
    is_right: Bools = centred > 0
    studies = len(centred)
    if rule == "R0":
        left = ranks[~is_right].max() if (~is_right).any() else 0
        return max(0, int(studies - left) - 1)
    total = float(ranks[is_right].sum())
    return max(0, round((4 * total - studies * (studies + 1)) / (2 * studies - 1)))


def _on_error(
    data: DataFrame, outcome: str, std_error: str, power: int, inference: Inference | None
) -> Estimate:
    chosen = select(data, numeric=(outcome, std_error))
    if chosen.n < 3:
        raise DesignError(
            "a funnel needs at least three studies",
            where=f"{chosen.n} complete rows of '{outcome}' and '{std_error}'",
            remedy="with fewer, say that small-study effects cannot be looked at",
        )
    name = f"{std_error} to the power {power}"
    frame = data.assign(**{name: data[std_error] ** power})
    model = MetaAnalysis(outcome=outcome, std_error=std_error, covariates=(name,), method="fixed")
    return model.fit(frame, inference=inference or KnappHartung())
