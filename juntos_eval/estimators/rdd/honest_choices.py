"""The choices of an honest interval, checked before any data are seen."""

from __future__ import annotations

from math import isfinite
from typing import Any, Protocol

from juntos_eval.errors import DesignError
from juntos_eval.estimators.rdd.choices import one_of
from juntos_eval.numerics.honest_bandwidth import CRITERIA, SMOOTHNESS
from juntos_eval.numerics.local_polynomial import KERNELS

__all__ = ["HonestChoices", "checked_honest_choices"]

_OWNER = "HonestRD"


class HonestChoices(Protocol):
    """The choices that the sample is made by."""

    @property
    def outcome(self) -> str:
        """Column of the outcome."""
        ...

    @property
    def running(self) -> str:
        """Column of the running variable."""
        ...

    @property
    def cutoff(self) -> float:
        """Where treatment changes."""
        ...

    @property
    def treatment(self) -> str | None:
        """Column of the treatment received, in a fuzzy design."""
        ...

    @property
    def bound(self) -> float | tuple[float, float] | None:
        """Bound on the second derivative, where it is given."""
        ...

    @property
    def smoothness(self) -> str:
        """Class of functions."""
        ...

    @property
    def criterion(self) -> str:
        """What the bandwidth is best for."""
        ...

    @property
    def kernel(self) -> str:
        """Name of the kernel."""
        ...

    @property
    def bandwidth(self) -> float | None:
        """Bandwidth, where it is given."""
        ...

    @property
    def order(self) -> int:
        """Order of the polynomial."""
        ...

    @property
    def covariates(self) -> tuple[str, ...]:
        """Columns of covariates."""
        ...

    @property
    def variance(self) -> str:
        """Rule of the residuals."""
        ...

    @property
    def neighbours(self) -> int:
        """Nearest neighbours of a row."""
        ...

    @property
    def cluster(self) -> str | None:
        """Column of clusters."""
        ...

    @property
    def level(self) -> float:
        """Coverage."""
        ...

    @property
    def power(self) -> float:
        """Quantile of one-sided excess length."""
        ...


def checked_honest_choices(choices: HonestChoices) -> None:
    """Raise for choices that no data could make sense of.

    Raises
    ------
    DesignError
    """
    one_of("kernel", choices.kernel, KERNELS, _OWNER)
    one_of("smoothness", choices.smoothness, (*SMOOTHNESS, "misspecification"), _OWNER)
    one_of("criterion", choices.criterion, CRITERIA, _OWNER)
    one_of("variance", choices.variance, ("nn", "ehw"), _OWNER)
    if not isfinite(choices.cutoff):
        raise DesignError("the cutoff is not a number", where=f"cutoff={choices.cutoff!r}")
    for name in ("level", "power"):
        if not 0.5 < getattr(choices, name) < 1.0:
            raise DesignError(
                f"{name} lies between one half and one", where=f"{name}={getattr(choices, name)!r}"
            )
    if choices.neighbours < 1 or int(choices.neighbours) != choices.neighbours:
        raise DesignError("neighbours is a positive whole number", where=f"neighbours={choices.neighbours!r}")
    if choices.bandwidth is not None and not _is_positive(choices.bandwidth):
        raise DesignError(
            "the bandwidth is one positive number, for both sides",
            where=f"bandwidth={choices.bandwidth!r}",
            remedy="give it in units of the running variable, or leave it out for the best one",
        )
    if choices.bound is not None:
        _checked_bound(choices)
    if choices.smoothness == "misspecification":
        _checked_cells(choices)
    elif choices.order != 1:
        raise DesignError("honest intervals are of local linear fits", where=f"order={choices.order!r}")


def _checked_bound(choices: HonestChoices) -> None:
    given = choices.bound if isinstance(choices.bound, tuple) else (choices.bound,)
    if len(given) != 1 + (choices.treatment is not None) or not all(_is_positive(each) for each in given):
        raise DesignError(
            "the bound on the second derivative is a positive number, in a fuzzy design a pair of them",
            where=f"bound={choices.bound!r}, treatment={choices.treatment!r}",
            remedy="give M of the outcome, or with a treatment the pair (M of outcome, M of treatment)",
        )


def _checked_cells(choices: HonestChoices) -> None:
    reasons = {
        "a bandwidth": choices.bandwidth is None,
        "the uniform kernel": choices.kernel != "uniform",
        "no bound": choices.bound is not None,
        "no covariates": bool(choices.covariates),
        "no treatment (a sharp design)": choices.treatment is not None,
        "no clusters": choices.cluster is not None,
        "an order that is not negative": choices.order < 0 or int(choices.order) != choices.order,
    }
    wrong = [name for name, is_wrong in reasons.items() if is_wrong]
    if wrong:
        raise DesignError(
            f"bounded misspecification needs {', '.join(wrong)}",
            where="HonestRD(smoothness='misspecification')",
            remedy="set these, or use smoothness='hoelder'",
        )


def _is_positive(value: Any) -> bool:
    try:
        return bool(isfinite(value) and value > 0)
    except TypeError:
        return False
