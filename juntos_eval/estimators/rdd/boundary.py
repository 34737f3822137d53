r"""Geographic discontinuities: what changes where a boundary is crossed."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.errors import DesignError
from juntos_eval.estimate import Check, Estimate, Fit, Inference, Sample, Uncertainty
from juntos_eval.estimators.design import Selection, groups_to_carry, select
from juntos_eval.estimators.panel import FixedEffects
from juntos_eval.estimators.rdd.boundary_choices import checked_boundary
from juntos_eval.estimators.rdd.boundary_points import (
    LocationChoices,
    PlaneRows,
    PointEffects,
    point_effects,
    point_label,
)
from juntos_eval.estimators.rdd.joint_fit import TERMS, Part, complete_rows, joint_parts, scaled_covariance
from juntos_eval.estimators.rdd.multi_cutoff import with_average
from juntos_eval.estimators.rdd.regression_discontinuity import RegressionDiscontinuity
from juntos_eval.inference.cluster import Cluster
from juntos_eval.inference.robust import Robust
from juntos_eval.numerics.geodesic_lines import kilometres_around

if TYPE_CHECKING:
    from pandas import DataFrame

__all__ = ["BoundaryRD"]

_SCORE = "distance to the point"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryRD:
    r"""Effect of lying on one side of a boundary, at it: by distance, by location, or by Dell's polynomial.

    ``method="distance"``
        A :class:`RegressionDiscontinuity` in the signed distance from the boundary, with fixed effects of its
        segments. With ``points``, at each point b a discontinuity in :math:`\pm\lVert x_i - b\rVert`.
    ``method="location"``
        At each point b of the boundary the gap :math:`\hat\mu_1(b) - \hat\mu_0(b)` between two local
        polynomials in the plane (kilometres east and north of b), weighted by the distance to b, with robust
        bias correction by the next order. This knows where along the boundary a row lies, and has no bias at
        kinks.
    ``method="polynomial"``
        :math:`y_i = \alpha_{s(i)} + \tau D_i + f(\text{latitude}_i, \text{longitude}_i) + x_i'\beta + e_i` by
        least squares on rows within some kilometres, f a polynomial of the given degree (Dell 2010, equation
        1).

    Parameters
    ----------
    outcome, running : str
        ``running`` is the signed distance in kilometres, positive in the treated area, as
        :func:`signed_distance` gives it; rows at the cutoff are treated.
    cutoff : float
    latitude, longitude : str, optional
        In degrees; needed for points and for the polynomial.
    method : {"distance", "location", "polynomial"}
    points : tuple of (latitude, longitude)
        Of the boundary, as :func:`boundary_points` gives them; ``"location"`` needs them.
    degree : int
        Of the polynomial in location.
    within : float, optional
        Rows within so many kilometres of the boundary only.
    segment : str, optional
        Column of boundary segments: fixed effects (not with points).
    treatment : str, optional
        Treatment received: a fuzzy design, by ``method="distance"``.
    order : int
        Of local polynomials.
    kernel : {"triangular", "uniform", "epanechnikov"}
    bandwidth : str, float or pair of float, optional
        In kilometres, or a selector: of :class:`RegressionDiscontinuity` for distances (``"mserd"``); for
        locations ``"mse"``, best at each point, or ``"imse"``, one for all of them.
    covariates : tuple of str
        For ``"distance"`` and ``"polynomial"``.
    cluster : str, optional
        Column of clusters of the default inference: usually the district whose place its rows share.
    weights : str, optional
        Sampling weights.

    Raises
    ------
    DesignError
        For choices that do not belong together; from ``fit`` for columns that cannot be used, degrees that
        are none, a side without rows, and a point that cannot be estimated, which is named.

    References
    ----------
    Dell, M. (2010). The persistent effects of Peru's mining mita. *Econometrica* 78(6), 1863-1903. Keele, L.
    J. & Titiunik, R. (2015). Geographic boundaries as regression discontinuities. *Political Analysis* 23(1),
    127-155. Cattaneo, M. D., Titiunik, R. & Yu, R. (2025). Estimation and inference in boundary discontinuity
    designs. Working paper.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> from juntos_eval.estimators.rdd import BoundaryRD
    >>> east, north = (each.ravel() for each in np.meshgrid(np.linspace(-1, 1, 40), np.linspace(-1, 1, 40)))
    >>> frame = pd.DataFrame({"lon": east - 72, "lat": north - 13, "km": 108.5 * east})
    >>> frame["y"] = frame["lat"] + 0.5 * frame["lon"] + 2.0 * (east >= 0)
    >>> design = BoundaryRD(outcome="y", running="km", latitude="lat", longitude="lon", method="polynomial")
    >>> design.fit(frame).values.round(6).tolist()
    [2.0]
    """

    outcome: str
    running: str
    cutoff: float = 0.0
    latitude: str | None = None
    longitude: str | None = None
    method: str = "distance"
    points: tuple[tuple[float, float], ...] = ()
    degree: int = 3
    within: float | None = None
    segment: str | None = None
    treatment: str | None = None
    order: int = 1
    kernel: str = "triangular"
    bandwidth: str | float | tuple[float, float] | None = None
    covariates: tuple[str, ...] = ()
    cluster: str | None = None
    weights: str | None = None

    def __post_init__(self) -> None:
        points = tuple((float(point[0]), float(point[1])) for point in self.points)
        object.__setattr__(self, "points", points)
        checked_boundary(self)

    def fit(
        self, data: DataFrame, *, inference: Inference | None = None, carry: tuple[str, ...] = ()
    ) -> Estimate:
        """Estimate at the boundary.

        Parameters
        ----------
        data : pandas.DataFrame
            One row a unit; not changed.
        inference : Inference, optional
            By default that of the method: nearest neighbours or clusters of ``RegressionDiscontinuity``;
            residuals with n/(n-k) or clusters a side, by location; ``Cluster`` or ``Robust("HC1")`` of the
            polynomial. ``MultiplierBootstrap`` gives bands that hold along the whole boundary.
        carry : tuple of str
            Groupings to keep for another inference later.

        Returns
        -------
        Estimate
            Terms ``conventional bias_corrected robust``, with points by ``group``: each point as (latitude,
            longitude), and ``weighted`` (by rows in the windows) or ``average`` (equal weights). Of the
            polynomial, the term ``jump``.
        """
        chosen, near = self._rows(data, inference, carry)
        if self.method == "polynomial":
            return self._polynomial(chosen, near, inference, carry)
        if self.method == "location":
            return self._location(chosen, inference)
        return self._distance(chosen, near, inference, carry)

    def _rows(
        self, data: DataFrame, inference: Inference | None, carry: tuple[str, ...]
    ) -> tuple[Selection, DataFrame]:
        """Return complete rows near the boundary, as arrays and as a frame."""
        places = [name for name in (self.latitude, self.longitude) if name is not None]
        treatment = [self.treatment] if self.treatment else []
        kept = (*((self.cluster,) if self.cluster else ()), *groups_to_carry(inference, carry))
        wanted = {
            "numeric": (self.outcome, *treatment, self.running, *places),
            "covariates": self.covariates,
            "factors": (self.segment,) if self.segment else (),
            "weights": self.weights,
            "carry": tuple(dict.fromkeys(kept)),
        }
        chosen = select(data, **wanted)  # type: ignore[arg-type]
        frame = data.iloc[chosen.rows]
        if self.within is not None:
            inside = np.abs(chosen.columns[self.running] - self.cutoff) <= self.within
            if not inside.any():
                raise DesignError(
                    "no row lies within the distance of the boundary that was asked for",
                    where=f"within={self.within:g} km; nearest row "
                    f"{np.abs(chosen.columns[self.running] - self.cutoff).min():g} km away",
                )
            out = {f"further than {self.within:g} km": int((~inside).sum())} if not inside.all() else {}
            frame = frame[inside]
            dropped = {**chosen.dropped, **out}
            chosen = replace(select(frame, **wanted), dropped=dropped)  # type: ignore[arg-type]
        for name, most in ((self.latitude, 90.0), (self.longitude, 180.0)):
            if name is not None and np.abs(chosen.columns[name]).max() > most:
                raise DesignError(
                    f"the column '{name}' does not hold degrees",
                    where=f"column '{name}', up to {np.abs(chosen.columns[name]).max():g}",
                    remedy="give decimal degrees of WGS 84",
                )
        treated = self._treated(chosen)
        if treated.all() or not treated.any():
            raise DesignError(
                "all rows lie on one side of the boundary",
                where=f"column '{self.running}', {chosen.n:,} rows from "
                f"{chosen.columns[self.running].min():g} to {chosen.columns[self.running].max():g} km",
                remedy="check the sign of the distance: positive in the treated area",
            )
        return chosen, frame

    def _treated(self, chosen: Selection) -> Bools:
        return np.asarray(chosen.columns[self.running] >= self.cutoff)

    def _design(self, running: str) -> RegressionDiscontinuity:
        segment = (self.segment,) if self.segment else ()
        return RegressionDiscontinuity(
            outcome=self.outcome,
            running=running,
            treatment=self.treatment,
            order=self.order,
            kernel=self.kernel,
            bandwidth="mserd" if self.bandwidth is None else self.bandwidth,
            covariates=(*self.covariates, *segment),
            cluster=self.cluster,
            weights=self.weights,
        )

    def _distance(
        self, chosen: Selection, near: DataFrame, inference: Inference | None, carry: tuple[str, ...]
    ) -> Estimate:
        spec = {"estimator": "BoundaryRD", **asdict(self)}
        if self.segment:
            # numbers of segments are names, not quantities
            near = near.assign(**{self.segment: near[self.segment].astype(str)})
        if not self.points:
            design = replace(self._design(self.running), cutoff=self.cutoff)
            estimate = design.fit(near, inference=inference, carry=carry)
            sample = replace(estimate.sample, dropped=dict(chosen.dropped))
            return replace(estimate, spec=spec, sample=sample)
        design = self._design(_SCORE)
        treated, east, north = self._treated(chosen), *self._places(chosen)
        rows, frame = complete_rows(design, near, numeric=(), carry=carry, inference=inference)
        parts = []
        for point in self.points:
            away = np.hypot(*kilometres_around(east, north, (point[1], point[0])).T)
            score = np.where(treated, away, -away)
            parts.append(Part(label=point_label(point), rows=np.arange(rows.n), score=score))
        fitted = joint_parts(design, rows, frame, parts)
        weights = fitted.window_rows() / fitted.window_rows().sum()
        count = int(treated.sum())
        rows = replace(rows, dropped=chosen.dropped)
        return with_average(spec, fitted, weights, rows, inference=inference, treated=count)

    def _places(self, chosen: Selection) -> tuple[Floats, Floats]:
        return chosen.columns[str(self.longitude)], chosen.columns[str(self.latitude)]

    def _location(self, chosen: Selection, inference: Inference | None) -> Estimate:
        treated, (east, north) = self._treated(chosen), self._places(chosen)
        cluster = chosen.groups[self.cluster] if self.cluster else None
        plane = PlaneRows(
            longitude=east,
            latitude=north,
            outcome=chosen.columns[self.outcome],
            weights=chosen.weights,
            treated=treated,
            clusters=None if cluster is None else cluster.codes,
        )
        width = "mse" if self.bandwidth is None else self.bandwidth
        choices = LocationChoices(order=self.order, kernel=self.kernel, bandwidth=width)  # type: ignore[arg-type]
        found = point_effects(plane, self.points, choices)
        points = len(self.points)
        mix = np.kron(np.vstack([np.eye(points), np.full((1, points), 1.0 / points)]), np.eye(3))
        size = (self.order + 1) * (self.order + 2)
        fit = Fit(
            values=mix @ found.values,
            influence=found.influence.combine(mix),
            parameters=size * points,
            groups=chosen.groups,
        )
        own = mix @ scaled_covariance(found.influence, found.errors, cluster) @ mix.T
        by = (
            f"clustered by {self.cluster} (G/(G-1)·(n-1)/(n-k) a side)" if cluster else "HC1 (n/(n-k) a side)"
        )
        method = f"{by}; correlations by rows' influence"
        labels = [*map(point_label, self.points), "average"]
        return Estimate(
            spec={"estimator": "BoundaryRD", **asdict(self)},
            keys={"term": TERMS * (points + 1), "group": tuple(name for name in labels for _ in TERMS)},
            values=fit.values,
            uncertainty=Uncertainty(method=method, covariance=own, df=np.inf)
            if inference is None
            else inference.infer(fit),
            sample=_sample(chosen, treated),
            checks=(_shared_windows(found),),
            details={
                name: {"h_km": float(h), "n_untreated": int(count[0]), "n_treated": int(count[1])}
                for name, h, count in zip(labels[:-1], found.bandwidths, found.counts, strict=True)
            },
            fit=fit,
            inference=inference,
        )

    def _polynomial(
        self, chosen: Selection, near: DataFrame, inference: Inference | None, carry: tuple[str, ...]
    ) -> Estimate:
        east, north = self._places(chosen)
        treated = self._treated(chosen)
        powers = _location_powers(east, north, self.degree)
        made = {f"location {at}": column for at, column in enumerate(powers.T)}
        frame = near.assign(**{"jump": treated.astype(np.float64), **made})
        own = Cluster(self.cluster, kind="CR1S") if self.cluster else Robust("HC1")
        rule: Inference = inference or own
        full = FixedEffects(
            outcome=self.outcome,
            covariates=("jump", *made, *self.covariates),
            absorb=(self.segment,) if self.segment else (),
            weights=self.weights,
        ).fit(frame, inference=rule, carry=carry)
        if "jump" not in full.keys["term"]:
            raise DesignError(
                "segments and location leave nothing of the boundary",
                where=f"{chosen.n:,} rows, degree {self.degree}",
                remedy="lower the degree, or use fewer segments: each must have rows on both sides",
            )
        pick = np.array([[float(term == "jump") for term in full.keys["term"]]])
        # asked again of the one value, so that draws and degrees of freedom are its own
        return replace(
            full.combine(pick, {"term": ("jump",)}).with_inference(rule),
            spec={"estimator": "BoundaryRD", **asdict(self)},
            sample=_sample(chosen, treated),
        )


def _location_powers(east: Floats, north: Floats, degree: int) -> Floats:
    """Return monomials of centred and scaled coordinates, without the constant."""
    places = np.column_stack([north, east])
    spread = places.std(axis=0)
    scaled = (places - places.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    columns = [
        scaled[:, 0] ** (total - second) * scaled[:, 1] ** second
        for total in range(1, degree + 1)
        for second in range(total + 1)
    ]
    return np.column_stack(columns)


def _sample(chosen: Selection, treated: Bools) -> Sample:
    kish = float(chosen.weights.sum() ** 2 / (chosen.weights**2).sum())
    count = int(treated.sum())
    return Sample(rows=chosen.n, units=chosen.n, treated=count, effective=kish, dropped=chosen.dropped)


def _shared_windows(found: PointEffects) -> Check:
    low, high = found.bandwidths.min(), found.bandwidths.max()
    fewest = found.counts.min(axis=0)
    detail = (
        f"bandwidths {low:.3g} to {high:.3g} km; at a point at least {fewest[0]:,} untreated and "
        f"{fewest[1]:,} treated rows"
    )
    return Check("windows along the boundary", None, detail)
