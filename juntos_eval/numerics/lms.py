r"""The LMS method: a skewed measurement to a standard normal score, and back.

With skewness L, median M and coefficient of variation S at an age,

.. math:: z = \frac{(y / M)^L - 1}{L S} \quad (L \ne 0), \qquad z = \frac{\ln(y / M)}{S} \quad (L = 0).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Bools, Floats, frozen

__all__ = ["LmsCurve", "lms_quantile", "lms_score", "restricted_lms_score"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LmsCurve:
    """L, M and S along an axis such as age or length, linear between its points.

    Attributes
    ----------
    at : numpy.ndarray, shape (k,)
        Increasing.
    skewness, median, variation : numpy.ndarray, shape (k,)
        L, M and S.

    Examples
    --------
    >>> from juntos_eval.numerics.lms import LmsCurve
    >>> curve = LmsCurve(at=[0, 10], skewness=[1, 1], median=[50, 60], variation=[0.04, 0.04])
    >>> [float(part[0]) for part in curve.read([5.0])]
    [1.0, 55.0, 0.04]
    """

    at: Floats
    skewness: Floats
    median: Floats
    variation: Floats

    def __post_init__(self) -> None:
        for name in ("at", "skewness", "median", "variation"):
            object.__setattr__(self, name, frozen(getattr(self, name)))

    def covers(self, places: Floats) -> Bools:
        """Return which places lie between the first and the last point."""
        places = np.asarray(places, dtype=np.float64)
        return np.asarray((places >= self.at[0]) & (places <= self.at[-1]))

    def read(self, places: Floats) -> tuple[Floats, Floats, Floats]:
        """Return L, M and S at some places; NaN beyond the ends.

        Parameters
        ----------
        places : numpy.ndarray, shape (n,)

        Returns
        -------
        tuple of numpy.ndarray, shape (n,)
        """
        places = np.asarray(places, dtype=np.float64)
        parts = [
            np.interp(places, self.at, part, left=np.nan, right=np.nan)
            for part in (self.skewness, self.median, self.variation)
        ]
        return parts[0], parts[1], parts[2]


def lms_score(y: Floats, skewness: Floats, median: Floats, variation: Floats) -> Floats:
    r"""Return the score of a measurement.

    Parameters
    ----------
    y : numpy.ndarray, shape (n,)
        Positive; anything else has no score.
    skewness, median, variation : numpy.ndarray, shape (n,)
        L, M and S at each row's age.

    Returns
    -------
    numpy.ndarray, shape (n,)
        NaN where a part is missing.

    References
    ----------
    Cole, T. J. & Green, P. J. (1992). Smoothing reference centile curves: the LMS method and penalized
    likelihood. Statistics in Medicine, 11, 1305-1319, equation for z.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.lms import lms_score
    >>> score = lms_score(np.array([11.0, 11.0]), np.array([1.0, 0.0]), np.full(2, 10.0), np.full(2, 0.1))
    >>> score.round(4).tolist()
    [1.0, 0.9531]
    """
    y, skewness, median, variation = _together(y, skewness, median, variation)
    ratio = np.where(y > 0, y, np.nan) / median
    is_log = skewness == 0
    power = np.where(is_log, 1.0, skewness)
    # expm1 keeps its digits where L is small and the power is close to one
    scores = np.where(is_log, np.log(ratio), np.expm1(power * np.log(ratio)) / power)
    return np.asarray(scores / variation)


def lms_quantile(z: Floats, skewness: Floats, median: Floats, variation: Floats) -> Floats:
    r"""Return the measurement of a score, :math:`M (1 + L S z)^{1/L}`, or :math:`M e^{S z}` where L is 0.

    Parameters
    ----------
    z, skewness, median, variation : numpy.ndarray, shape (n,)

    Returns
    -------
    numpy.ndarray, shape (n,)
        NaN where no measurement has the score.

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.lms import lms_quantile
    >>> lms_quantile(np.array([1.0]), np.array([1.0]), np.array([10.0]), np.array([0.1])).round(6).tolist()
    [11.0]
    """
    z, skewness, median, variation = _together(z, skewness, median, variation)
    is_log = skewness == 0
    power = np.where(is_log, 1.0, skewness)
    inside = skewness * variation * z
    grown = np.log1p(np.where(inside > -1, inside, np.nan)) / power
    return np.asarray(median * np.exp(np.where(is_log, variation * z, grown)))


def restricted_lms_score(y: Floats, skewness: Floats, median: Floats, variation: Floats) -> Floats:
    r"""Return the score, measured beyond three standard deviations by the width of the last one.

    With :math:`SD_k = M (1 + L S k)^{1/L}`,

    .. math::

        z > 3: \; 3 + \frac{y - SD_3}{SD_3 - SD_2}, \qquad
        z < -3: \; -3 + \frac{y - SD_{-3}}{SD_{-2} - SD_{-3}} .

    Parameters
    ----------
    y, skewness, median, variation : numpy.ndarray, shape (n,)

    Returns
    -------
    numpy.ndarray, shape (n,)

    References
    ----------
    WHO Multicentre Growth Reference Study Group (2006). WHO Child Growth Standards: Methods and development,
    chapter 7 (computation of centiles and z-scores, restricted application of the LMS method).

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.numerics.lms import restricted_lms_score
    >>> restricted_lms_score(*(np.array([part]) for part in (20.0, -0.5, 10.0, 0.1))).round(3).tolist()
    [7.119]
    """
    z = lms_score(y, skewness, median, variation)
    edge = {k: lms_quantile(np.full(z.shape, float(k)), skewness, median, variation) for k in (-3, -2, 2, 3)}
    above = 3 + (y - edge[3]) / (edge[3] - edge[2])
    below = -3 + (y - edge[-3]) / (edge[-2] - edge[-3])
    return np.asarray(np.where(z > 3, above, np.where(z < -3, below, z)))


def _together(*parts: Floats) -> list[Floats]:
    return [np.asarray(part) for part in np.broadcast_arrays(*(np.asarray(p, np.float64) for p in parts))]
