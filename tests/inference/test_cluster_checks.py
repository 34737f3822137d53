from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Check, Estimate, Sample
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.cluster_checks import cluster_checks
from tests.inference.panel import absorbed_fit, dummies_of, groups_of


@pytest.fixture
def panel() -> pd.DataFrame:
    """SIMULATED: 35 districts of 1 to 30 rows, 4 of them treated, and one that is half of all rows."""
    rng = np.random.default_rng(6)
    sizes = np.append(rng.integers(1, 31, 34), 600)
    frame = pd.DataFrame({"district": np.repeat(np.arange(35), sizes)})
    n = len(frame)
    frame["treated"] = (frame["district"] < 4) * 1
    frame["year"] = rng.integers(0, 3, n)
    return frame.assign(x1=rng.normal(size=n), y=rng.normal(size=n), w=rng.uniform(0.5, 2, n))


def estimate_of(frame: pd.DataFrame, absorb: tuple[str, ...] = (), *, weighted: bool = False) -> Estimate:
    weights = frame["w"].to_numpy() if weighted else None
    fit = absorbed_fit(frame, ("treated", "x1"), absorb, weights, ("district", "treated"))
    terms = ("treated", "x1") if absorb else ("one", "treated", "x1")
    return Estimate(
        spec={},
        keys={"term": terms},
        values=fit.values,
        uncertainty=Cluster("district").infer(fit),
        sample=Sample(rows=fit.n, units=fit.n),
        fit=fit,
    )


def named(checks: tuple[Check, ...]) -> dict[str, Check]:
    return {check.name: check for check in checks}


@pytest.mark.parametrize("weighted", [False, True])
def test_numbers_by_their_definition(panel: pd.DataFrame, weighted: bool) -> None:
    estimate = estimate_of(panel, weighted=weighted)
    found = named(cluster_checks(estimate, "district", treatment="treated"))
    x = np.column_stack([np.ones(len(panel)), panel["treated"], panel["x1"]])
    w = panel["w"].to_numpy() if weighted else np.ones(len(panel))
    M = np.linalg.inv(x.T @ (x * w[:, None]))
    district = panel["district"].to_numpy()
    loading = w * (x @ M[:, 2])
    gamma = np.bincount(district, weights=loading**2)
    effective = 35 / (1 + ((gamma / gamma.mean() - 1) ** 2).mean())
    assert found["effective clusters: x1"].detail == f"{effective:.1f} of 35"
    leverage = np.bincount(district, weights=w * np.einsum("ij,jk,ik->i", x, M, x))
    share = leverage / 3
    assert found["leverage of clusters"].detail == (
        f"largest {share.max():.3g} of all ('{share.argmax()}'), {share.max() * 35:.1f} times the mean"
    )
    rest = (
        panel["x1"]
        - x[:, :2] @ np.linalg.lstsq(x[:, :2] * np.sqrt(w)[:, None], panel["x1"] * np.sqrt(w), rcond=None)[0]
    )
    partial = np.bincount(district, weights=w * rest**2)
    partial = partial / partial.sum()
    assert f"largest {partial.max():.3g} " in found["partial leverage: x1"].detail


def test_leverage_counts_absorbed_effects(panel: pd.DataFrame) -> None:
    estimate = estimate_of(panel.assign(treated=panel["treated"] * (panel["year"] > 0)), ("district", "year"))
    found = named(cluster_checks(estimate, "district"))
    assert estimate.fit is not None
    assert estimate.fit.linear is not None
    dummies = dummies_of(tuple(groups_of(panel, ["district", "year"]).values()))
    x = np.hstack([estimate.fit.linear.design, dummies])
    hat = np.diag(x @ np.linalg.pinv(x.T @ x) @ x.T)
    share = np.bincount(panel["district"], weights=hat) / hat.sum()
    assert f"largest {share.max():.3g} of all" in found["leverage of clusters"].detail


def test_lines_that_are_drawn(panel: pd.DataFrame) -> None:
    found = named(cluster_checks(estimate_of(panel), "district", treatment="treated"))
    assert found["clusters"].passed is True
    assert found["clusters"].detail.startswith("35 by district, rows 1 to 600")
    assert found["treated clusters"].passed is False
    assert found["treated clusters"].detail == "4 treated at some time, 31 never"
    more = panel.assign(treated=(panel["district"] < 12) * 1)
    assert named(cluster_checks(estimate_of(more), "district", treatment="treated"))[
        "treated clusters"
    ].passed
    few = panel[panel["district"] < 20]
    assert named(cluster_checks(estimate_of(few), "district"))["clusters"].passed is False


def test_without_least_squares_sizes_alone(panel: pd.DataFrame) -> None:
    estimate = estimate_of(panel)
    assert estimate.fit is not None
    bare = replace(estimate, fit=replace(estimate.fit, linear=None))
    assert set(named(cluster_checks(bare, "district"))) == {"clusters"}
    with pytest.raises(InferenceError, match="without its fit"):
        cluster_checks(replace(estimate, fit=None), "district")
    with pytest.raises(InferenceError, match="did not carry"):
        cluster_checks(estimate, "village")


def test_a_treatment_in_words(panel: pd.DataFrame) -> None:
    estimate = estimate_of(panel)
    assert estimate.fit is not None
    groups = {**estimate.fit.groups, "arm": groups_of(panel.assign(arm="no"), ["arm"])["arm"]}
    with pytest.raises(InferenceError, match="not a number"):
        cluster_checks(
            replace(estimate, fit=replace(estimate.fit, groups=groups)), "district", treatment="arm"
        )
