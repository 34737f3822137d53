"""Synthetic control and synthetic difference-in-differences."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from juntos_eval.arrays import Bools
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference, Sample, Uncertainty
from juntos_eval.estimators.design import groups_to_carry
from juntos_eval.estimators.did.synthetic_cohorts import Cohorts, Solved, solve
from juntos_eval.estimators.did.synthetic_panel import SyntheticPanel, read_synthetic
from juntos_eval.estimators.did.synthetic_resampling import (
    bootstrap_effects,
    jackknife_influence,
    placebo_effects,
    placebo_rank,
)

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["SyntheticControl", "SyntheticDiD"]

Variance = Literal["placebo", "bootstrap", "jackknife"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticDiD:
    r"""Synthetic difference-in-differences (Arkhangelsky et al. 2021).

    .. math:: \hat\tau = (\bar y_{tr,post} - \hat\lambda'y_{tr,pre})
              - \hat\omega'(\bar y_{co,post} - Y_{co,pre} \hat\lambda)

    Weights :math:`\hat\omega` of controls make their path before treatment parallel to that of the treated,
    weights :math:`\hat\lambda` of periods make those before like those after, both exact on the simplex.
    Cohorts that are treated at different times are each compared with the units that are never treated, and
    averaged by their number of treated unit-periods.

    Parameters
    ----------
    outcome, unit, time : str
        A balanced panel; units that are not complete are left out and counted.
    treatment : str
        Column of 0 and 1 that stays at 1 once it is there.
    variance : {"placebo", "bootstrap", "jackknife"}
        Placebo: controls are taken for treated (needs more controls than treated, and errors alike in both).
        Bootstrap and jackknife over units; the latter with weights held fixed, and not for a cohort of one.
    draws, seed : int
        Of placebo and bootstrap.

    Raises
    ------
    DesignError
        For treatment that switches off, no control, one period before treatment, or unknown choices.

    References
    ----------
    Arkhangelsky, D., Athey, S., Hirshberg, D. A., Imbens, G. W., & Wager, S. (2021). Synthetic
    difference-in-differences. *American Economic Review*, 111(12), 4088-4118. (Algorithms 1 to 4.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import SyntheticDiD
    >>> frame = pd.DataFrame({"id": [1] * 3 + [2] * 3 + [3] * 3, "year": [1, 2, 3] * 3,
    ...                       "d": [0] * 8 + [1], "y": [1.0, 2, 3, 2, 3, 4, 5, 6, 9]})
    >>> synthetic = SyntheticDiD(outcome="y", unit="id", time="year", treatment="d")
    >>> synthetic.fit(frame).values.round(6).tolist()
    [2.0]
    """

    outcome: str
    unit: str
    time: str
    treatment: str
    variance: Variance = "placebo"
    draws: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self)

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            By default that of ``variance``; another one rests on the jackknife's influence of units.
        carry : tuple of str

        Returns
        -------
        Estimate
            One row, ``att``; weights of units and periods and the gaps by period in ``details``.
        """
        return _fit(self, "sdid", data, inference, carry)


@dataclass(frozen=True, slots=True, kw_only=True)
class SyntheticControl:
    r"""Synthetic control (Abadie, Diamond & Hainmueller 2010) on the outcomes before treatment.

    .. math:: \hat\tau = \bar y_{tr,post} - \hat\omega'\bar y_{co,post}, \qquad
              \hat\omega = \arg\min_{\omega \ge 0, 1'\omega = 1} \|\bar y_{tr,pre} - Y_{co,pre}'\omega\|^2

    with a ridge of :math:`10^{-6}` of the noise, which only chooses where weights are not unique. The
    p value under ``variance="placebo"`` is the rank of the treated's ratio of root mean squared gaps after
    and before treatment among those of all controls taken for treated (one cohort of one unit).

    Parameters
    ----------
    outcome, unit, time, treatment, variance, draws, seed
        As in :class:`SyntheticDiD`.

    Raises
    ------
    DesignError
        As :class:`SyntheticDiD`.

    References
    ----------
    Abadie, A., Diamond, A., & Hainmueller, J. (2010). Synthetic control methods for comparative case
    studies. *Journal of the American Statistical Association*, 105(490), 493-505.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.did import SyntheticControl
    >>> frame = pd.DataFrame({"id": [1] * 3 + [2] * 3 + [3] * 3, "year": [1, 2, 3] * 3,
    ...                       "d": [0] * 8 + [1], "y": [0.0, 0, 0, 4, 4, 4, 1, 1, 3]})
    >>> synthetic = SyntheticControl(outcome="y", unit="id", time="year", treatment="d")
    >>> synthetic.fit(frame).values.round(4).tolist()
    [2.0]
    """

    outcome: str
    unit: str
    time: str
    treatment: str
    variance: Variance = "placebo"
    draws: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        _check(self)

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate; the frame is not changed.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
            As in :meth:`SyntheticDiD.fit`.
        carry : tuple of str

        Returns
        -------
        Estimate
            As of :meth:`SyntheticDiD.fit`; ``details`` has the rank p value's ratio.
        """
        return _fit(self, "sc", data, inference, carry)


def _check(chosen: SyntheticDiD | SyntheticControl) -> None:
    if chosen.variance not in ("placebo", "bootstrap", "jackknife") or chosen.draws < 2:
        raise DesignError(
            "a synthetic comparison cannot be given this uncertainty",
            where=f"variance={chosen.variance!r}, draws={chosen.draws}",
            remedy="choose variance 'placebo', 'bootstrap' or 'jackknife', and 2 draws or more",
        )


def _fit(
    chosen: SyntheticDiD | SyntheticControl,
    kind: str,
    data: DataFrame,
    inference: Inference | None,
    carry: tuple[str, ...],
) -> Estimate:
    panel = read_synthetic(
        data, chosen.outcome, (chosen.unit, chosen.time, chosen.treatment), groups_to_carry(inference, carry)
    )
    cohorts = panel.cohorts
    found = solve(cohorts, kind)
    fit = Fit(
        values=np.array([found.effect]),
        influence=DenseInfluence(jackknife_influence(cohorts, found)[:, None]),
        parameters=1,
        groups=panel.groups,
    )
    details = _details(panel, found)
    uncertainty, ratio = _own_uncertainty(chosen, kind, cohorts, found)
    details |= {"ratio_of_gaps": ratio} if ratio is not None else {}
    estimate = Estimate(
        spec={"estimator": type(chosen).__name__, **asdict(chosen)},
        keys={"term": ("att",), "outcome": (chosen.outcome,)},
        values=fit.values,
        uncertainty=uncertainty,
        sample=Sample(
            rows=cohorts.outcome.size,
            units=len(cohorts.outcome),
            treated=int(np.isfinite(cohorts.start).sum()),
            dropped=panel.dropped,
        ),
        checks=_checks(cohorts, found),
        details=details,
        fit=fit,
    )
    return estimate if inference is None else estimate.with_inference(inference)


def _own_uncertainty(
    chosen: SyntheticDiD | SyntheticControl, kind: str, cohorts: Cohorts, found: Solved
) -> tuple[Uncertainty, float | None]:
    infinite, p_values, ratio = float("inf"), None, None
    if chosen.variance == "jackknife":
        influence = jackknife_influence(cohorts, found)
        count = len(influence)
        variance, method = float((influence**2).sum() * count / (count - 1)), "jackknife, weights fixed"
    else:
        draw = placebo_effects if chosen.variance == "placebo" else bootstrap_effects
        effects = draw(cohorts, found, chosen.draws, chosen.seed)
        variance = float(np.var(effects)) if len(effects) else np.nan
        method = f"{chosen.variance} ({len(effects)} draws)"
        if chosen.variance == "placebo" and kind == "sc":
            ranked = placebo_rank(found)
            if ranked is not None:
                ratio, p_values = ranked[0], np.array([ranked[1]])
                method += "; p by rank of placebos"
    return (
        Uncertainty(method=method, covariance=np.array([[variance]]), df=infinite, p_values=p_values),
        ratio,
    )


def _details(panel: SyntheticPanel, found: Solved) -> dict[str, Any]:
    never = np.flatnonzero(np.isinf(panel.cohorts.start))
    names = [panel.units[at] for at in never]
    details: dict[str, Any] = {"noise_level": {}, "unit_weights": {}, "time_weights": {}, "gaps": {}}
    for part in found.parts:
        label = str(panel.periods[part.block.before])
        details["noise_level"][label] = part.noise
        details["unit_weights"][label] = dict(zip(names, part.weights.unit.tolist(), strict=True))
        early = panel.periods[: part.block.before]
        details["time_weights"][label] = dict(zip(early, part.weights.time.tolist(), strict=True))
        details["gaps"][label] = dict(zip(panel.periods, part.gaps.tolist(), strict=True))
    return details


def _checks(cohorts: Cohorts, found: Solved) -> tuple[Check, ...]:
    share = max(float(part.weights.unit.max()) for part in found.parts)
    fits = [
        float(np.sqrt(np.mean((gap - gap.mean()) ** 2)))
        for gap in (part.gaps[: part.block.before] for part in found.parts)
    ]
    always: Bools = cohorts.start == 0
    notes = [
        Check("largest weight of a control", None, f"{share:.3g}"),
        Check("distance of paths before treatment", None, f"root mean square {max(fits):.4g}"),
    ]
    if always.any():
        notes.append(Check("always treated", False, f"{int(always.sum())} units, left out"))
    return tuple(notes)
