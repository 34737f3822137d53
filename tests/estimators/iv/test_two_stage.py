"""Instrumented regressions against linearmodels, definitions, and what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from linearmodels.iv import IV2SLS, IVGMM, IVGMMCUE, IVLIML

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.iv import TwoStage, first_stage, overidentification, reduced_form
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Iid, Robust


def simulated(seed: int, n: int = 400, strength: float = 0.5, effect: float = 2.0) -> pd.DataFrame:
    """SIMULATED: one confounder, three instruments, 40 clusters whose errors go together."""
    rng = np.random.default_rng(seed)
    village = rng.permutation(n) % 40
    z, x, hidden = rng.normal(size=(n, 3)), rng.normal(size=(n, 2)), rng.normal(size=n)
    together = rng.normal(size=40)[village]
    d1 = strength * z @ [1.0, 0.5, 0.3] + 0.3 * x[:, 0] + hidden + rng.normal(size=n)
    d2 = strength * z @ [-0.5, 1.0, 0.5] + 0.5 * hidden + rng.normal(size=n)
    y = (
        effect * d1
        - d2
        + x @ [1.0, -0.5]
        + hidden
        + together
        + rng.normal(size=n) * (1 + 0.5 * np.abs(x[:, 0]))
    )
    columns = {"y": y, "d1": d1, "d2": d2, "x1": x[:, 0], "x2": x[:, 1]}
    columns |= {f"z{j + 1}": z[:, j] for j in range(3)}
    return pd.DataFrame(columns).assign(village=village, w=rng.uniform(0.5, 2.0, n), one=1.0)


SPEC: dict[str, Any] = {"outcome": "y", "instruments": ("z1", "z2", "z3"), "covariates": ("x1", "x2")}


def pieces(frame: pd.DataFrame, endogenous: tuple[str, ...]) -> tuple[Any, ...]:
    return frame["y"], frame[["x1", "x2", "one"]], frame[list(endogenous)], frame[["z1", "z2", "z3"]]


def same_as(estimate: Estimate, peer: Any, tolerance: float = 1e-9) -> None:
    terms = ["one" if term == "constant" else term for term in estimate.keys["term"]]
    np.testing.assert_allclose(estimate.values, peer.params[terms], rtol=tolerance)
    np.testing.assert_allclose(estimate.uncertainty.std_error, peer.std_errors[terms], rtol=tolerance)


def sandwich(frame: pd.DataFrame, estimate: Estimate) -> Any:
    """Covariance of the k-class from its definition, by dense matrices."""
    w = np.ones(len(frame)) if estimate.spec["weights"] is None else frame["w"].to_numpy()
    root = np.sqrt(w)[:, None]
    X = frame[[*estimate.spec["endogenous"], "x1", "x2", "one"]].to_numpy() * root
    Z = frame[["x1", "x2", "one", "z1", "z2", "z3"]].to_numpy() * root
    M = np.eye(len(w)) - Z @ np.linalg.solve(Z.T @ Z, Z.T)
    moved = X - estimate.details["kappa"] * M @ X
    rest = frame["y"].to_numpy() * root[:, 0] - X @ estimate.values
    bread = np.linalg.inv(moved.T @ X)
    return bread @ ((moved * rest[:, None]).T @ (moved * rest[:, None])) @ bread.T


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("endogenous", [("d1",), ("d1", "d2")])
@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("method", ["2sls", "liml", "fuller"])
def test_k_class_is_that_of_linearmodels(
    seed: int, endogenous: tuple[str, ...], weights: str | None, method: Any
) -> None:
    frame = simulated(seed)
    peer_class = IV2SLS if method == "2sls" else IVLIML
    peer = peer_class(
        *pieces(frame, endogenous),
        weights=None if weights is None else frame[weights],
        **({"fuller": 1.0} if method == "fuller" else {}),
    )
    estimate = TwoStage(**SPEC, endogenous=endogenous, weights=weights, method=method).fit(
        frame, inference=Robust("HC0"), carry=("village",)
    )
    robust = peer.fit(cov_type="robust")
    if method == "2sls":
        same_as(estimate, robust)
        clusters = peer.fit(cov_type="clustered", clusters=frame["village"])
        same_as(estimate.with_inference(Cluster("village", kind="CR0")), clusters)
    else:
        # its sandwich has PX inside, which does not sum to zero; ours has (I - kM)X
        terms = [*endogenous, "x1", "x2", "one"]
        np.testing.assert_allclose(estimate.values, robust.params[terms], rtol=1e-9)
        np.testing.assert_allclose(estimate.uncertainty.covariance, sandwich(frame, estimate), rtol=1e-8)
    if weights is None or method == "2sls":
        same_as(estimate.with_inference(Iid()), peer.fit(cov_type="unadjusted", debiased=True), 1e-8)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("moments", ["robust", "cluster", "iid"])
@pytest.mark.parametrize(("method", "steps"), [("gmm", 2), ("gmm_iterated", 1000)])
def test_gmm_is_that_of_linearmodels(seed: int, moments: Any, method: Any, steps: int) -> None:
    frame = simulated(seed)
    names = {"robust": "robust", "cluster": "clustered", "iid": "unadjusted"}
    options: dict[str, Any] = {"clusters": frame["village"]} if moments == "cluster" else {}
    peer: Any = IVGMM(*pieces(frame, ("d1",)), weight_type=names[moments], **options)
    found = peer.fit(iter_limit=steps, tol=1e-14, cov_type=names[moments], **options)
    by: Any = {"robust": Robust("HC0"), "cluster": Cluster("village", kind="CR0"), "iid": Robust("HC0")}[
        moments
    ]
    estimate = TwoStage(
        **SPEC,
        endogenous=("d1",),
        method=method,
        moments=moments,
        moments_by="village" if moments == "cluster" else None,
    ).fit(frame, inference=by)
    terms = ["one" if term == "constant" else term for term in estimate.keys["term"]]
    np.testing.assert_allclose(estimate.values, found.params[terms], rtol=1e-8 if steps == 2 else 1e-6)
    assert estimate.details["objective"] == pytest.approx(found.j_stat.stat, rel=1e-6)
    if moments == "robust":
        np.testing.assert_allclose(estimate.uncertainty.std_error, found.std_errors[terms], rtol=1e-8)


def test_continuous_updating_reaches_the_minimum() -> None:
    frame = simulated(1)
    peer: Any = IVGMMCUE(*pieces(frame, ("d1",))).fit(display=False)
    estimate = TwoStage(**SPEC, endogenous=("d1",), method="cue").fit(frame, inference=Robust("HC0"))
    assert estimate.details["objective"] <= peer.j_stat.stat * (1 + 1e-9)
    assert estimate.values[0] == pytest.approx(peer.params["d1"], rel=1e-4)


@pytest.mark.parametrize("method", ["2sls", "liml", "fuller", "gmm", "gmm_iterated", "cue"])
def test_influence_sums_to_zero_and_is_the_derivative(method: Any) -> None:
    frame = simulated(3, n=500)
    # both endogenous regressors are in, so that the instruments are valid
    spec = TwoStage(**SPEC, endogenous=("d1", "d2"), method=method)
    estimate = spec.fit(frame)
    assert estimate.fit is not None
    influence = estimate.fit.influence.dense()
    assert np.abs(influence.sum(axis=0)).max() < 1e-9 * np.abs(influence).sum()
    rows = np.random.default_rng(0).choice(500, 40, replace=False)
    moved = np.array([estimate.values - spec.fit(frame.drop(index=row)).values for row in rows])
    assert np.corrcoef(moved[:, 0], influence[rows, 0])[0, 1] > 0.98


def test_just_identified_methods_agree() -> None:
    frame = simulated(2)
    spec: dict[str, Any] = SPEC | {"instruments": ("z1",), "endogenous": ("d1",)}
    values = [TwoStage(**spec, method=method).fit(frame).values for method in ("2sls", "liml", "gmm", "cue")]
    np.testing.assert_allclose(values, np.tile(values[0], (4, 1)), rtol=1e-7)


def test_wald_estimator_by_hand() -> None:
    frame = pd.DataFrame({"y": [1, 3, 1, 1, 2, 4.0], "d": [0, 1, 0, 0, 0, 1], "z": [0, 1, 0, 1, 0, 1]})
    estimate = TwoStage(outcome="y", endogenous="d", instruments="z").fit(frame)
    on, off = frame[frame["z"] == 1], frame[frame["z"] == 0]
    gap = on["y"].mean() - off["y"].mean()
    assert estimate.values[0] == pytest.approx(gap / (on["d"].mean() - off["d"].mean()))
    assert reduced_form(estimate).values[0] == pytest.approx(gap)


def test_absorbed_effects_are_dummies() -> None:
    frame = simulated(5)
    absorbed = TwoStage(**SPEC, endogenous=("d1",), absorb=("village",), weights="w").fit(frame)
    dummies = TwoStage(**(SPEC | {"covariates": ("x1", "x2", "named")}), endogenous=("d1",), weights="w").fit(
        frame.assign(named=frame["village"].astype(str))
    )
    for kind in ("HC1", "HC2", "HC3"):
        first, second = (e.with_inference(Robust(kind)) for e in (absorbed, dummies))
        np.testing.assert_allclose(first.values, second.values[:3], rtol=1e-9)
        np.testing.assert_allclose(first.uncertainty.std_error, second.uncertainty.std_error[:3], rtol=1e-9)
    ours, theirs = (first_stage(each, inference=Robust("HC1"))[0] for each in (absorbed, dummies))
    assert ours.details["f"] == pytest.approx(theirs.details["f"], rel=1e-9)
    assert ours.details["partial_r2"] == pytest.approx(theirs.details["partial_r2"], rel=1e-9)


def test_frisch_waugh_of_covariates() -> None:
    frame = simulated(6)
    whole = TwoStage(**SPEC, endogenous=("d1",)).fit(frame)
    others = np.column_stack([frame[["x1", "x2"]], np.ones(len(frame))])
    columns = ["y", "d1", "z1", "z2", "z3"]
    rest = frame[columns] - others @ np.linalg.lstsq(others, frame[columns].to_numpy(), rcond=None)[0]
    part = TwoStage(outcome="y", endogenous="d1", instruments=("z1", "z2", "z3")).fit(rest)
    assert part.values[0] == pytest.approx(whole.values[0], rel=1e-9)


def test_hansen_is_the_gmm_objective_at_weights_of_two_stage_least_squares() -> None:
    frame = simulated(7)
    plain = TwoStage(**SPEC, endogenous=("d1",)).fit(frame)
    optimal = TwoStage(**SPEC, endogenous=("d1",), method="gmm").fit(frame)
    assert overidentification(plain).statistic == pytest.approx(optimal.details["objective"], rel=1e-9)
    found = overidentification(plain, suspects=("z3",))
    fewer = TwoStage(**(SPEC | {"instruments": ("z1", "z2")}), endogenous=("d1",), method="gmm").fit(frame)
    assert found.df == 1
    assert 0 < found.statistic < overidentification(plain).statistic
    # asymptotically the same as J less J of fewer instruments, not in digits
    assert found.statistic == pytest.approx(
        optimal.details["objective"] - fewer.details["objective"], abs=0.35
    )
    with pytest.raises(DesignError, match="suspected"):
        overidentification(plain, suspects=("z1", "z2", "z3"))
    just = TwoStage(**(SPEC | {"instruments": ("z1",)}), endogenous=("d1",)).fit(frame)
    assert np.isnan(overidentification(just).statistic)


# ------------------------------------------------------------------ what is refused, and what is dropped


def fit(frame: pd.DataFrame, **choices: Any) -> Estimate:
    return TwoStage(**({**SPEC, "endogenous": ("d1",)} | choices)).fit(frame)


@pytest.mark.parametrize(
    ("choices", "message"),
    [
        ({"method": "3sls"}, "no method"),
        ({"moments": "hac"}, "no moments"),
        ({"moments": "cluster"}, "go together"),
        ({"moments_by": "village"}, "go together"),
        ({"instruments": ()}, "needs endogenous"),
        ({"endogenous": ()}, "needs endogenous"),
        ({"instruments": ("d1",)}, "in two roles"),
        ({"covariates": ("z1",)}, "in two roles"),
        ({"endogenous": ("y",)}, "in two roles"),
    ],
)
def test_choices_that_cannot_be(choices: dict[str, Any], message: str) -> None:
    with pytest.raises(DesignError, match=message):
        fit(simulated(1), **choices)


@pytest.mark.parametrize(
    ("change", "choices", "message"),
    [
        ({}, {"instruments": ("z1",), "endogenous": ("d1", "d2")}, "fewer instruments"),
        ({"z1": 3.0}, {"instruments": ("z1",)}, "fewer instruments"),
        ({"z1": "x1"}, {"instruments": ("z1",)}, "fewer instruments"),
        ({"z1": "village"}, {"instruments": ("z1",), "absorb": ("village",)}, "fewer instruments"),
        ({"d1": 1.0}, {}, "does not vary"),
        ({"d1": "x1"}, {}, "does not vary"),
        ({"d1": "village"}, {"absorb": ("village",)}, "does not vary"),
        ({"d2": "d1"}, {"endogenous": ("d1", "d2")}, "does not vary"),
        ({"z1": "text"}, {"endogenous": ("name",)}, "'name'"),
    ],
)
def test_data_that_cannot_answer(change: dict[str, Any], choices: dict[str, Any], message: str) -> None:
    frame = simulated(1).assign(name="a", text="b")
    for column, source in change.items():
        frame[column] = frame[source] if isinstance(source, str) else source
    with pytest.raises(DesignError, match=message):
        fit(frame, **choices)


def test_instruments_that_say_exactly_nothing() -> None:
    frame = pd.DataFrame({"d": [0, 1, 0, 1.0], "z": [0, 0, 1, 1.0], "y": [1, 2, 3, 5.0]})
    with pytest.raises(DesignError, match="say nothing"):
        TwoStage(outcome="y", endogenous="d", instruments="z").fit(frame)


def test_one_instrument_for_two_regressors_beside_noise_is_refused() -> None:
    frame = simulated(1)
    frame["z2"] = frame["z1"] * 2
    with pytest.raises(DesignError, match="fewer instruments"):
        fit(frame, instruments=("z1", "z2"), endogenous=("d1", "d2"))


def test_collinear_columns_are_named() -> None:
    frame = simulated(1)
    frame["x3"], frame["z4"], frame["five"] = frame["x1"] - frame["x2"], frame["z1"] + frame["x1"], 5.0
    estimate = fit(frame, covariates=("x1", "x2", "x3", "five"), instruments=("z1", "z4", "z2"))
    assert set(estimate.details["columns"]["dropped"]) == {"x3", "five", "z4"}
    assert estimate.keys["term"] == ("d1", "x1", "x2", "constant")
    assert any(check.name == "collinear columns" and "x3" in check.detail for check in estimate.checks)
    np.testing.assert_allclose(estimate.values, fit(frame, instruments=("z1", "z2")).values, rtol=1e-9)


def test_categories_are_instruments_level_by_level() -> None:
    frame = simulated(1)
    frame["offer"] = pd.Categorical(
        np.where(frame["z1"] > 1, "late", np.where(frame["z1"] > 0, "early", "never"))
    )
    estimate = fit(frame, instruments=("offer",))
    assert estimate.details["columns"]["instruments"] == ("offer[late]", "offer[never]")


def test_units_of_columns_do_not_matter() -> None:
    frame = simulated(4)
    other = frame.assign(d1=frame["d1"] * 1e6, z1=frame["z1"] * 1e-7, y=frame["y"] * 1e4)
    first, second = fit(frame), fit(other)
    assert second.values[0] == pytest.approx(first.values[0] * 1e-2, rel=1e-9)
    for name in ("kleibergen_paap_f", "cragg_donald"):
        assert second.details["strength"][name] == pytest.approx(first.details["strength"][name], rel=1e-8)
    ends = np.array(first.details["anderson_rubin"]["intervals"])
    np.testing.assert_allclose(second.details["anderson_rubin"]["intervals"], ends * 1e-2, rtol=1e-7)


def test_missing_values_are_counted_and_all_missing_is_refused() -> None:
    frame = simulated(1)
    frame.loc[:4, "d1"], frame.loc[5:6, "z2"] = np.nan, np.nan
    estimate = fit(frame)
    assert dict(estimate.sample.dropped) == {"d1 missing": 5, "z2 missing": 2}
    with pytest.raises(DesignError, match="no complete row"):
        fit(frame.assign(z1=np.nan))
