"""Changes-in-changes: numbers by hand, invariance to the scale, bounds, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import DesignError
from juntos_eval.estimators.did import ChangesInChanges, DoublyRobust
from juntos_eval.inference.bootstrap import Bootstrap
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.multiplier_bootstrap import MultiplierBootstrap

PEOPLE: dict[str, Any] = {"outcome": "y", "time": "t", "treatment": "d", "panel": False}
PANEL: dict[str, Any] = {"outcome": "y", "time": "t", "treatment": "d", "unit": "id"}


def people(**cells: list[float]) -> pd.DataFrame:
    """Rows of cells c0 c1 t0 t1: controls and treated, before and after."""
    parts = [
        pd.DataFrame({"y": np.array(values, float), "d": (name[0] == "t") * 1, "t": int(name[1])})
        for name, values in cells.items()
    ]
    return pd.concat(parts, ignore_index=True)


def simulated(seed: int = 4, units: int = 300) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    d = rng.integers(0, 2, units)
    u = rng.normal(size=units) + 0.5 * d
    x = rng.normal(size=units)
    before, after = u, 1 + 1.5 * (0.8 * u + 0.6 * rng.normal(size=units) + 0.5 * 0.2 * d) + 1.0 * d
    frame = pd.DataFrame({"id": np.tile(np.arange(units), 2), "t": np.repeat([0, 1], units)})
    return frame.assign(
        d=np.tile(d, 2), y=np.concatenate([before, after]), x=np.tile(x, 2), w=np.tile(1 + d + (x > 0), 2)
    ).assign(village=lambda rows: rows["id"] % 30)


def test_each_treated_moves_as_the_control_at_its_outcome() -> None:
    frame = people(c0=[1, 2, 3], c1=[2, 4, 9], t0=[2, 3, 3], t1=[6, 10, 14])
    found = ChangesInChanges(**PEOPLE, quantiles=(0.3, 0.5, 0.9)).fit(frame)
    # counterfactuals 4, 9, 9
    np.testing.assert_allclose(found.values, [30 / 3 - 22 / 3, 6 - 4, 10 - 9, 14 - 9])
    assert found.keys["term"] == ("att", "quantile 0.3", "quantile 0.5", "quantile 0.9")


def test_quantile_did_by_hand() -> None:
    frame = people(c0=[1, 2, 3], c1=[2, 4, 9], t0=[2, 3, 3], t1=[6, 10, 14])
    found = ChangesInChanges(**PEOPLE, quantiles=(0.5,), method="quantile_did").fit(frame)
    np.testing.assert_allclose(found.values, [10 - 8 / 3 - (5 - 2), 10 - 3 - (4 - 2)])
    means = DoublyRobust(outcome="y", time="t", treatment="d", panel=False).fit(frame)
    assert found.values[0] == pytest.approx(means.values[0])
    assert found.uncertainty.std_error[0] == pytest.approx(means.uncertainty.std_error[0], rel=1e-9)


def test_the_scale_of_the_outcome_does_not_change_what_would_have_been() -> None:
    frame = simulated()
    quantiles = (0.2, 0.5, 0.8)
    after = np.sort(frame["y"][(frame["d"] == 1) & (frame["t"] == 1)])
    at = after[np.ceil(np.array(quantiles) * len(after)).astype(int) - 1]
    plain = ChangesInChanges(**PANEL, quantiles=quantiles).fit(frame)
    stretched = ChangesInChanges(**PANEL, quantiles=quantiles).fit(frame.assign(y=np.exp(frame["y"])))
    np.testing.assert_allclose(np.exp(at - plain.values[1:]), np.exp(at) - stretched.values[1:], rtol=1e-10)


def test_weights_count_people() -> None:
    frame = people(c0=[1, 2, 3, 4], c1=[2, 4, 9, 11], t0=[2, 3, 3, 1], t1=[6, 10, 14, 2])
    frame["w"] = np.tile([1.0, 2.0, 1.0, 3.0], 4)
    weighted = ChangesInChanges(**PEOPLE, weights="w").fit(frame)
    repeated = ChangesInChanges(**PEOPLE).fit(frame.loc[frame.index.repeat(frame["w"].astype(int))])
    np.testing.assert_allclose(weighted.values, repeated.values, rtol=1e-12)
    scaled = ChangesInChanges(**PEOPLE, weights="w").fit(frame.assign(w=frame["w"] * 7))
    np.testing.assert_allclose(weighted.uncertainty.std_error, scaled.uncertainty.std_error, rtol=1e-10)


def test_a_panel_has_the_effects_of_its_rows_and_errors_of_its_units() -> None:
    frame = simulated()
    of_units, of_rows = ChangesInChanges(**PANEL).fit(frame), ChangesInChanges(**PEOPLE).fit(frame)
    np.testing.assert_allclose(of_units.values, of_rows.values, rtol=1e-12)
    # units that stay alike make changes precise
    assert of_units.uncertainty.std_error[0] < 0.9 * of_rows.uncertainty.std_error[0]
    recurring = ChangesInChanges(**PEOPLE, unit="id").fit(frame)
    np.testing.assert_allclose(recurring.uncertainty.std_error, of_units.uncertainty.std_error, rtol=1e-10)
    state = ChangesInChanges(**PANEL).fit(frame.assign(d=frame["d"] * frame["t"]))
    np.testing.assert_allclose(state.values, of_units.values, rtol=1e-12)


def test_discrete_outcomes_have_bounds_by_hand() -> None:
    # controls: half at 0; those move to 0, 1 (half each), the rest to 1: F01 = 1/4 at 0
    frame = people(c0=[0, 0, 1, 1], c1=[0, 1, 1, 1], t0=[0, 0, 0, 1], t1=[1, 1, 0, 1])
    found = ChangesInChanges(**PEOPLE, support="discrete").fit(frame)
    assert found.keys["term"] == ("att", "lower", "upper")
    # counterfactual: 3/4 of treated at 0, of whom half would have moved; the rest at 1
    np.testing.assert_allclose(found.values, [3 / 4 - (3 / 4 / 2 + 1 / 4), 3 / 4 - 1, 3 / 4 - 1 / 4])


def test_the_bootstrap_fits_it_again() -> None:
    frame, changes = simulated(), ChangesInChanges(**PANEL, quantiles=(0.5,))
    again = Bootstrap(changes, seed=5, draws=40, by="id").fit(frame)
    np.testing.assert_allclose(
        changes.fit(frame).uncertainty.std_error, again.uncertainty.std_error, rtol=0.4
    )


def test_covariates_are_taken_out() -> None:
    frame = simulated()
    moved = frame.assign(y=frame["y"] + 3 * frame["x"], none=2.0)
    plain = ChangesInChanges(**PEOPLE).fit(frame)
    given = ChangesInChanges(**PEOPLE, covariates=("x", "none")).fit(moved)
    assert abs(given.values[0] - plain.values[0]) < 0.1
    without = ChangesInChanges(**PEOPLE).fit(moved)
    assert (given.uncertainty.std_error < 0.6 * without.uncertainty.std_error).all()


def test_other_inference_and_bands() -> None:
    frame = simulated()
    found = ChangesInChanges(**PANEL).fit(frame, carry=("village",))
    assert found.with_inference(Cluster("village")).uncertainty.df == 29
    bands = found.with_inference(MultiplierBootstrap(draws=199, seed=1))
    assert (bands.interval(simultaneous=True)[:, 0] < bands.interval()[:, 0]).all()
    assert found.fit is not None
    assert np.abs(found.fit.influence.dense().sum(axis=0)).max() < 1e-12


def test_checks_speak_of_support_and_ties() -> None:
    frame = people(c0=[1, 1, 2, 2], c1=[2, 2, 4, 4], t0=[5, 5, 6, 1], t1=[6, 6, 7, 2])
    checks = {check.name: check.passed for check in ChangesInChanges(**PEOPLE).fit(frame).checks}
    assert checks == {"support": False, "ties": False}


def test_bad_input_is_refused() -> None:
    frame = simulated(units=40)
    with pytest.raises(DesignError, match="two periods are compared"):
        ChangesInChanges(**PANEL).fit(frame.assign(t=np.arange(len(frame)) % 3, id=np.arange(len(frame))))
    with pytest.raises(DesignError, match="several rows in one period"):
        ChangesInChanges(**PANEL).fit(pd.concat([frame, frame.head(1)]))
    with pytest.raises(DesignError, match="'d' must be 0 or 1"):
        ChangesInChanges(**PANEL).fit(frame.assign(d=frame["d"] * 2))
    with pytest.raises(DesignError, match="there is no treated row in period 1"):
        ChangesInChanges(**PEOPLE).fit(frame[(frame["d"] == 0) | (frame["t"] == 0)])
    choices: list[dict[str, Any]] = [
        {"quantiles": (0.0,)},
        {"method": "cdf"},
        {"support": "discrete", "covariates": ("x",)},
        {"unit": None},
    ]
    for choice in choices:
        with pytest.raises(DesignError):
            ChangesInChanges(**{**PANEL, **choice})
    lost = ChangesInChanges(**PANEL).fit(frame.assign(y=frame["y"].where(frame.index > 0)))
    assert sum(lost.sample.dropped.values()) == 2


def test_the_error_of_slopes_moves_every_row_of_the_answer() -> None:
    frame = simulated(7, 400)
    given = ChangesInChanges(**PEOPLE, covariates=("x",)).fit(frame)
    cells = np.column_stack([(2 * frame["d"] + frame["t"]) == at for at in range(4)] + [frame["x"]]).astype(
        float
    )
    bread = np.linalg.inv(cells.T @ cells)
    slopes = bread @ cells.T @ frame["y"].to_numpy()
    score = ((frame["y"] - cells @ slopes).to_numpy()[:, None] * cells @ bread)[:, -1]
    step = float(np.linalg.norm(score))

    def without(slope: float) -> Any:
        return ChangesInChanges(**PEOPLE).fit(frame.assign(y=frame["y"] - slope * frame["x"]))

    plain, ahead, behind = without(slopes[-1]), without(slopes[-1] + step), without(slopes[-1] - step)
    along = (ahead.values - behind.values) / (2 * step)
    assert given.fit is not None
    np.testing.assert_allclose(given.values, plain.values, atol=1e-12)
    expected = plain.fit.influence.dense() + np.outer(score, along)
    np.testing.assert_allclose(given.fit.influence.dense(), expected, atol=1e-9)
