"""Corrections against their definition by whole matrices, and absorbed effects against dummies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Estimate, Fit, Groups, Sample
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.cluster_wald import cluster_wald
from juntos_eval.inference.explicit_effects import explicit_effects
from juntos_eval.inference.robust import Robust
from juntos_eval.inference.small_sample import SmallSample
from juntos_eval.numerics.grouped_products import grouped_products
from tests.inference.panel import absorbed_fit, dummies_of, fit_of, groups_of


@pytest.fixture
def panel() -> pd.DataFrame:
    """SIMULATED: 40 units of 12 regions over 6 years, a fifth of the rows missing."""
    rng = np.random.default_rng(9)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(40), 6), "year": np.tile(np.arange(6), 40)})
    frame["region"] = rng.integers(0, 12, 40)[frame["unit"]]
    frame["grp"] = rng.integers(0, 4, 240)
    frame["x1"] = rng.normal(size=240) + 0.3 * frame["year"]
    frame["x2"] = (rng.random(240) < 0.3) * 1.0
    frame["y"] = frame["x1"] + rng.normal(size=40)[frame["unit"]] + rng.normal(size=240)
    frame["w"] = rng.uniform(0.3, 2.0, 240)
    frame["wu"] = rng.uniform(0.3, 2.0, 40)[frame["unit"]]
    return frame[rng.random(240) < 0.8].reset_index(drop=True)


def with_dummies(frame: pd.DataFrame, absorb: list[str], weights: Floats | None, by: str) -> Fit:
    """The same regression with every effect a column; the values are all of its coefficients."""
    weight = np.ones(len(frame)) if weights is None else weights
    dummies = dummies_of(tuple(groups_of(frame, absorb).values()))
    x = np.hstack([frame[["x1", "x2"]].to_numpy(), dummies])
    kept: list[int] = []
    for column in range(x.shape[1]):
        if np.linalg.matrix_rank(x[:, [*kept, column]]) > len(kept):
            kept.append(column)
    return fit_of(x[:, kept], frame["y"].to_numpy(), weight, groups_of(frame, [by]))


ABSORBED = [
    ["unit"],
    ["unit", "year"],
    ["region", "year"],
    ["unit", "region", "year"],
    ["unit", "year", "grp"],
]


@pytest.mark.parametrize("absorb", ABSORBED)
@pytest.mark.parametrize("by", ["unit", "region", "year"])
@pytest.mark.parametrize("weights", [None, "w", "wu"])
@pytest.mark.parametrize("kind", ["CR2", "CR3"])
def test_absorbed_effects_are_dummies(
    panel: pd.DataFrame, absorb: list[str], by: str, weights: str | None, kind: Any
) -> None:
    weight = None if weights is None else panel[weights].to_numpy()
    absorbed = absorbed_fit(panel, ("x1", "x2"), absorb, weight, (by,))
    dummies = with_dummies(panel, absorb, weight, by)
    # of the dummies' own coefficients the jackknife may not be able to speak
    assert dummies.linear is not None
    slopes = Fit(
        values=dummies.values[:2],
        influence=dummies.influence.combine(np.eye(2, len(dummies.values))),
        parameters=dummies.parameters,
        groups=dummies.groups,
        linear=_selected(dummies, 2),
    )
    for working in ("identity", "inverse_weights"):
        inference = Cluster(by, kind=kind, working=working)
        found, expected = inference.infer(absorbed), inference.infer(slopes)
        assert found.df_each is not None
        assert expected.df_each is not None
        np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-6)
        np.testing.assert_allclose(found.df_each, expected.df_each, rtol=1e-6)


def _selected(fit: Fit, count: int) -> Any:
    from dataclasses import replace

    assert fit.linear is not None
    return replace(fit.linear, selection=np.eye(count, len(fit.values)))


@pytest.mark.parametrize("absorb", ABSORBED)
@pytest.mark.parametrize("weights", [None, "w"])
def test_leverage_of_absorbed_effects(panel: pd.DataFrame, absorb: list[str], weights: str | None) -> None:
    weight = None if weights is None else panel[weights].to_numpy()
    absorbed, dummies = (
        absorbed_fit(panel, ("x1", "x2"), absorb, weight),
        with_dummies(panel, absorb, weight, "unit"),
    )
    assert absorbed.linear is not None
    assert dummies.linear is not None
    np.testing.assert_allclose(
        explicit_effects(absorbed.linear).leverage, dummies.linear.leverage, atol=1e-10
    )
    rows = np.flatnonzero(dummies.linear.leverage > 1 - 1e-9)
    if not len(rows):
        found, expected = Robust("HC3").infer(absorbed), Robust("HC3").infer(dummies)
        np.testing.assert_allclose(found.std_error, expected.std_error[:2], rtol=1e-8)
        assert found.df == len(panel) - 2 - np.linalg.matrix_rank(dummies.linear.design[:, 2:]) or absorb == [
            "unit",
            "region",
            "year",
        ]


def by_definition(fit: Fit, by: str, kind: str) -> tuple[Floats, Floats]:
    """Pustejovsky & Tipton's formulas with n by n matrices, working model of equal variances."""
    linear = fit.linear
    assert linear is not None
    x, w, M = linear.design, linear.weights, linear.bread
    left = np.eye(len(w)) - x @ M @ (x * w[:, None]).T
    clusters = fit.groups[by]
    scores, blocks = [], []
    for cluster in range(clusters.count):
        rows = clusters.codes == cluster
        if kind == "CR2":
            roots, vectors = np.linalg.eigh(left[rows] @ left[rows].T)
            power = np.where(roots > 1e-9, np.abs(roots) ** -0.5, 0.0)
            A = (vectors * power) @ vectors.T
        else:
            A = np.linalg.inv(left[np.ix_(rows, rows)])
        G = M @ (x[rows] * w[rows, None]).T @ A
        scores.append(G @ linear.residuals[rows])
        blocks.append(G @ left[rows])
    P = np.einsum("gkn,hkn->kgh", np.array(blocks), np.array(blocks))
    df = np.einsum("kgg->k", P) ** 2 / (P**2).sum(axis=(1, 2))
    return np.array(scores).T @ np.array(scores), df


@pytest.mark.parametrize("kind", ["CR2", "CR3"])
@pytest.mark.parametrize("weights", [None, "w"])
def test_definition_with_whole_matrices(panel: pd.DataFrame, kind: Any, weights: str | None) -> None:
    weight = None if weights is None else panel[weights].to_numpy()
    fit = absorbed_fit(panel, ("x1", "x2"), (), weight, ("region",))
    covariance, df = by_definition(fit, "region", kind)
    found = Cluster("region", kind=kind).infer(fit)
    assert found.df_each is not None
    np.testing.assert_allclose(found.covariance, covariance, rtol=1e-8)
    np.testing.assert_allclose(found.df_each, df, rtol=1e-8)
    assert found.df == found.df_each.min()


def test_the_jackknife_refits_without_each_cluster(panel: pd.DataFrame) -> None:
    weight = panel["w"].to_numpy()
    fit = absorbed_fit(panel, ("x1", "x2"), (), weight, ("region",))
    gaps = []
    for region in range(fit.groups["region"].count):
        kept = fit.groups["region"].codes != region
        gaps.append(absorbed_fit(panel[kept], ("x1", "x2"), (), weight[kept]).values - fit.values)
    expected = np.array(gaps).T @ np.array(gaps)
    np.testing.assert_allclose(Cluster("region", kind="CR3").infer(fit).covariance, expected, rtol=1e-8)
    G = len(gaps)
    jackknife = Cluster("region", kind="CR3J").infer(fit)
    np.testing.assert_allclose(jackknife.covariance, expected * (G - 1) / G, rtol=1e-8)
    assert jackknife.df == G - 1
    assert "cluster jackknife" in jackknife.method


def test_one_row_a_cluster_is_hc2_and_hc3(panel: pd.DataFrame) -> None:
    frame = panel.assign(row=np.arange(len(panel)))
    fit = absorbed_fit(frame, ("x1", "x2"), ("year",), None, ("row",))
    for kind, robust in (("CR2", "HC2"), ("CR3", "HC3")):
        found = Cluster("row", kind=kind).infer(fit).covariance  # type: ignore[arg-type]
        np.testing.assert_allclose(found, Robust(robust).infer(fit).covariance, rtol=1e-9)  # type: ignore[arg-type]


def test_balanced_treatment_of_clusters_has_g_less_two_degrees() -> None:
    """Textbook: the difference of means of G equal clusters, half of them treated (Imbens & Kolesár)."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"cluster": np.repeat(np.arange(10), 7), "y": rng.normal(size=70)})
    frame["x1"] = (frame["cluster"] < 5) * 1.0
    fit = absorbed_fit(frame, ("x1",), (), None, ("cluster",))
    found = Cluster("cluster", kind="CR2").infer(fit)
    assert found.df_each is not None
    assert found.df_each[1] == pytest.approx(8, rel=1e-9)
    means = frame.groupby(["x1", "cluster"])["y"].mean().groupby("x1").agg(["var", "size"])
    assert found.covariance[1, 1] == pytest.approx((means["var"] / means["size"]).sum(), rel=1e-9)


def test_one_treated_cluster(panel: pd.DataFrame) -> None:
    frame = panel.assign(x2=(panel["region"] == panel["region"].iloc[0]) * 1.0)
    fit = absorbed_fit(frame, ("x1", "x2"), (), None, ("region",))
    with pytest.raises(InferenceError, match="1 of 11 clusters"):
        Cluster("region", kind="CR3").infer(fit)
    found = Cluster("region", kind="CR2").infer(fit)
    assert np.isfinite(found.std_error).all()


def test_what_corrections_need(panel: pd.DataFrame) -> None:
    fit = absorbed_fit(panel, ("x1", "x2"), (), None, ("region", "year"))
    with pytest.raises(InferenceError, match="one column of clusters"):
        Cluster(("region", "year"), kind="CR2").infer(fit)
    bare = Fit(values=fit.values, influence=fit.influence, parameters=3, groups=fit.groups)
    with pytest.raises(InferenceError, match="no least-squares fit"):
        Cluster("region", small_sample=SmallSample(df="satterthwaite")).infer(bare)
    many = Fit(values=fit.values, influence=fit.influence, parameters=30, groups=fit.groups)
    with pytest.raises(InferenceError, match="11 clusters, 30 coefficients"):
        Cluster("region", kind="CR1p").infer(many)


def test_too_many_dummies_are_refused(panel: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("juntos_eval.inference.explicit_effects.LIMIT", 100)
    fit = absorbed_fit(panel, ("x1", "x2"), ("unit", "year"), None, ("unit",))
    with pytest.raises(InferenceError, match="6 dummies"):
        Cluster("unit", kind="CR2").infer(fit)


def test_products_by_group_in_both_ways() -> None:
    rng = np.random.default_rng(2)
    left, right, codes = rng.normal(size=(500, 3)), rng.normal(size=(500, 2)), rng.integers(0, 5, 500)
    expected = [left[codes == g].T @ right[codes == g] for g in range(5)]
    np.testing.assert_allclose(grouped_products(left, right, codes, 5), expected, rtol=1e-10)
    many = grouped_products(left, right, np.arange(500), 501)
    np.testing.assert_allclose(many[:-1], left[:, :, None] * right[:, None, :])
    assert (many[-1] == 0).all()


def test_satterthwaite_goes_through_intervals_and_records(panel: pd.DataFrame) -> None:
    fit = absorbed_fit(panel, ("x1", "x2"), ("year",), None, ("region",))
    estimate = Estimate(
        spec={},
        keys={"term": ("x1", "x2")},
        values=fit.values,
        uncertainty=Cluster("region", kind="CR2").infer(fit),
        sample=Sample(rows=fit.n, units=fit.n),
        fit=fit,
    )
    again = Estimate.from_record(estimate.to_record())
    np.testing.assert_array_equal(again.interval(), estimate.interval())
    half = np.diff(estimate.interval(), axis=1)[:, 0] / 2 / estimate.uncertainty.std_error
    assert half[0] != pytest.approx(half[1], rel=1e-3)
    one = cluster_wald(estimate, Cluster("region", kind="CR2"), [[1.0, 0.0]])
    assert one.p_value == pytest.approx(estimate.p_values()[0], rel=1e-9)
    with pytest.raises(InferenceError, match="say a thing twice"):
        cluster_wald(estimate, Cluster("region"), [[1.0, 0.0], [2.0, 0.0]])
    with pytest.raises(InferenceError, match="no test"):
        cluster_wald(estimate, Cluster("region"), test="F")  # type: ignore[arg-type]


def test_groups_without_rows_do_not_count(panel: pd.DataFrame) -> None:
    fit = absorbed_fit(panel, ("x1", "x2"), (), None, ("region",))
    wider = Groups(fit.groups["region"].codes * 2, tuple(str(i) for i in range(24)))
    other = Fit(
        values=fit.values, influence=fit.influence, parameters=3, groups={"region": wider}, linear=fit.linear
    )
    inference = Cluster("region", kind="CR2")
    np.testing.assert_allclose(inference.infer(other).covariance, inference.infer(fit).covariance)
