r"""The effect on compliers of a binary instrument, and who compliers are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, DenseInfluence, Estimate, Fit, Inference, Sample
from juntos_eval.estimators.design import Selection, groups_to_carry, select, zero_one
from juntos_eval.estimators.matching import AIPW
from juntos_eval.estimators.matching.score import fit_score
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.least_squares import independent_columns

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["ComplierEffect", "ComplierMeans"]

Method = Literal["aipw", "kappa"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Instrument:
    """A binary instrument with its probability given covariates, and the error of that."""

    is_on: Bools
    probability: Floats
    design: Floats
    of_score: Floats  # influence of the score's coefficients, (n, q)

    @property
    def slope(self) -> Floats:
        """Derivative of the probability by the coefficients, (n, q)."""
        return np.asarray(self.design * (self.probability * (1.0 - self.probability))[:, None])


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplierEffect:
    r"""Local average treatment effect of a binary treatment, by a binary instrument.

    ``aipw``: both reduced forms by augmented inverse probability weighting over the instrument,

    .. math:: \hat\tau = \frac{\hat\Delta^Y}{\hat\Delta^D}, \qquad
              \hat\psi_i = \frac{\hat\psi_i^Y - \hat\tau\hat\psi_i^D}{\hat\Delta^D},

    which is right if either the instrument's probability or the outcome models are; without covariates it is
    the Wald estimator. ``kappa``: least squares of the outcome on treatment and covariates with Abadie's
    weights

    .. math:: \kappa_i = 1 - \frac{D_i(1 - Z_i)}{1 - p(X_i)} - \frac{(1 - D_i)Z_i}{p(X_i)},

    the best linear approximation among compliers. Influence has the error of the instrument's probability.

    Parameters
    ----------
    outcome : str
    treatment, instrument : str
        Columns of 0 and 1; a missing value is an error.
    covariates : tuple of str
        Given which the instrument is as good as random.
    method : {"aipw", "kappa"}
    weights : str, optional

    Raises
    ------
    DesignError
        For another method; from ``fit`` where the instrument does not vary or moves nobody.

    References
    ----------
    Abadie, A. (2003). Semiparametric instrumental variable estimation of treatment response models. *Journal
    of
    Econometrics* 113(2), 231-263. (Theorem 3.1.)
    Frölich, M. (2007). Nonparametric IV estimation of local average treatment effects with covariates.
    *Journal
    of Econometrics* 139(1), 35-75.
    Tan, Z. (2006). Regression and weighting methods for causal inference using instrumental variables.
    *Journal
    of the American Statistical Association* 101(476), 1607-1618.

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.iv import ComplierEffect
    >>> columns = {"y": [1, 3, 1, 1, 2, 4], "joined": [0, 1, 0, 0, 0, 1], "offer": [0, 1, 0, 1, 0, 1]}
    >>> spec = ComplierEffect(outcome="y", treatment="joined", instrument="offer")
    >>> effect = spec.fit(pd.DataFrame(columns))
    >>> effect.keys["term"], effect.values.round(6).tolist()
    (('late', 'compliers', 'always_takers', 'never_takers'), [2.0, 0.666667, 0.0, 0.333333])
    """

    outcome: str
    treatment: str
    instrument: str
    covariates: tuple[str, ...] = ()
    method: Method = "aipw"
    weights: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "covariates", tuple(self.covariates))
        if self.method not in get_args(Method):
            raise DesignError(
                f"there is no method {self.method!r} of a complier effect",
                where="ComplierEffect",
                remedy=f"choose one of {', '.join(get_args(Method))}",
            )

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the effect; by default with the sandwich of its influence, ``Robust("HC0")``.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            Terms ``late``, and the shares of ``compliers``, ``always_takers`` and ``never_takers``.

        Raises
        ------
        DesignError
        """
        by = inference or Robust("HC0")
        chosen = _chosen(self, data, (self.outcome,), groups_to_carry(by, carry))
        treated = zero_one(chosen.columns[self.treatment], self.treatment)
        instrument = _instrument(chosen, self.instrument)
        shares, of_shares = _reduced(chosen, instrument, treated.astype(np.float64), self)
        if abs(shares[0]) < 1e-12:
            raise DesignError(
                "the instrument moves nobody into treatment",
                where=f"{chosen.n:,} rows; share treated alike with and without it",
                remedy="choose another instrument",
            )
        y = chosen.columns[self.outcome]
        if self.method == "aipw":
            reduced, of_reduced = _reduced(chosen, instrument, y, self)
            late = reduced[0] / shares[0]
            of_late = (of_reduced[:, 0] - late * of_shares[:, 0]) / shares[0]
        else:
            late, of_late = _by_kappa(chosen, instrument, treated, y)
        values = np.array([late, shares[0], shares[2], 1.0 - shares[1]])
        influence = np.column_stack([of_late, of_shares[:, 0], of_shares[:, 2], -of_shares[:, 1]])
        return _estimate(
            {"estimator": "ComplierEffect", **asdict(self)},
            {"term": ("late", "compliers", "always_takers", "never_takers")},
            (values, influence),
            chosen,
            by,
            treated,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ComplierMeans:
    r"""Who compliers are: means of characteristics among them, and among all, by Abadie's kappa.

    .. math:: \hat E[x | complier] = \frac{\sum_i w_i\kappa_i x_i}{\sum_i w_i\kappa_i}

    Parameters
    ----------
    characteristics : tuple of str
        Numbers or categories, fixed before treatment.
    treatment, instrument : str
    covariates : tuple of str
    weights : str, optional

    References
    ----------
    Abadie, A. (2003). Semiparametric instrumental variable estimation of treatment response models. *Journal
    of
    Econometrics* 113(2), 231-263. (Theorem 3.1.)

    Examples
    --------
    >>> import pandas as pd
    >>> from juntos_eval.estimators.iv import ComplierMeans
    >>> columns = {"age": [1, 3, 1, 1, 2, 4], "joined": [0, 1, 0, 0, 0, 1], "offer": [0, 1, 0, 1, 0, 1]}
    >>> means = ComplierMeans(characteristics=("age",), treatment="joined", instrument="offer")
    >>> means.fit(pd.DataFrame(columns)).values.round(6).tolist()
    [2.5, 2.0]
    """

    characteristics: tuple[str, ...]
    treatment: str
    instrument: str
    covariates: tuple[str, ...] = ()
    weights: str | None = None

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate the means; by default with ``Robust("HC0")``.

        Parameters
        ----------
        data : pandas.DataFrame
        inference : Inference, optional
        carry : tuple of str

        Returns
        -------
        Estimate
            One row a characteristic for the group ``compliers``, and one for ``all``.

        Raises
        ------
        DesignError
        """
        by = inference or Robust("HC0")
        carried = groups_to_carry(by, carry)
        first = select(data, covariates=self.characteristics, weights=self.weights)
        chosen = _chosen(self, data.iloc[first.rows], (), carried)
        again = select(data.iloc[first.rows[chosen.rows]], covariates=self.characteristics)
        treated = zero_one(chosen.columns[self.treatment], self.treatment)
        instrument = _instrument(chosen, self.instrument)
        kappa, slope = _kappa(treated, instrument)
        x, w = again.covariates, chosen.weights
        mass = float(w @ kappa)
        if not mass > 0:
            raise DesignError(
                "the weights of compliers sum to nothing",
                where=f"{chosen.n:,} rows",
                remedy="look at the share of compliers by ComplierEffect",
            )
        of_compliers = (w * kappa) @ x / mass
        of_all = w @ x / w.sum()
        scores = (w * kappa)[:, None] * (x - of_compliers)
        pushed = instrument.of_score @ (((w * slope)[:, None] * instrument.slope).T @ (x - of_compliers))
        influence = np.column_stack([(scores + pushed) / mass, w[:, None] * (x - of_all) / w.sum()])
        names = again.covariate_names
        return _estimate(
            {"estimator": "ComplierMeans", **asdict(self)},
            {"term": (*names, *names), "group": ("compliers",) * len(names) + ("all",) * len(names)},
            (np.concatenate([of_compliers, of_all]), influence),
            chosen,
            by,
            treated,
        )


def _chosen(
    spec: ComplierEffect | ComplierMeans, data: DataFrame, numeric: Sequence[str], carry: Sequence[str]
) -> Selection:
    return select(
        data,
        numeric=numeric,
        required=(spec.treatment, spec.instrument),
        covariates=spec.covariates,
        weights=spec.weights,
        carry=carry,
    )


def _instrument(chosen: Selection, name: str) -> _Instrument:
    is_on = zero_one(chosen.columns[name], name)
    weights = chosen.weights
    if not chosen.covariates.shape[1]:
        share = float(weights @ is_on / weights.sum())
        probability, design = np.full(chosen.n, share), np.ones((chosen.n, 1))
    else:
        score = fit_score(is_on, chosen.covariates, chosen.covariate_names, weights)
        probability, design = score.probability, score.design
    spread = weights * probability * (1.0 - probability)
    information = (design * spread[:, None]).T @ design
    scores = design * (weights * (is_on - probability))[:, None]
    return _Instrument(
        is_on=is_on,
        probability=probability,
        design=design,
        of_score=np.linalg.solve(information, scores.T).T,
    )


def _kappa(treated: Bools, instrument: _Instrument) -> tuple[Floats, Floats]:
    """Return Abadie's weights and their derivative by the instrument's probability."""
    p = instrument.probability
    off, on = treated & ~instrument.is_on, ~treated & instrument.is_on
    return 1.0 - off / (1.0 - p) - on / p, on / p**2 - off / (1.0 - p) ** 2


def _by_kappa(chosen: Selection, instrument: _Instrument, treated: Bools, y: Floats) -> tuple[float, Floats]:
    kappa, slope = _kappa(treated, instrument)
    x = np.column_stack([treated, np.ones(chosen.n), chosen.covariates]).astype(np.float64)
    x = x[:, independent_columns(x)]
    weighted = x * (chosen.weights * kappa)[:, None]
    inner = weighted.T @ x
    coefficients = np.linalg.solve(inner, weighted.T @ y)
    rest = y - x @ coefficients
    moved = ((chosen.weights * slope)[:, None] * instrument.slope).T @ (x * rest[:, None])
    pushed = instrument.of_score @ moved
    influence = np.linalg.solve(inner, (weighted * rest[:, None] + pushed).T)[0]
    return float(coefficients[0]), influence


def _reduced(
    chosen: Selection, instrument: _Instrument, target: Floats, spec: ComplierEffect
) -> tuple[Floats, Floats]:
    """Return gap, mean with and mean without the instrument, and their influence."""
    if not spec.covariates:
        means, parts = [], []
        for rows in (instrument.is_on, ~instrument.is_on):
            weight = chosen.weights * rows
            means.append(float(weight @ target / weight.sum()))
            parts.append(weight * (target - means[-1]) / weight.sum())
        on, off = means
        return np.array([on - off, on, off]), np.column_stack([parts[0] - parts[1], *parts])
    # a frame again, for the estimator of the family reads one
    from pandas import DataFrame as Frame

    names = tuple(f"x{j}" for j in range(chosen.covariates.shape[1]))
    frame = Frame(chosen.covariates, columns=list(names)).assign(
        target=target, instrument=instrument.is_on.astype(int), weight=chosen.weights
    )
    found = AIPW(
        outcome="target",
        treatment="instrument",
        covariates=names,
        estimand="ate",
        weights="weight" if spec.weights else None,
        means=True,
    ).fit(frame)
    if found.fit is None or found.fit.n != chosen.n:
        raise DesignError(
            "weighting by the instrument lost rows",
            where=f"{chosen.n:,} rows",
            remedy="look for covariates that decide the instrument",
        )
    return found.values, found.fit.influence.dense()


def _estimate(
    spec: dict[str, Any],
    keys: dict[str, tuple[str, ...]],
    found: tuple[Floats, Floats],
    chosen: Selection,
    inference: Inference,
    treated: Bools,
) -> Estimate:
    values, influence = found
    fit = Fit(values=values, influence=DenseInfluence(influence), parameters=2, groups=chosen.groups)
    weights = chosen.weights
    checks: tuple[Check, ...] = ()
    if keys["term"][0] == "late":
        error = float(np.sqrt(influence[:, 1] @ influence[:, 1]))
        strength = (values[1] / error) ** 2 if error else np.inf
        checks = (
            Check(
                "first stage",
                bool(strength > 10),
                f"compliers {values[1]:.1%}, squared t {strength:.4g}, if nobody does the opposite",
            ),
        )
    return Estimate(
        spec=spec,
        keys=keys,
        values=values,
        uncertainty=inference.infer(fit),
        sample=Sample(
            rows=chosen.n,
            units=chosen.n,
            treated=int(treated.sum()),
            effective=float(weights.sum() ** 2 / (weights**2).sum()),
            dropped=chosen.dropped,
        ),
        checks=checks,
        fit=fit,
        inference=inference,
    )
