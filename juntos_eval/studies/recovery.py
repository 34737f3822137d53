r"""Does a design find what was planted: bias, coverage, power, and how far significant results exaggerate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from juntos_eval.arrays import Floats
from juntos_eval.errors import JuntosError
from juntos_eval.studies.cited_study import Question, Specification

__all__ = ["Recovery", "recover"]

#: Of a two-sided test at 5 percent with 80 percent power: z(0.975) + z(0.8).
_MDE_FACTOR = 1.959963984540054 + 0.8416212335729143


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """What one specification made of the planted effect over seeded replications. SYNTHETIC.

    Effects and errors are in published units.

    Attributes
    ----------
    question, specification : str
    truth : float
    replications : int
        Those that gave an estimate.
    failed : int
        Samples that the design refused, or whose error is not known.
    mean, bias, spread : float
        Of the estimates; spread is their standard deviation.
    mean_error : float
        Mean standard error.
    coverage : float
        Share of 95 percent intervals that hold the truth.
    power : float
        Share significant at 5 percent.
    detectable : float
        Minimum detectable effect: 2.80 mean standard errors.
    exaggeration : float
        Mean absolute significant estimate over the truth (Gelman and Carlin 2014); NaN where none is
        significant or nothing was planted.
    wrong_sign : float
        Share of significant estimates with the wrong sign; NaN likewise.
    is_valid : bool
    """

    question: str
    specification: str
    truth: float
    replications: int
    failed: int
    mean: float
    bias: float
    spread: float
    mean_error: float
    coverage: float
    power: float
    detectable: float
    exaggeration: float
    wrong_sign: float
    is_valid: bool

    @property
    def simulation_error(self) -> float:
        """Standard error of the mean from the number of replications."""
        return self.spread / float(np.sqrt(self.replications)) if self.replications else float("nan")


def recover(
    question: Question, *, replications: int, seed: int, progress: Callable[[int], None] | None = None
) -> tuple[Recovery, ...]:
    """Return what each specification makes of the planted effect.

    Parameters
    ----------
    question : Question
    replications : int
    seed : int
        Replication r hangs on the seed and r alone.
    progress : callable, optional
        Told how many replications are done.

    Returns
    -------
    tuple of Recovery
        In the order of the specifications.

    References
    ----------
    Gelman, A., & Carlin, J. (2014). Beyond power calculations: assessing type S (sign) and type M (magnitude)
    errors. *Perspectives on Psychological Science*, 9(6), 641-651.
    """
    names = [one.id for one in question.specifications]
    kept: dict[str, list[tuple[float, float, float, float]]] = {name: [] for name in names}
    for number in range(replications):
        generator = np.random.default_rng([seed, number])
        frame = question.planted.world.draw(generator, question.planted.effect)
        for specification in question.specifications:
            found = _numbers(specification, frame)
            if found is not None:
                kept[specification.id].append(found)
        if progress is not None:
            progress(number + 1)
    return tuple(
        _summary(question, one, np.array(kept[one.id]).reshape(-1, 4) * question.scale, replications)
        for one in question.specifications
    )


def _numbers(specification: Specification, frame: object) -> tuple[float, float, float, float] | None:
    """Return value, error and limits; None where the design refuses the sample or its error is not known."""
    try:
        estimate = specification.fit(frame)  # type: ignore[arg-type]
    except JuntosError:
        return None
    low, high = estimate.interval()[specification.row]
    value = estimate.values[specification.row]
    error = estimate.uncertainty.std_error[specification.row]
    if not np.isfinite([value, error, low, high]).all():
        return None
    return float(value), float(error), float(low), float(high)


def _summary(question: Question, one: Specification, numbers: Floats, asked: int) -> Recovery:
    truth = question.planted.effect * question.scale
    done = len(numbers)
    if not done:
        nothing = dict.fromkeys(
            ("mean", "bias", "spread", "mean_error", "coverage", "power", "detectable", "exaggeration",
             "wrong_sign"), float("nan"),
        )  # fmt: skip
        return Recovery(
            question=question.id, specification=one.id, truth=truth, replications=0, failed=asked,
            is_valid=one.is_valid, **nothing,
        )  # fmt: skip
    values, errors, low, high = numbers.T
    is_significant = (low > 0) | (high < 0)
    significant = values[is_significant]
    has_meaning = truth != 0 and len(significant) > 0
    return Recovery(
        question=question.id,
        specification=one.id,
        truth=truth,
        replications=done,
        failed=asked - done,
        mean=float(values.mean()),
        bias=float(values.mean() - truth),
        spread=float(values.std(ddof=1)) if done > 1 else float("nan"),
        mean_error=float(errors.mean()),
        coverage=float(((low <= truth) & (truth <= high)).mean()),
        power=float(is_significant.mean()),
        detectable=float(_MDE_FACTOR * errors.mean()),
        exaggeration=float(np.abs(significant).mean() / abs(truth)) if has_meaning else float("nan"),
        wrong_sign=float((np.sign(significant) != np.sign(truth)).mean()) if has_meaning else float("nan"),
        is_valid=one.is_valid,
    )
