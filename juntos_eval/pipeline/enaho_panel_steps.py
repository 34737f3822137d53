"""Steps from ENAHO's panel releases to clean tables, of the releases whose files lie in the raw folder."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from juntos_eval.paths import MANIFEST
from juntos_eval.pipeline.fingerprint import fingerprint
from juntos_eval.pipeline.run import Run
from juntos_eval.pipeline.step import Step
from juntos_eval.surveys import enaho
from juntos_eval.surveys.enaho.panel_release import PANEL, PanelRelease, find_panel_file, load_releases
from juntos_eval.surveys.enaho.panel_tables import PANEL_SCHEMAS, panel_raw_table
from juntos_eval.surveys.store import provenance_path, read_table, write_table

__all__ = ["enaho_panel_steps"]

_ROOMS: Final = ("surveys", "arrays.py", "paths.py")
_HOUSEHOLDS: Final = "sumaria"


def enaho_panel_steps(run: Run) -> list[Step]:
    """Return one step a clean table of each release that lies in the raw folder.

    The households' table comes first: it lends its panel weights to files of persons without any, and the
    attrition table is made of it.

    Parameters
    ----------
    run : Run

    Returns
    -------
    list of Step
        Empty without panel files, and in runs that write their own raw files.

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.pipeline.enaho_panel_steps import enaho_panel_steps
    >>> from juntos_eval.pipeline.run import Run
    >>> enaho_panel_steps(Run.choose(root=Path("nowhere"), data_raw=None, seed=1, households=400))
    []
    """
    if run.synthetic is not None:
        return []
    raw, found = run.raw(), []
    for release in load_releases().values():
        files = {name: find_panel_file(raw, release, panel_raw_table(name)) for name in PANEL_SCHEMAS}
        has_households = files[_HOUSEHOLDS] is not None
        for name, file in files.items():
            if file is not None:
                found.append(_clean(run, release, name, file, has_households=has_households))
        if has_households:
            found.append(_attrition(run, release))
    return found


def _clean(run: Run, release: PanelRelease, name: str, file: Path, *, has_households: bool) -> Step:
    raw, last = run.raw(), release.last
    target = run.paths.clean_table(PANEL, name, last)
    households = run.paths.clean_table(PANEL, _HOUSEHOLDS, last)
    lends = has_households and name != _HOUSEHOLDS

    def clean() -> None:
        lent = read_table(households) if lends else None
        made = enaho.clean_panel(run.raw(), last, name, households=lent)
        write_table(made.frame, target, made.provenance)

    return Step(
        name=f"clean-panel-{name}-{last}",
        label=f"Cleaning ENAHO panel {release.first}-{last} {name}",
        stage="data",
        reads=(raw.root / MANIFEST if raw.is_synthetic else file, *((households,) if lends else ())),
        writes=(target, provenance_path(target)),
        settings=fingerprint(_ROOMS),
        action=clean,
    )


def _attrition(run: Run, release: PanelRelease) -> Step:
    households = run.paths.clean_table(PANEL, _HOUSEHOLDS, release.last)
    target = run.paths.clean_table(PANEL, "attrition", release.last)

    def count() -> None:
        made = enaho.clean_panel_attrition(read_table(households))
        write_table(made.frame, target, made.provenance)

    return Step(
        name=f"panel-attrition-{release.last}",
        label=f"Counting losses of the ENAHO panel {release.first}-{release.last}",
        stage="data",
        reads=(households,),
        writes=(target, provenance_path(target)),
        settings=fingerprint(_ROOMS),
        action=count,
    )
