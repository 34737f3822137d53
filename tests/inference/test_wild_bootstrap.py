"""The fast algebra against its definition: every draw made as data, and estimated again with its dummies."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import DenseInfluence, Estimate, Fit, Groups, Instrumented, Linear, Sample
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.cluster_ways import crossings
from juntos_eval.inference.confidence_sets import inverted, shape_in_words
from juntos_eval.inference.wild_bootstrap import WildBootstrap, wild_test
from juntos_eval.inference.wild_draws import WildDraws
from tests.inference.panel import absorbed_fit, dummies_of, groups_of


@pytest.fixture
def panel() -> pd.DataFrame:
    """SIMULATED: 9 regions of 3 units over 5 years, a tenth of the rows missing."""
    rng = np.random.default_rng(12)
    frame = pd.DataFrame({"unit": np.repeat(np.arange(27), 5), "year": np.tile(np.arange(5), 27)})
    frame["region"] = frame["unit"] // 3
    frame["x1"] = rng.normal(size=135) + 0.2 * frame["region"]
    frame["x2"] = ((frame["region"] < 4) & (frame["year"] > 2)) * 1.0
    noise = rng.normal(size=9)[frame["region"]] * frame["year"] / 3 + rng.normal(size=135)
    frame["y"] = 0.3 * frame["x1"] + 0.4 * frame["x2"] + noise
    frame["w"] = rng.uniform(0.3, 2.0, 135)
    return frame[rng.random(135) < 0.9].reset_index(drop=True)


class Definition:
    """t statistics of a regression with every column there, clustered the slow way."""

    def __init__(self, x: Floats, w: Floats, ways: list[Groups], rule: Any) -> None:
        self.x, self.w, self.ways, self.rule = x, w, ways, rule
        self.M = np.linalg.pinv(x.T @ (x * w[:, None]), hermitian=True)

    def fit(self, y: Floats) -> tuple[Floats, Floats]:
        beta = self.M @ (self.x.T @ (self.w * y))
        scores = self.x * (self.w * (y - self.x @ beta))[:, None] @ self.M
        V = np.zeros_like(self.M)
        for sign, codes, count in crossings(self.ways):
            sums = np.array([scores[codes == g].sum(axis=0) for g in range(count)])
            V += sign * sums.T @ sums
        return beta, V * self.rule


def restricted(x: Floats, w: Floats, y: Floats, rows: Floats, null: Floats) -> Floats:
    """Least squares under R β = r."""
    M = np.linalg.pinv(x.T @ (x * w[:, None]), hermitian=True)
    beta = M @ (x.T @ (w * y))
    return beta - M @ rows.T @ np.linalg.solve(rows @ M @ rows.T, rows @ beta - null)


def slow_statistics(
    frame: pd.DataFrame, absorb: list[str], weights: Floats | None, choice: WildBootstrap, rows: Floats
) -> tuple[Floats, float]:
    """Wald statistics of every draw and of the sample; rows are restrictions on x1, x2."""
    w = np.ones(len(frame)) if weights is None else weights
    groups = groups_of(frame, choice.columns)
    ways = [groups[c] for c in ([choice.by] if isinstance(choice.by, str) else choice.by)]
    drawn_by = groups[choice.bootstrap_by] if choice.bootstrap_by else min(ways, key=lambda g: g.count)
    others = dummies_of(tuple(groups_of(frame, absorb).values())) if absorb else np.ones((len(frame), 1))
    x = np.hstack([frame[["x1", "x2"]].to_numpy(), others])
    rows = np.hstack([rows, np.zeros((len(rows), others.shape[1]))])
    null = np.full(len(rows), choice.null)
    y = frame["y"].to_numpy()
    definition = Definition(x, w, ways, 1.0)
    beta = restricted(x, w, y, rows, null) if choice.impose_null else definition.fit(y)[0]
    residuals = y - x @ beta
    target = null if choice.impose_null else rows @ beta

    def wald(outcome: Floats, against: Floats) -> float:
        b, V = definition.fit(outcome)
        gap = rows @ b - against
        return float(gap @ np.linalg.solve(rows @ V @ rows.T, gap))

    draws = WildDraws(law=choice.weights, clusters=drawn_by.count, draws=choice.draws, seed=choice.seed)
    weights_drawn = np.hstack(list(draws.tiles()))
    stars = [wald(x @ beta + residuals * v[drawn_by.codes], target) for v in weights_drawn.T]
    return np.array(stars), wald(y, null)


CHOICES: dict[str, dict[str, Any]] = {
    "one way": {"by": "region"},
    "unrestricted": {"by": "region", "impose_null": False},
    "another null": {"by": "region", "null": 0.7},
    "webb": {"by": "region", "weights": "webb"},
    "mammen": {"by": "region", "weights": "mammen"},
    "normal": {"by": "region", "weights": "normal"},
    "subclusters": {"by": "region", "bootstrap_by": "unit"},
    "two ways": {"by": ("region", "year")},
    "two ways, by the other": {"by": ("region", "year"), "bootstrap_by": "region"},
}


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
@pytest.mark.parametrize(
    ("absorb", "weighted"),
    [([], False), (["unit"], False), (["unit", "year"], True), (["region", "year"], False)],
)
def test_every_draw_estimated_again(
    panel: pd.DataFrame, choice: dict[str, Any], absorb: list[str], weighted: bool
) -> None:
    inference = WildBootstrap(**choice, seed=3, draws=120, level=None, ties="at_least")
    weights = panel["w"].to_numpy() if weighted else None
    fit = absorbed_fit(panel, ("x1", "x2"), absorb, weights, inference.columns)
    selection = np.eye(len(fit.values))[-2:]
    fit = replace(
        fit,
        values=selection @ fit.values,
        influence=fit.influence.combine(selection),
        linear=replace(fit.linear, selection=selection),  # type: ignore[type-var]
    )
    found = inference.infer(fit)
    assert found.p_values is not None
    enumerated = "all" in found.method.split("t*")[0]
    for value in range(2):
        stars, observed = slow_statistics(panel, absorb, weights, inference, np.eye(2)[[value]])
        # draws whose variance is not positive, as two ways allow, count as beyond
        beyond = ((stars >= observed * (1 - 1e-7)) | (stars < 0) | ~np.isfinite(stars)).sum()
        expected = beyond / len(stars) if enumerated else (beyond + 1) / (len(stars) + 1)
        if observed > 0:
            assert found.p_values[value] == pytest.approx(expected, abs=1e-12)
        else:
            assert np.isnan(found.p_values[value])


@pytest.mark.parametrize("choice", [CHOICES["one way"], CHOICES["unrestricted"], CHOICES["subclusters"]])
@pytest.mark.parametrize("absorb", [[], ["unit", "year"]])
def test_several_restrictions(panel: pd.DataFrame, choice: dict[str, Any], absorb: list[str]) -> None:
    inference = WildBootstrap(**choice, seed=3, draws=200)
    fit = absorbed_fit(panel, ("x1", "x2"), absorb, None, inference.columns)
    estimate = Estimate(
        spec={},
        keys={"term": tuple(map(str, range(len(fit.values))))},
        values=fit.values,
        uncertainty=Cluster("region").infer(fit),
        sample=Sample(rows=fit.n, units=fit.n),
        fit=fit,
    )
    found = wild_test(estimate, inference, np.eye(len(fit.values))[-2:])
    stars, observed = slow_statistics(panel, absorb, None, inference, np.eye(2))
    assert found.p_value == pytest.approx((stars > observed * (1 + 1e-9)).mean(), abs=1e-12)
    assert found.df == 2
    G, n = 9, len(panel)
    k = 3 if not absorb else 2 + 1 + 4
    factor = G / (G - 1) * (n - 1) / (n - k)
    assert found.statistic == pytest.approx(observed / 2 / factor, rel=1e-8)


def test_jackknife_variants_by_leaving_clusters_out(panel: pd.DataFrame) -> None:
    """Scores and variances of variant 33 by refitting without each cluster, in the sample and every draw."""
    choice = WildBootstrap(by="region", seed=5, draws=99, variant="33", level=None)
    fit = absorbed_fit(panel, ("x1", "x2"), (), None, ("region",))
    x, codes = fit.linear.design, fit.groups["region"].codes  # type: ignore[union-attr]
    y, row, G, ones = panel["y"].to_numpy(), np.array([[0.0, 1.0, 0.0]]), 9, np.ones(len(panel))

    def t_of(outcome: Floats) -> float:
        full = np.linalg.lstsq(x, outcome, rcond=None)[0]
        parts = [np.linalg.lstsq(x[codes != g], outcome[codes != g], rcond=None)[0] for g in range(G)]
        gaps = np.array(parts)[:, 1] - full[1]
        return float(full[1] / np.sqrt((G - 1) / G * gaps @ gaps))

    beta = restricted(x, ones, y, row, np.zeros(1))
    scores = np.zeros((len(y), 1))
    for g in range(G):
        kept = codes != g
        without = restricted(x[kept], ones[kept], y[kept], row, np.zeros(1))
        scores[~kept, 0] = y[~kept] - x[~kept] @ without
    draws = np.hstack(list(WildDraws(law="rademacher", clusters=G, draws=99, seed=5).tiles()))
    stars = np.array([t_of(x @ beta + scores[:, 0] * v[codes]) for v in draws.T])
    found = choice.infer(fit)
    assert found.p_values is not None
    assert fit.values[1] / found.std_error[1] == pytest.approx(t_of(y), rel=1e-9)
    assert found.p_values[1] == (np.abs(stars) > abs(t_of(y))).mean()


def instrumented_fit(frame: pd.DataFrame, absorb: tuple[str, ...], weights: Floats) -> Fit:
    """Two-stage least squares of y on d, x1, instruments z1 z2, effects taken out by their dummies."""
    groups = groups_of(frame, absorb)
    others = dummies_of(tuple(groups.values())) if absorb else np.ones((len(frame), 1))
    root = np.sqrt(weights)[:, None]

    def out(columns: Floats) -> Floats:
        if not absorb:
            return columns
        return np.asarray(columns - others @ np.linalg.lstsq(others * root, columns * root, rcond=None)[0])

    names = ["y", "d", "x1", "z1", "z2"]
    y, d, x1, z1, z2 = out(frame[names].to_numpy()).T
    x = x1[:, None] if absorb else np.column_stack([x1, np.ones(len(frame))])
    z = np.column_stack([z1, z2])
    zx = np.hstack([z, x])
    fitted = zx @ np.linalg.lstsq(zx * root, d[:, None] * root, rcond=None)[0]
    design = np.hstack([fitted, x])
    bread = np.asarray(np.linalg.inv(design.T @ (design * weights[:, None])), dtype=np.float64)
    beta = bread @ (design.T @ (weights * y))
    residuals = y - np.hstack([d[:, None], x]) @ beta
    linear = Linear(
        design=design,
        weights=weights,
        residuals=residuals,
        bread=bread,
        selection=np.eye(len(beta)),
        absorbed=tuple(groups.values()),
        absorbed_rank=int(np.linalg.matrix_rank(others)) if absorb else 0,
    )
    return Fit(
        values=beta,
        influence=DenseInfluence(design * (weights * residuals)[:, None] @ bread),
        parameters=len(beta),
        groups=groups_of(frame, ["region"]),
        linear=linear,
        instrumented=Instrumented(outcome=y, endogenous=d[:, None], exogenous=x, instruments=z),
    )


@pytest.fixture
def instrumented(panel: pd.DataFrame) -> pd.DataFrame:
    rng = np.random.default_rng(4)
    n = len(panel)
    common = rng.normal(size=n)
    z = rng.normal(size=(n, 2))
    d = 0.6 * z[:, 0] + 0.4 * z[:, 1] + common + rng.normal(size=9)[panel["region"]]
    return panel.assign(z1=z[:, 0], z2=z[:, 1], d=d, y=panel["y"] + 0.5 * d + common)


@pytest.mark.parametrize("absorb", [(), ("unit",), ("unit", "year")])
@pytest.mark.parametrize("null", [0.0, 0.4])
@pytest.mark.parametrize("weighted", [False, True])
def test_wild_restricted_efficient_bootstrap(
    instrumented: pd.DataFrame, absorb: tuple[str, ...], null: float, weighted: bool
) -> None:
    frame = instrumented
    w = frame["w"].to_numpy() if weighted else np.ones(len(frame))
    root = np.sqrt(w)[:, None]
    fit = instrumented_fit(frame, absorb, w)
    choice = WildBootstrap(by="region", seed=2, draws=200, null=null, ties="at_least")
    others = dummies_of(tuple(groups_of(frame, absorb).values())) if absorb else np.ones((len(frame), 1))
    x = np.column_stack([frame["x1"], others])
    z, y, d = frame[["z1", "z2"]].to_numpy(), frame["y"].to_numpy(), frame["d"].to_numpy()
    codes = fit.groups["region"].codes

    def least(columns: Floats, outcome: Floats) -> Floats:
        return np.asarray(np.linalg.lstsq(columns * root, outcome * root[:, 0], rcond=None)[0])

    def t_of(outcome: Floats, treatment: Floats) -> float:
        zx = np.column_stack([z, x])
        fitted = zx @ least(zx, treatment)
        second = np.column_stack([fitted, x])
        alpha = least(second, outcome)
        residuals = outcome - np.column_stack([treatment, x]) @ alpha
        own = fitted - x @ least(x, fitted)
        sums = np.bincount(codes, weights=w * own * residuals)
        return float((alpha[0] - null) * (w @ own**2) / np.sqrt(sums @ sums))

    gamma = least(x, y - null * d)
    u = y - null * d - x @ gamma
    stage = least(np.column_stack([z, x, u]), d)
    mean = np.column_stack([z, x]) @ stage[:-1]
    v = d - mean
    stars = []
    for weight in np.hstack(list(WildDraws(law="rademacher", clusters=9, draws=200, seed=2).tiles())).T:
        treatment = mean + v * weight[codes]
        stars.append(t_of(null * treatment + x @ gamma + u * weight[codes], treatment))
    beyond = (np.abs(stars) >= abs(t_of(y, d)) - 1e-9).sum()
    found = choice.infer(fit)
    assert found.p_values is not None
    assert found.p_values[0] == pytest.approx((beyond + 1) / 201, abs=1e-12)
    assert np.isnan(found.p_values[1])
    assert "WRE" in found.method
    assert f"{len(fit.values) - 1} of {len(fit.values)} values not tested" in found.method
    assert "empty" not in found.method
    _ends_are_where_p_crosses(choice, fit, found.intervals)


def _ends_are_where_p_crosses(choice: WildBootstrap, fit: Fit, intervals: Floats | None) -> None:
    assert intervals is not None
    for end, inwards in zip(intervals[0], (1e-6, -1e-6), strict=True):
        if np.isfinite(end):
            inside = replace(choice, null=end + inwards).infer(fit).p_values
            outside = replace(choice, null=end - inwards).infer(fit).p_values
            assert inside is not None
            assert outside is not None
            assert inside[0] > 0.05 >= outside[0]


def test_the_ends_of_a_set_are_where_p_crosses(panel: pd.DataFrame) -> None:
    fit = absorbed_fit(panel, ("x1", "x2"), ("unit", "year"), None, ("region",))
    choice = WildBootstrap(by="region", seed=1, draws=999)
    found = choice.infer(fit)
    assert found.intervals is not None
    for value in range(2):
        for end, outwards in zip(found.intervals[value], (-1, 1), strict=True):
            just_inside = replace(choice, null=float(end - outwards * 1e-7)).infer(fit).p_values
            just_outside = replace(choice, null=float(end + outwards * 1e-7)).infer(fit).p_values
            assert just_inside is not None
            assert just_outside is not None
            assert just_inside[value] > 0.05 >= just_outside[value]


def test_few_clusters_leave_no_end(panel: pd.DataFrame) -> None:
    """With four clusters no sign vector is rare enough: p is 1/8 at least."""
    few = panel[panel["region"] < 4].assign(x2=lambda f: (f["region"] < 2) * 1.0)
    fit = absorbed_fit(few, ("x1", "x2"), (), None, ("region",))
    found = WildBootstrap(by="region", seed=1, draws=999, ties="at_least").infer(fit)
    assert found.intervals is not None
    assert np.isinf(found.intervals).all()
    assert "3 of 3 confidence sets unbounded" in found.method
    assert found.p_values is not None
    assert (found.p_values >= 1 / 8).all()


def test_draws_repeat_with_the_seed_and_tiles_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    laws: tuple[Any, ...] = ("rademacher", "webb", "mammen", "normal")
    for law in laws:
        draws = WildDraws(law=law, clusters=13, draws=300, seed=1)
        whole = np.hstack(list(draws.tiles()))
        np.testing.assert_array_equal(whole, np.hstack(list(draws.tiles())))
        assert whole.shape == (13, 300)
        monkeypatch.setattr("juntos_eval.inference.wild_draws.TILE", 13 * 64)
        np.testing.assert_array_equal(whole, np.hstack(list(draws.tiles())))
        monkeypatch.undo()
        assert abs(whole.mean()) < 5 / np.sqrt(whole.size)
        assert whole.var() == pytest.approx(1, abs=0.1)
    webb = WildDraws(law="webb", clusters=3, draws=216, seed=1)
    assert webb.is_enumerated
    assert len(np.unique(np.hstack(list(webb.tiles())), axis=1).T) == 216


def test_sets_in_pieces_and_without_end() -> None:
    def waves(gaps: Floats) -> Floats:
        return np.asarray(0.5 + 0.5 * np.cos(np.clip(np.abs(gaps), 0, 3 * np.pi)), dtype=np.float64)

    pieces = inverted(waves, 0.5)
    expected = [(-5 * np.pi / 2, -3 * np.pi / 2), (-np.pi / 2, np.pi / 2), (3 * np.pi / 2, 5 * np.pi / 2)]
    np.testing.assert_allclose(pieces, expected, rtol=1e-9)
    assert inverted(lambda d: np.zeros(len(d)), 0.05) == ()
    assert inverted(lambda d: np.asarray(d > 1, dtype=np.float64), 0.05)[0][1] == np.inf
    words = shape_in_words((pieces, (), ((0.0, 1.0),)))
    assert (
        words
        == ", 1 of 3 confidence sets in several pieces (their hull is shown), 1 of 3 confidence sets empty"
    )


@pytest.mark.parametrize(
    "choice",
    [{"weights": "gamma"}, {"variant": "12"}, {"ties": ">"}, {"tail": "both"}, {"draws": 10}, {"level": 95}],
)
def test_choices_that_there_are_not(choice: dict[str, Any]) -> None:
    with pytest.raises(InferenceError, match="wild bootstrap"):
        WildBootstrap(**{"by": "region", "seed": 1, **choice})


def test_what_it_cannot_be_asked(panel: pd.DataFrame, instrumented: pd.DataFrame) -> None:
    fit = absorbed_fit(panel, ("x1", "x2"), (), None, ("region", "year", "unit"))
    bare = Fit(values=fit.values, influence=fit.influence, parameters=3, groups=fit.groups)
    with pytest.raises(InferenceError, match="MultiplierBootstrap"):
        WildBootstrap(by="region", seed=1).infer(bare)
    with pytest.raises(InferenceError, match="jackknife variants"):
        WildBootstrap(by="region", bootstrap_by="unit", variant="31", seed=1).infer(fit)
    iv = instrumented_fit(instrumented, (), np.ones(len(panel)))
    with pytest.raises(InferenceError, match="variant 11"):
        WildBootstrap(by="region", seed=1, impose_null=False).infer(iv)
    other = replace(iv, values=iv.values * 1.1)
    with pytest.raises(InferenceError, match="two-stage"):
        WildBootstrap(by="region", seed=1).infer(other)
