"""Write synthetic Young Lives files below a raw folder, and what was planted in them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from juntos_eval.errors import DesignError, SourceError
from juntos_eval.paths import MANIFEST, write_atomically
from juntos_eval.surveys.codebook import load_codebook
from juntos_eval.surveys.synthetic.young_lives import other_files
from juntos_eval.surveys.synthetic.young_lives.children import Cohort, draw_cohort, draw_sites
from juntos_eval.surveys.synthetic.young_lives.formats import write_study_file, zip_study
from juntos_eval.surveys.synthetic.young_lives.outcomes import (
    Outcomes,
    Siblings,
    body_sizes,
    draw_outcomes,
    draw_siblings,
)
from juntos_eval.surveys.synthetic.young_lives.panel_file import panel_columns, panel_values
from juntos_eval.surveys.synthetic.young_lives.parameters import (
    FORMATS,
    SEEN,
    SIBLINGS_ROUND_3,
    YoungLivesModel,
)
from juntos_eval.surveys.synthetic.young_lives.round_files import raw_frame, round_values
from juntos_eval.surveys.synthetic.young_lives.truth import TRUTH_FILE, YoungLivesTruth, find_truth
from juntos_eval.surveys.young_lives.open_table import columns_of
from juntos_eval.surveys.young_lives.study_files import SURVEY, StudyFile, load_deposit

__all__ = ["NOTICE_FILE", "write_young_lives"]

NOTICE_FILE: Final = "SYNTHETIC_DATA_young_lives.txt"
_NOTICE: Final = """SYNTHETIC DATA - DATOS SINTÉTICOS

The files below young_lives/ carry the names, formats and codes of Young Lives Peru, but no record of a
real child: every value was drawn from a statistical model by juntos_eval. Identities are invented. Nothing
about Peru can be learnt from them. What was planted stands in {truth}.

Los archivos de young_lives/ llevan los nombres, formatos y códigos de Niños del Milenio, pero ningún
registro de un niño real: cada valor se sorteó de un modelo estadístico de juntos_eval. Las identidades son
inventadas. Nada sobre el Perú se puede aprender de ellos. Lo que se plantó está en {truth}.

seed / semilla: {seed}    share of the published sizes / proporción de los tamaños publicados: {share:g}
"""
_FOLDER: Final = {"dta": "stata", "sav": "spss", "tab": "tab"}
_ANSWERS: Final = {
    "younger": {0: "no", 1: "yes, is a beneficiary", 2: "yes, but was turned down", 3: "was, but left"},
    "older": {0: "no", 1: "yes, but was turned down", 2: "yes, is a beneficiary", 3: "was, but left"},
}

Drawn = dict[str, tuple[Cohort, Outcomes]]


def write_young_lives(
    folder: Path,
    *,
    seed: int,
    share: float = 1.0,
    studies: tuple[int, ...] = tuple(FORMATS),
    model: YoungLivesModel | None = None,
    formats: Mapping[int, str] = FORMATS,
    is_zipped: bool = False,
) -> YoungLivesTruth:
    """Write raw-shaped synthetic Young Lives files with planted effects of length of exposure.

    Every declared file stands under its released name, with each round's names, codes and quirks: bare
    numbers ``CHILDCODE`` from round 4, dates as text, decimal commas, the double rows that the codebook
    names, rows of children not seen in the panel, codes of no answer, and the older cohort's contested Juntos
    code. The same seed gives the same bytes.

    Parameters
    ----------
    folder : Path
        Becomes a raw folder; files lie in ``<folder>/young_lives/UKDA-<SN>-<format>/…``.
    seed : int
        Not negative.
    share : float
        Of the published 2,052 and 714 children; at least one a site.
    studies : tuple of int
        Study numbers to write.
    model : YoungLivesModel, optional
    formats : mapping of int to str
        Study number -> ``dta``, ``sav`` or ``tab``; the scores of study 7483 are ``tab`` always.
    is_zipped : bool
        Whether to leave ``UKDA-<SN>-<format>.zip`` in place of the folders.

    Returns
    -------
    YoungLivesTruth
        Also written as ``young_lives_truth.json``.

    Raises
    ------
    DesignError
        If the seed is negative, the share not in (0, 10], or a study unknown.
    SourceError
        If the folder holds Young Lives files that are not synthetic.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.synthetic.young_lives import write_young_lives
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_young_lives(Path(folder), seed=1, share=0.05, studies=(6853,))
    ...     sorted(path.name for path in Path(folder, "young_lives").rglob("*_yc_*"))[:2]
    ['pe_yc_childlevel.dta', 'pe_yc_householdlevel.dta']
    """
    _check(folder, seed, share, studies)
    model = model or YoungLivesModel()
    names = ("sites", "younger", "older", "siblings", "files")
    streams = dict(zip(names, np.random.default_rng(seed).spawn(len(names)), strict=True))
    sites = draw_sites(streams["sites"])
    drawn: Drawn = {}
    for name in SEEN:
        cohort = draw_cohort(name, sites, share=share, model=model, rng=streams[name])
        drawn[name] = (cohort, draw_outcomes(cohort, model, streams[name]))
    wanted = round(SIBLINGS_ROUND_3 * share)
    siblings = _measured(draw_siblings(drawn["younger"][0], wanted, model, streams["siblings"]), drawn)
    written = _write_files(folder / SURVEY, drawn, siblings, sites, studies, formats, streams["files"])
    truth = find_truth(drawn, siblings, seed=seed, share=share, model=model)
    counts = _zipped(folder / SURVEY, written) if is_zipped else written
    _describe(folder, truth, counts)
    return truth


def _check(folder: Path, seed: int, share: float, studies: tuple[int, ...]) -> None:
    unknown = sorted(set(studies) - set(load_deposit().studies))
    if seed < 0 or not 0 < share <= 10 or unknown or not studies:
        raise DesignError(
            "The seed is negative, the share is not in (0, 10], or a study is unknown",
            where=f"write_young_lives: seed {seed}, share {share:g}, studies {studies}",
            remedy=f"studies are {', '.join(map(str, sorted(load_deposit().studies)))}",
        )
    place = folder / SURVEY
    if not (folder / NOTICE_FILE).exists() and place.is_dir() and any(place.iterdir()):
        raise SourceError(
            "This folder holds Young Lives files that are not marked as synthetic",
            where=str(place),
            remedy="write synthetic files to a folder of their own",
        )


def _measured(siblings: Siblings, drawn: Drawn) -> Siblings:
    """Give siblings of round 3 their height and weight."""
    cohort, frame = drawn["younger"][0], siblings.frame
    age = np.clip((cohort.interview[frame["child"], 2] - frame["birth"].to_numpy()) * 12, 6, 110)
    height, weight = body_sizes(
        frame["haz_3"].to_numpy(), np.full(len(frame), 0.3), age, frame["is_female"].to_numpy()
    )
    return Siblings(frame=frame.assign(height_3=height, weight_3=weight))


def _write_files(
    place: Path,
    drawn: Drawn,
    siblings: Siblings,
    sites: pd.DataFrame,
    studies: tuple[int, ...],
    formats: Mapping[int, str],
    rng: np.random.Generator,
) -> dict[Path, int]:
    files = load_deposit().files
    streams = rng.spawn(len(files) + len(drawn))
    panels = {
        name: panel_values(cohort, made, one)
        for (name, (cohort, made)), one in zip(drawn.items(), streams[len(files) :], strict=True)
    }
    counts: dict[Path, int] = {}
    for file, stream in zip(files, streams[: len(files)], strict=True):
        if file.study not in studies:
            continue
        suffix = "tab" if file.table.endswith("_irt") else formats[file.study]
        values = _values(file, drawn, panels, siblings, sites, stream)
        frame = values if isinstance(values, pd.DataFrame) else raw_frame(file, values)
        folder = f"UKDA-{file.study}-{_FOLDER[formats[file.study]]}"
        path = place / folder / file.folder / f"{file.stem}.{suffix}"
        # stata11 is what the release calls the folder of the panel
        write_study_file(path, frame, _labels(file), version=114 if file.table == "panel" else 118)
        counts[path] = len(frame)
    return counts


def _values(
    file: StudyFile,
    drawn: Drawn,
    panels: dict[str, pd.DataFrame],
    siblings: Siblings,
    sites: pd.DataFrame,
    rng: np.random.Generator,
) -> Any:
    if file.table == "panel":
        whole = pd.concat([panels["younger"], panels["older"]], ignore_index=True)
        names = panel_columns()
        return whole[list(names)].rename(columns=names).sort_values(["childid", "round"], ignore_index=True)
    if file.table == "sibling_ppvt_irt":
        return other_files.sibling_ability_values(drawn["younger"][0], siblings)
    if file.table.endswith("_irt"):
        return other_files.ability_values(file.table, drawn, rng)
    if file.table.endswith("community"):
        return other_files.community_values(
            sites, int(file.round or 0), is_mini=file.table.startswith("mini")
        )
    name = "older" if file.table.endswith("_older") else "younger"
    cohort, made = drawn[name]
    return round_values(file, cohort, panels[name], made, siblings if name == "younger" else None, rng)


def _labels(file: StudyFile) -> dict[str, dict[int, str]]:
    """Label the codes of a file; the Juntos item as its cohort's dictionary does."""
    codebook, label = load_codebook(SURVEY), "undated" if file.round is None else str(file.round)
    found: dict[str, dict[int, str]] = {}
    for column in columns_of(file):
        raw = column.raw[label].split("|")[0]
        is_text = column.name == "area" and label in {"2", "3"}
        if column.kind == "code" and not is_text:
            codes = codebook.codes_of(file.table, column.name)
            found[raw] = {code.code: code.value.replace("_", " ") for code in codes}
        elif column.name == "juntos_answer":
            is_swapped = file.table.endswith("_older") and file.round == 3
            found[raw] = dict(_ANSWERS["older" if is_swapped else "younger"])
    return found


def _zipped(place: Path, written: dict[Path, int]) -> dict[Path, int]:
    """Pack each study's folder into its zip, and take the folder away."""
    folders = sorted({place / path.relative_to(place).parts[0] for path in written})
    for folder in folders:
        members = [path for path in written if path.is_relative_to(folder)]
        zip_study(place / f"{folder.name}.zip", place, members)
        shutil.rmtree(folder)
    return {place / f"{folder.name}.zip": 0 for folder in folders}


def _describe(folder: Path, truth: YoungLivesTruth, counts: dict[Path, int]) -> None:
    """Write the notice, the truth and the manifest; other surveys' part of the manifest stays."""
    notice = _NOTICE.format(truth=TRUTH_FILE, seed=truth.seed, share=truth.share)
    write_atomically(folder / NOTICE_FILE, notice)
    write_atomically(folder / TRUTH_FILE, truth.to_json())
    lines = [*_kept(folder / MANIFEST)]
    for path, rows in counts.items():
        content = path.read_bytes()
        lines += ["", f'[files."{path.relative_to(folder).as_posix()}"]']
        lines += [f"rows = {rows}"] if rows else []
        lines += [f"bytes = {len(content)}", f'sha256 = "{hashlib.sha256(content).hexdigest()}"']
    write_atomically(folder / MANIFEST, "\n".join(lines) + "\n")


def _kept(manifest: Path) -> list[str]:
    """Return a manifest's lines without its parts on Young Lives."""
    if not manifest.is_file():
        return ["# SYNTHETIC DATA - DATOS SINTÉTICOS", "synthetic = true"]
    blocks = manifest.read_text(encoding="utf-8").rstrip("\n").split("\n\n")
    return "\n\n".join(block for block in blocks if f'[files."{SURVEY}/' not in block).split("\n")
