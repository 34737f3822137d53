"""One verb for the picture of a result, whatever it is a result of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, cast

import pandas as pd

from juntos_eval.errors import DesignError
from juntos_eval.estimate import Estimate
from juntos_eval.estimators.did import BaconDecomposition, EstimatorComparison, HonestIntervals, Rollout
from juntos_eval.estimators.rdd import DensityPicture, RdPlot
from juntos_eval.reporting.language import language as words_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from juntos_eval.reporting.figures import Drawing, Setting

__all__ = ["plot"]


def plot(
    result: Any,
    *,
    language: Literal["en", "es"] = "en",
    width: Literal["column", "page"] = "page",
    title: str = "",
    level: float = 0.95,
    is_synthetic: bool = False,
) -> Figure:
    """Draw a result.

    Effects by time since treatment become an event study with pointwise intervals and simultaneous bands;
    effects by cohort and period a panel for each cohort; a comparison of estimators, or a mapping of names
    to event studies, several side by side; a rollout the grid of its cohorts; a decomposition its
    comparisons; honest intervals their bounds; an RD plot its bins and curves; a density its histogram and
    curves; a table of a discontinuity's sensitivity the effects in it. Any other estimate becomes its values
    with their intervals.

    Parameters
    ----------
    result : Estimate, EstimatorComparison, Rollout, BaconDecomposition, HonestIntervals, RdPlot, or other
        Also a DensityPicture, a table of sensitivity, a mapping.
        A mapping is of names to estimates.
    language : {"en", "es"}
    width : {"column", "page"}
        3.6 or 7.4 inches.
    title : str
    level : float
    is_synthetic : bool
        Whether the drawing says across itself that its data are synthetic.

    Returns
    -------
    matplotlib.figure.Figure
        To be saved by ``figure.savefig(path)``; nothing is shown, and no global setting is changed.

    Raises
    ------
    DesignError
        For a result that has no picture.

    Examples
    --------
    >>> import juntos_eval as je
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"id": [1, 1, 2, 2], "year": [1, 2] * 2, "start": [2, 2, 0, 0]})
    >>> je.plot(je.rollout(frame, unit="id", time="year", first_treated="start")).axes[0].get_xlabel()
    'Period'
    """
    # matplotlib only once something is drawn
    from juntos_eval.reporting.figures import Setting

    setting = Setting(words=words_of(language), width=width, is_synthetic=is_synthetic, title=title)
    return _drawing(result, setting, level).figure


def _drawing(result: Any, setting: Setting, level: float) -> Drawing:
    from juntos_eval.reporting.figures.event_studies import event_study_figure
    from juntos_eval.reporting.figures.rd_plots import (
        rd_density_figure,
        rd_plot_figure,
        rd_sensitivity_figure,
    )
    from juntos_eval.reporting.figures.treatment_timing import group_time_figure, rollout_figure
    from juntos_eval.reporting.figures.trends import bacon_figure, honest_figure, values_figure

    if isinstance(result, EstimatorComparison):
        result = result.events
    of_kind: dict[type, Any] = {
        Rollout: rollout_figure,
        BaconDecomposition: bacon_figure,
        HonestIntervals: honest_figure,
        RdPlot: rd_plot_figure,
        DensityPicture: rd_density_figure,
        pd.DataFrame: rd_sensitivity_figure,
    }
    if type(result) in of_kind:
        return cast("Drawing", of_kind[type(result)](result, setting))
    named = {result.title.partition(":")[0]: result} if isinstance(result, Estimate) else result
    if (
        not isinstance(named, Mapping)
        or not named
        or not all(isinstance(v, Estimate) for v in named.values())
    ):
        raise DesignError(
            f"there is no picture of a {type(result).__name__}",
            where="plot()",
            remedy="give an estimate, a mapping of names to estimates, a comparison, rollout, decomposition "
            "or honest intervals",
        )
    keys = [set(estimate.keys) for estimate in named.values()]
    if len(keys) == 1 and {"group", "time", "event_time"} <= keys[0]:
        return group_time_figure(next(iter(named.values())), setting, level=level)
    if all("event_time" in one and "group" not in one for one in keys):
        return event_study_figure(dict(named), setting, level=level)
    return values_figure(dict(named), setting, level=level)
