"""The choices of a regression-discontinuity estimate, checked before any data are seen."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite
from typing import Any, Protocol

from juntos_eval.errors import DesignError
from juntos_eval.numerics.local_polynomial import KERNELS
from juntos_eval.numerics.rd_bandwidth import SELECTORS

__all__ = ["RdChoices", "bandwidth_pair", "checked_choices", "one_of", "variance_kind"]

VARIANCES = ("nn", "hc0", "hc1", "hc2", "hc3", "cr1", "cr2", "cr3", "crnn")
MASS_POINTS = ("adjust", "check", "off")
_CLUSTERED = {"nn": "cr1", "hc0": "cr1", "hc1": "cr1", "hc2": "cr2", "hc3": "cr3"}


class RdChoices(Protocol):
    """The choices that other modules of this family read off the estimator."""

    @property
    def cutoff(self) -> float:
        """Where treatment changes."""
        ...

    @property
    def treatment(self) -> str | None:
        """Column of the treatment received, in a fuzzy design."""
        ...

    @property
    def outcome(self) -> str:
        """Column of the outcome."""
        ...

    @property
    def running(self) -> str:
        """Column of the running variable."""
        ...

    @property
    def derivative(self) -> int:
        """Order of the derivative that jumps."""
        ...

    @property
    def order(self) -> int:
        """Order of the polynomial."""
        ...

    @property
    def bias_order(self) -> int | None:
        """Order of the polynomial of the bias."""
        ...

    @property
    def kernel(self) -> str:
        """Name of the kernel."""
        ...

    @property
    def bandwidth(self) -> str | float | tuple[float, float]:
        """Selector, or the bandwidth itself."""
        ...

    @property
    def bias_bandwidth(self) -> float | tuple[float, float] | None:
        """Bandwidth of the bias, where it is given."""
        ...

    @property
    def rho(self) -> float | None:
        """Main bandwidth over that of the bias."""
        ...

    @property
    def mass_points(self) -> str:
        """What is done about repeated values."""
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
    def regularisation(self) -> float:
        """Weight of the error of the bias."""
        ...


def one_of(name: str, given: Any, allowed: Sequence[str], owner: str = "RegressionDiscontinuity") -> None:
    """Raise where a choice is not among the allowed ones.

    Raises
    ------
    DesignError
    """
    if given not in allowed:
        raise DesignError(
            f"{owner} has no {name} {given!r}",
            where=f"{owner}({name}=…)",
            remedy=f"choose one of {', '.join(allowed)}",
        )


def variance_kind(variance: str, cluster: str | None) -> str:
    """Return the residuals' rule: with clusters the neighbour and HC rules become CR ones."""
    return _CLUSTERED.get(variance, variance) if cluster else variance


def bandwidth_pair(given: float | tuple[float, float], name: str = "bandwidth") -> tuple[float, float]:
    """Return left and right bandwidth of a number or a pair.

    Raises
    ------
    DesignError
        Where they are not positive numbers.
    """
    try:
        pair = tuple(float(h) for h in (given if isinstance(given, Sequence) else (given, given)))
    except (TypeError, ValueError):
        pair = ()
    if len(pair) != 2 or not all(isfinite(h) and h > 0 for h in pair):
        raise DesignError(
            f"a {name} is a positive number or a pair of them",
            where=f"{name}={given!r}",
            remedy="give it in units of the running variable, or name a selector",
        )
    return pair[0], pair[1]


def checked_choices(choices: RdChoices) -> None:
    """Raise for choices that no data could make sense of.

    Raises
    ------
    DesignError
    """
    one_of("kernel", choices.kernel, KERNELS)
    one_of("mass_points", choices.mass_points, MASS_POINTS)
    one_of("variance", choices.variance, VARIANCES)
    if isinstance(choices.bandwidth, str):
        one_of("bandwidth", choices.bandwidth, SELECTORS)
    else:
        bandwidth_pair(choices.bandwidth)
    if choices.bias_bandwidth is not None:
        bandwidth_pair(choices.bias_bandwidth, "bias_bandwidth")
    if choices.rho is not None and not (isfinite(choices.rho) and choices.rho > 0):
        raise DesignError("rho = h / b is a positive number", where=f"rho={choices.rho!r}")
    if not isfinite(choices.cutoff):
        raise DesignError("the cutoff is not a number", where=f"cutoff={choices.cutoff!r}")
    if choices.variance.startswith("cr") and choices.cluster is None:
        raise DesignError(
            "a clustered variance needs clusters",
            where=f"variance={choices.variance!r}, cluster=None",
            remedy="name the column of clusters in cluster=",
        )
    _checked_orders(choices)


def _checked_orders(choices: RdChoices) -> None:
    p, nu = choices.order, choices.derivative
    q = p + 1 if choices.bias_order is None else choices.bias_order
    if not (0 <= nu <= p < q) or any(int(value) != value for value in (p, q, nu)):
        raise DesignError(
            "orders of a local polynomial must satisfy 0 <= derivative <= order < bias_order",
            where=f"derivative={nu}, order={p}, bias_order={q}",
            remedy="a jump has derivative 0 and order 1, a kink derivative 1 and order 2",
        )
    if choices.neighbours < 1 or int(choices.neighbours) != choices.neighbours:
        raise DesignError("neighbours is a positive whole number", where=f"neighbours={choices.neighbours!r}")
    if choices.regularisation < 0:
        raise DesignError(
            "regularisation is not negative", where=f"regularisation={choices.regularisation!r}"
        )
