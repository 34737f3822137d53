r"""A density at many places by a local polynomial of the distribution function, on one side of a cutoff.

At a place g the empirical distribution function is regressed on powers of :math:`x - g` with the rows of the
side within the bandwidth; the first slope is the density (Cattaneo, Jansson & Ma 2020). Near the cutoff the
window is one-sided, and nothing has to be corrected for it.
"""

from __future__ import annotations

import numpy as np

from juntos_eval.arrays import Bools, Floats
from juntos_eval.numerics.local_polynomial import kernel_weights

__all__ = ["density_curve"]


def density_curve(
    values: Floats, places: Floats, within: Bools, shape: tuple[float, int, str]
) -> tuple[Floats, Floats]:
    """Return densities and their standard errors at places.

    Parameters
    ----------
    values : numpy.ndarray, shape (n,)
        Of the whole sample, ascending.
    places : numpy.ndarray, shape (m,)
    within : numpy.ndarray of bool, shape (n,)
        Rows of the side: a stretch of the values.
    shape : tuple
        Bandwidth, order of the polynomial, kernel.

    Returns
    -------
    tuple of numpy.ndarray, shape (m,)
        NaN where a window holds fewer distinct values than coefficients.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.local_density import density_curve
    >>> even = (np.arange(1000) + 0.5) / 1000
    >>> found, _ = density_curve(even, np.array([0.0, 0.5]), np.full(1000, True), (0.2, 2, "triangular"))
    >>> found.round(2).tolist()
    [1.0, 1.0]
    """
    bandwidth, order, kernel = shape
    n = len(values)
    rows = np.flatnonzero(within)
    start, end = int(rows[0]), int(rows[-1]) + 1
    # tied rows share the distribution function's highest value
    rank = np.searchsorted(values, values[start:end], side="right") - 1
    found = np.full((2, len(places)), np.nan)
    for at, place in enumerate(places):
        low = int(np.searchsorted(values[start:end], place - bandwidth))
        high = int(np.searchsorted(values[start:end], place + bandwidth, side="right"))
        here = values[start + low : start + high]
        scaled = (here - place) / bandwidth
        starts = np.flatnonzero(np.r_[True, np.diff(here) > 0]) if len(here) else np.zeros(0, dtype=np.int64)
        if len(starts) < order + 2:
            continue
        weights = kernel_weights(kernel, np.abs(scaled))
        design = np.vander(scaled, order + 1, increasing=True)
        gram = design.T @ (design * weights[:, None])
        equivalent = weights * (design @ np.linalg.solve(gram, np.eye(order + 1)[1])) / bandwidth
        found[0, at] = equivalent @ rank[low:high] / (n - 1.0)
        # leave-one-out influence: what the rows at and above a row weigh, less its own weight
        above = np.cumsum(equivalent[::-1])[::-1]
        first = starts[np.searchsorted(starts, np.arange(len(here)), side="right") - 1]
        influence = above[first] - equivalent
        found[1, at] = np.sqrt(np.sum(influence**2) + (start + low) * above[0] ** 2) / (n - 1.0)
    return found[0], found[1]
