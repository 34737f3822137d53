"""Inference for errors that go together in space, less so the further apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy import sparse
from scipy.spatial import KDTree

from juntos_eval.arrays import Codes, Floats
from juntos_eval.errors import InferenceError
from juntos_eval.estimate import Fit, Groups, Uncertainty
from juntos_eval.inference.cluster_ways import positive
from juntos_eval.inference.small_sample import SmallSample, counted_parameters, residual_df

__all__ = ["Conley"]

Kernel = Literal["uniform", "bartlett"]
Distance = Literal["spherical", "planar"]
# the radius at the equator, as fixest takes it
EARTH_KM = 6378.0
DEGREE_KM = 111.0
# pairs of places held at once: 24 bytes each
PAIRS = 4_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Conley:
    r"""Errors of rows closer than a cutoff go together, in whatever way (Conley 1999).

    .. math:: \hat V = c \sum_i \sum_j K(d_{ij}) \hat\psi_i \hat\psi_j', \qquad
              K(d) = 1[d \le \bar d] \;\text{or}\; \max(0, 1 - d / \bar d)

    with the ``uniform`` or the ``bartlett`` kernel and :math:`d_{ij}` the distance on a sphere of radius
    6,378 km; ``planar`` is the cheaper :math:`111 \sqrt{\Delta lat^2 + (\Delta lon \cos
    \overline{lat})^2}`, which does not know that longitudes meet (fixest's ``triangular``). Rows of one
    place are at distance zero: in a panel, errors of a place go together over all periods. t with n - k
    degrees of freedom, and c = n/(n-k) unless a :class:`SmallSample` says otherwise.

    A sum that is not positive semi-definite, as the kernels allow on a sphere, gets its negative
    eigenvalues set to zero, ``Uncertainty.method`` says so, and a variance that was itself negative becomes
    NaN.

    Pairs are found by a tree of the distinct places, and never all at once.

    Parameters
    ----------
    lat, lon : str
        Columns of latitude and longitude in decimal degrees. The fit must carry them.
    cutoff_km : float
        :math:`\bar d` in kilometres, above zero.
    kernel : {"uniform", "bartlett"}
    distance : {"spherical", "planar"}
    small_sample : SmallSample, optional

    Raises
    ------
    InferenceError
        For a cutoff or kernel that cannot be; from ``infer`` if the columns were not carried, or hold what
        are no degrees.

    References
    ----------
    Conley, T. G. (1999). GMM estimation with cross sectional dependence. *Journal of Econometrics*, 92(1),
    1-45.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimate import DenseInfluence, Fit, Groups
    >>> from juntos_eval.inference.conley import Conley
    >>> from juntos_eval.inference.small_sample import SmallSample
    >>> places = {"lat": Groups([0, 1, 2], ("-12.0", "-12.1", "-4.0")), "lon": Groups([0, 0, 0], ("-77",))}
    >>> influence = DenseInfluence(np.array([1.0, 1.0, -2.0]))
    >>> fit = Fit(values=[0.0], influence=influence, parameters=0, groups=places)
    >>> plain = SmallSample(coefficients=False)
    >>> Conley(lat="lat", lon="lon", cutoff_km=100, small_sample=plain).infer(fit).covariance.item()
    8.0
    """

    lat: str
    lon: str
    cutoff_km: float
    kernel: Kernel = "uniform"
    distance: Distance = "spherical"
    small_sample: SmallSample | None = None

    def __post_init__(self) -> None:
        known = self.kernel in get_args(Kernel) and self.distance in get_args(Distance)
        if not 0.0 < self.cutoff_km < np.inf or not known:
            raise InferenceError(
                "Conley needs a cutoff above zero, and a kernel and a distance that there are",
                where=f"cutoff_km={self.cutoff_km}, kernel={self.kernel!r}, distance={self.distance!r}",
                remedy=f"give kilometres, one of {', '.join(get_args(Kernel))} and of "
                f"{', '.join(get_args(Distance))}",
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """Latitude and longitude."""
        return (self.lat, self.lon)

    def infer(self, fit: Fit) -> Uncertainty:
        """Return covariance and degrees of freedom of the fit's values."""
        lat, lon = fit.grouping(self.lat), fit.grouping(self.lon)
        pairs, codes = np.unique(lat.codes * lon.count + lon.codes, return_inverse=True)
        totals = fit.influence.totals(codes.astype(np.int64), len(pairs))
        places = np.column_stack(
            [
                _degrees_of(lat, self.lat, 90.0)[pairs // lon.count],
                _degrees_of(lon, self.lon, 360.0)[pairs % lon.count],
            ]
        )
        rule = self.small_sample or SmallSample()
        parameters = counted_parameters(fit, rule)
        df = residual_df(fit, parameters, "use fewer covariates, or Robust('HC0')")
        factor = fit.n / df if rule.coefficients else 1.0
        covariance, repaired = positive(factor * _weighted_pairs(places, totals, self))
        method = f"Conley, {self.kernel} kernel up to {self.cutoff_km:g} km ({self.distance}), "
        method += f"{'n/(n-k)' if rule.coefficients else 'no small-sample factor'}, {len(pairs):,} places"
        return Uncertainty(
            method=method + (", negative eigenvalues set to 0" if repaired else ""),
            covariance=covariance,
            df=np.inf if rule.df == "normal" else df,
        )


def _degrees_of(places: Groups, column: str, limit: float) -> Floats:
    """Return the numbers that the labels of a carried column are."""
    try:
        degrees = np.array([float(level) for level in places.levels])
    except ValueError as error:
        raise InferenceError(
            f"the column '{column}' does not hold degrees",
            where=f"column '{column}', {str(error)[:80]}",
            remedy="give latitude and longitude as decimal degrees",
        ) from error
    wrong = ~(np.abs(degrees) <= limit)
    if wrong.any():
        raise InferenceError(
            f"the column '{column}' has values that are no degrees",
            where=f"column '{column}', {int(wrong.sum())} values, as {places.levels[int(np.argmax(wrong))]}",
            remedy=f"give decimal degrees between {-limit:g} and {limit:g}, not metres of a projection",
        )
    return degrees


def _on_the_sphere(places: Floats) -> Floats:
    """Return the places as points of a sphere of radius one, (places, 3)."""
    phi, theta = np.radians(places).T
    return np.column_stack([np.cos(phi) * np.cos(theta), np.cos(phi) * np.sin(theta), np.sin(phi)])


def _search(places: Floats, choice: Conley) -> tuple[Floats, float]:
    """Return points, and how near those of two places are that may lie within the cutoff."""
    if choice.distance == "planar":
        # with the narrowest degree of longitude for all, every distance is a lower bound of the planar one
        narrowest = np.cos(np.radians(np.abs(places[:, 0]).max()))
        return places * [1.0, narrowest], choice.cutoff_km / DEGREE_KM
    # a chord is as good as an arc to find neighbours by
    return _on_the_sphere(places), 2.0 * np.sin(min(choice.cutoff_km / EARTH_KM, np.pi) / 2.0)


def _kilometres(places: Floats, first: Codes, second: Codes, near: Floats, choice: Conley) -> Floats:
    if choice.distance == "planar":
        gap = places[first] - places[second]
        width = np.cos(np.radians((places[first, 0] + places[second, 0]) / 2.0))
        return np.asarray(DEGREE_KM * np.hypot(gap[:, 0], gap[:, 1] * width))
    return np.asarray(2.0 * EARTH_KM * np.arcsin(np.minimum(near / 2.0, 1.0)))


def _weighted_pairs(places: Floats, totals: Floats, choice: Conley) -> Floats:
    r"""Return :math:`\sum_{pq} K(d_{pq}) \psi_p \psi_q'` over places, in chunks of places."""
    points, reach = _search(places, choice)
    reach *= 1.0 + 1e-12  # against rounding
    tree = KDTree(points)
    sample = points[:: max(1, len(points) // 200)]
    neighbours = float(np.mean(tree.query_ball_point(sample, reach, return_length=True)))
    step = max(1, int(PAIRS / max(neighbours, 1.0)))
    total = np.zeros((totals.shape[1], totals.shape[1]))
    for start in range(0, len(points), step):
        chunk = points[start : start + step]
        found = KDTree(chunk).sparse_distance_matrix(tree, reach, output_type="ndarray")
        share = _kilometres(places, found["i"] + start, found["j"], found["v"], choice) / choice.cutoff_km
        weights = (share <= 1.0) * 1.0 if choice.kernel == "uniform" else np.maximum(0.0, 1.0 - share)
        near = sparse.csr_array((weights, (found["i"], found["j"])), shape=(len(chunk), len(points)))
        total += totals[start : start + step].T @ (near @ totals)
    return np.asarray((total + total.T) / 2.0)
