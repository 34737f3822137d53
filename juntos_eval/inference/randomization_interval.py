"""Intervals by inverting a randomization test, from three fits an assignment."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import InferenceError
from juntos_eval.inference.joint_draws import JointDraws

__all__ = ["Responses", "invert"]

FARTHEST = 1e4  # standard errors, beyond which an interval is open


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Responses:
    r"""How values and variances respond to an effect :math:`\tau` taken out of the outcomes.

    .. math:: \hat\theta(\tau) = \hat\theta - s \tau, \qquad \hat V(\tau) = \hat V + b \tau + c \tau^2

    as is so for every estimator that is linear in the outcome with a sandwich variance.

    Attributes
    ----------
    values, slopes, variances, linear, quadratic : numpy.ndarray, shape (..., k)

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.randomization_interval import Responses
    >>> one = np.ones(1)
    >>> seen = Responses.of(3 * one, (2 * one, 4 * one), one, (one, one), 1.0)
    >>> seen.at(2.0, 0, studentised=True).item()
    1.0
    """

    values: Floats
    slopes: Floats
    variances: Floats
    linear: Floats
    quadratic: Floats

    @classmethod
    def of(
        cls,
        values: Floats,
        moved: tuple[Floats, Floats],
        errors: Floats,
        moved_errors: tuple[Floats, Floats],
        step: float,
    ) -> Responses:
        """Return the responses from fits at 0, ``step`` and ``-step``.

        Parameters
        ----------
        values, errors : numpy.ndarray, shape (..., k)
        moved, moved_errors : tuple of two arrays
        step : float

        Raises
        ------
        InferenceError
            If the values do not lie on a line.
        """
        up, down = moved
        bend = np.nanmax(np.abs(up + down - 2 * values), initial=0.0)
        if bend > 1e-6 * max(step, np.nanmax(np.abs(values), initial=0.0)):
            raise InferenceError(
                "an interval by inversion needs an estimator that is linear in the outcome",
                where=f"values bend by {bend:.2g} over a step of {step:.2g}",
                remedy="set interval=False",
            )
        squares = errors**2
        high, low = (one**2 for one in moved_errors)
        return cls(
            values=values,
            slopes=(down - up) / (2 * step),
            variances=squares,
            linear=(high - low) / (2 * step),
            quadratic=(high + low - 2 * squares) / (2 * step**2),
        )

    def at(self, effect: float, column: int, *, studentised: bool) -> Floats:
        """Return the absolute statistic of a column with an effect taken out.

        Parameters
        ----------
        effect : float
        column : int
        studentised : bool
        """
        pick = (..., column)
        gap = np.abs(np.atleast_1d(self.values[pick] - effect * self.slopes[pick]))
        if not studentised:
            return gap
        variance = self.variances[pick] + effect * self.linear[pick] + effect**2 * self.quadratic[pick]
        error = np.sqrt(np.maximum(np.atleast_1d(variance), 0.0))
        return np.divide(gap, error, out=np.where(gap > 0, np.inf, 0.0), where=error > 0)


def invert(
    seen: Responses, drawn: Responses, column: int, *, joint: JointDraws, level: float, studentised: bool
) -> tuple[float, float]:
    r"""Return the effects around the estimate that the test at 1 - level does not reject.

    The first crossing met from the estimate outwards on each side; infinite where there is none within
    10,000 standard errors.

    Parameters
    ----------
    seen, drawn : Responses
    column : int
    joint : JointDraws
        For the way in which p values count.
    level : float
    studentised : bool

    Returns
    -------
    tuple of float

    Examples
    --------
    >>> import numpy as np
    >>> from juntos_eval.inference.joint_draws import JointDraws
    >>> from juntos_eval.inference.randomization_interval import Responses, invert
    >>> one = np.ones(1)
    >>> seen = Responses.of(0 * one, (-one, one), one, (one, one), 1.0)
    >>> shifts = np.linspace(-2, 2, 41)[:, None]
    >>> still = Responses.of(shifts, (shifts, shifts), shifts**0, (shifts**0, shifts**0), 1.0)
    >>> joint = JointDraws(statistics=[0.0], draws=shifts, exact=True, method="by hand")
    >>> ends = invert(seen, still, 0, joint=joint, level=0.9, studentised=False)
    >>> [round(float(end), 6) for end in ends]
    [-1.8, 1.8]
    """
    centre, scale = float(seen.values[column]), float(np.sqrt(seen.variances[column]))

    def kept(effect: float) -> bool:
        statistic = float(seen.at(effect, column, studentised=studentised)[0])
        return joint.share(drawn.at(effect, column, studentised=studentised), statistic) > 1 - level + 1e-12

    ends = []
    for side in (-1.0, 1.0):
        inside, reach = 0.0, 0.1
        while reach < FARTHEST and kept(centre + side * reach * scale):
            inside, reach = reach, reach * 1.15 + 0.05
        outside = reach
        if reach >= FARTHEST:
            ends.append(side * np.inf)
            continue
        for _ in range(50):
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if kept(centre + side * middle * scale) else (inside, middle)
        ends.append(centre + side * inside * scale)
    return float(ends[0]), float(ends[1])
