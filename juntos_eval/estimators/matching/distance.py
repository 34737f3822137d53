r"""How far two rows are apart: by score, by a column, or by all covariates at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Codes, Floats, frozen
from juntos_eval.errors import DesignError

__all__ = ["SCORES", "SPACES", "Places", "on_a_line", "place_in_space"]

# distance -> link of the score, and whether its linear predictor is meant
SCORES = {
    "logit": ("logit", False),
    "linear_logit": ("logit", True),
    "probit": ("probit", False),
    "linear_probit": ("probit", True),
}
SPACES = ("mahalanobis", "scaled_euclidean", "robust_mahalanobis")

# directions with less than this share of the largest variance are those of collinear covariates
FLAT = 1e-10


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where the rows stand: on a line or in space, in exact blocks.

    Attributes
    ----------
    points : numpy.ndarray, shape (n, d)
        Distances between rows are Euclidean distances of these; on a line d is 1.
    blocks : numpy.ndarray of int64, shape (n,)
        Rows of different blocks are never matched.
    unit : float
        What calipers and tolerances count in: the standard deviation (n - 1) on a line, 1 in space.
    is_line : bool

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.distance import Places
    >>> Places(points=np.ones((2, 1)), blocks=np.zeros(2), unit=1.0, is_line=True).line.tolist()
    [1.0, 1.0]
    """

    points: Floats
    blocks: Codes
    unit: float
    is_line: bool

    def __post_init__(self) -> None:
        object.__setattr__(self, "points", frozen(self.points))
        object.__setattr__(self, "blocks", frozen(self.blocks, np.int64))

    @property
    def line(self) -> Floats:
        """The first coordinate, shape (n,)."""
        return self.points[:, 0]


def on_a_line(values: Floats, blocks: Codes, name: str) -> Places:
    """Return the places of rows that differ by one number.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
    blocks : numpy.ndarray of int64, shape (n,)
    name : str
        For the error.

    Returns
    -------
    Places

    Raises
    ------
    DesignError
        If the number is the same for all rows, so that nobody is nearer than anybody.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.distance import on_a_line
    >>> on_a_line(np.array([0.0, 2.0]), np.zeros(2, dtype=np.int64), "score").unit == 2**0.5
    True
    """
    if np.ptp(values) == 0:
        raise DesignError(
            f"the distance '{name}' is the same for all rows, so nobody is nearer than anybody else",
            where=f"{len(values)} rows at {values[0]:g}",
            remedy="match on covariates that differ between rows",
        )
    return Places(points=values[:, None], blocks=blocks, unit=float(values.std(ddof=1)), is_line=True)


def place_in_space(
    covariates: Floats, treated: Bools, blocks: Codes, *, distance: str, covariance: str
) -> Places:
    r"""Return places whose Euclidean distances are those asked for.

    .. math:: d_{ij}^2 = (x_i - x_j)' \hat\Sigma^{-} (x_i - x_j)

    with :math:`\hat\Sigma` the covariance of the covariates (``mahalanobis``), its diagonal
    (``scaled_euclidean``), or that of their ranks, rescaled to the variance that ranks without ties have
    (``robust_mahalanobis``).

    Parameters
    ----------
    covariates : numpy.ndarray, shape (n, p)
    treated : numpy.ndarray of bool, shape (n,)
    blocks : numpy.ndarray of int64, shape (n,)
    distance : str
        One of ``SPACES``.
    covariance : str
        ``"within"``: around the mean of each arm; ``"overall"``: around the mean of all rows.

    Returns
    -------
    Places

    Raises
    ------
    DesignError
        If no covariate varies.

    References
    ----------
    Rubin, D. B. (1980). Bias reduction using Mahalanobis-metric matching. *Biometrics* 36(2), 293–298.

    Rosenbaum, P. R. (2010). *Design of Observational Studies*, section 8.3. Springer.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.estimators.matching.distance import place_in_space
    >>> x = np.array([[0.0], [2.0], [4.0]])
    >>> at = place_in_space(x, np.array([True, False, False]), np.zeros(3, dtype=np.int64),
    ...                     distance="scaled_euclidean", covariance="overall")
    >>> np.diff(at.line).tolist()
    [1.0, 1.0]
    """
    is_robust = distance == "robust_mahalanobis"
    values = _ranks(covariates) if is_robust else covariates
    spread = _covariance(values, treated, is_within=covariance == "within" and not is_robust)
    if not (np.diag(spread) > 0).any():
        raise DesignError(
            "no covariate varies, so all rows are at the same place",
            where=f"{covariates.shape[1]} covariates, {len(covariates)} rows",
            remedy="match on covariates that differ between rows",
        )
    if is_robust:
        untied = len(values) * (len(values) + 1) / 12.0
        stretch = np.sqrt(untied / np.where(np.diag(spread) > 0, np.diag(spread), np.inf))
        spread = spread * np.outer(stretch, stretch)
    if distance == "scaled_euclidean":
        spread = np.diag(np.diag(spread))
    return Places(points=_whitened(values, spread), blocks=blocks, unit=1.0, is_line=False)


def _covariance(values: Floats, treated: Bools, *, is_within: bool) -> Floats:
    if not is_within:
        return np.atleast_2d(np.cov(values, rowvar=False))
    centred = values.copy()
    for arm in (treated, ~treated):
        centred[arm] -= values[arm].mean(axis=0)
    return np.asarray(centred.T @ centred / (len(values) - 2))


def _whitened(values: Floats, spread: Floats) -> Floats:
    """Turn and scale the values; column by column, so that equal rows stay exactly equal."""
    scale = np.sqrt(np.where(np.diag(spread) > 0, np.diag(spread), np.inf))
    roots, vectors = np.linalg.eigh(spread / np.outer(scale, scale))
    kept = roots > FLAT * roots.max()
    turn = vectors[:, kept] / np.sqrt(roots[kept]) / scale[:, None]
    if np.count_nonzero(spread) == np.count_nonzero(np.diag(spread)):
        turn = np.diag(1.0 / scale)[:, np.isfinite(scale)]
    points = np.zeros((len(values), turn.shape[1]))
    for source, row in zip((values - values.mean(axis=0)).T, turn, strict=True):
        for target in np.flatnonzero(row):
            points[:, target] += source * row[target]
    return points


def _ranks(columns: Floats) -> Floats:
    from scipy.stats import rankdata  # a third of a second, for one distance alone

    return np.asarray(rankdata(columns, axis=0))
