"""The posterior against a brute-force grid over mean and spread, and its limits."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from juntos_eval.errors import DesignError
from juntos_eval.synthesis import BayesianShrinkage, MetaAnalysis

STUDIES = pd.DataFrame(
    {"study": list("abcde"), "effect": [0.10, 0.30, 0.05, 0.22, 0.81], "se": [0.1, 0.14, 0.12, 0.1, 0.17]}
)


def _model(**choices: object) -> BayesianShrinkage:
    given = {"outcome": "effect", "std_error": "se", "study": "study", "spread_scale": 0.3, **choices}
    return BayesianShrinkage(**given)  # type: ignore[arg-type]


@pytest.mark.parametrize("prior", ["half_normal", "half_cauchy", "uniform"])
def test_the_posterior_is_that_of_a_grid_over_mean_and_spread(prior: str) -> None:
    density = {"half_normal": stats.halfnorm, "half_cauchy": stats.halfcauchy, "uniform": stats.uniform}[
        prior
    ]
    y, s = STUDIES.effect.to_numpy(), STUDIES.se.to_numpy()
    end = 0.3 if prior == "uniform" else 12.0
    tau = (np.linspace(0, 1, 500) ** 2 * end)[:, None]
    mu = np.linspace(-6, 6, 1501)[None, :] if prior != "uniform" else np.linspace(-1.5, 1.5, 1001)[None, :]
    log = density.logpdf(tau, scale=0.3) + stats.norm.logpdf(mu, 0.1, 0.5)
    for effect, error in zip(y, s, strict=True):
        log = log + stats.norm.logpdf(effect, mu, np.sqrt(error**2 + tau**2))
    mass = np.exp(log - log.max()) * np.gradient(tau.ravel())[:, None]
    mass[[0, -1]] /= 2
    mass /= mass.sum()
    found = _model(spread_prior=prior, prior_mean=0.1, prior_sd=0.5).fit(STUDIES)
    mean = (mass * mu).sum()
    assert found.values[0] == pytest.approx(mean, abs=2e-4)
    assert found.values[1] == pytest.approx((mass * tau).sum(), abs=2e-4)
    sd = np.sqrt((mass * (mu - mean) ** 2).sum())
    assert found.uncertainty.std_error[0] == pytest.approx(sd, abs=3e-4)
    kept = tau**2 / (tau**2 + s[4] ** 2)
    own = kept * y[4] + (1 - kept) * mu
    assert found.values[6] == pytest.approx((mass * own).sum(), abs=2e-4)
    second = (mass * (own**2 + kept * s[4] ** 2)).sum() - (mass * own).sum() ** 2
    assert found.uncertainty.std_error[6] == pytest.approx(np.sqrt(second), abs=5e-4)
    low, high = found.interval()[0]
    of_mean = mass.sum(axis=0)
    shares = np.cumsum(of_mean) - of_mean / 2
    limits = np.interp([0.025, 0.975], shares, mu.ravel())
    assert [low, high] == pytest.approx(limits, abs=4e-3)


def test_studies_are_drawn_to_the_middle_and_the_least_certain_farthest() -> None:
    found = _model().fit(STUDIES.assign(se=[0.1, 0.1, 0.1, 0.1, 0.4]))
    away = np.abs(STUDIES.effect - found.values[0])
    drawn = np.abs(found.values[2:] - found.values[0])
    assert (drawn < away).all()
    assert found.details["shrinkage"][4] == max(found.details["shrinkage"])


def test_with_no_spread_allowed_it_is_the_common_effect_and_with_much_each_stands_alone() -> None:
    common = MetaAnalysis(outcome="effect", std_error="se", method="fixed").fit(STUDIES)
    tight = _model(spread_scale=1e-6).fit(STUDIES)
    assert tight.values[0] == pytest.approx(common.values[0], abs=1e-6)
    assert tight.values[2:] == pytest.approx(common.values[0], abs=1e-4)
    loose = _model(spread_prior="uniform", spread_scale=1000.0).fit(STUDIES.head(2))
    assert loose.values[2:] == pytest.approx(STUDIES.effect.head(2), abs=0.01)


def test_a_prior_that_binds_is_told() -> None:
    wide = STUDIES.assign(effect=[-2.0, 3.0, 0.0, 5.0, -4.0])
    assert _model(spread_prior="uniform", spread_scale=0.5).fit(wide).checks[0].passed is False
    assert _model(spread_prior="uniform", spread_scale=50.0).fit(wide).checks[0].passed is True


def test_a_study_that_stands_twice_and_a_false_prior_are_refused() -> None:
    with pytest.raises(DesignError, match="each study"):
        _model().fit(STUDIES.assign(study="a"))
    with pytest.raises(DesignError, match="prior"):
        _model(spread_scale=0.0)
    with pytest.raises(DesignError, match="prior"):
        _model(spread_prior="gamma")
