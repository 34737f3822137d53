"""Write the whole folder of synthetic raw files, and what was planted in them."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from juntos_eval.errors import DesignError, SourceError
from juntos_eval.paths import MANIFEST, write_atomically
from juntos_eval.surveys.synthetic.dwelling_file import write_dwellings
from juntos_eval.surveys.synthetic.enaho_files import write_modules
from juntos_eval.surveys.synthetic.geo_files import write_districts
from juntos_eval.surveys.synthetic.parameters import SURVEY_YEARS, StructuralModel
from juntos_eval.surveys.synthetic.planting import find_truth
from juntos_eval.surveys.synthetic.population import simulate_population
from juntos_eval.surveys.synthetic.raw_layout import raw_layout
from juntos_eval.surveys.synthetic.truth import TRUTH_FILE, SyntheticTruth

__all__ = ["NOTICE_FILE", "write_synthetic"]

NOTICE_FILE: Final = "SYNTHETIC_DATA.txt"
NOTICE: Final = """SYNTHETIC DATA - DATOS SINTÉTICOS

The files below carry the names, formats and codes of INEI's ENAHO, but no record of a real household:
every value was drawn from a statistical model by juntos_eval. Districts are invented. Nothing about Peru
can be learnt from them. What was planted stands in {truth}.

Los archivos de esta carpeta llevan los nombres, formatos y códigos de la ENAHO del INEI, pero ningún
registro de un hogar real: cada valor se sorteó de un modelo estadístico de juntos_eval. Los distritos son
inventados. Nada sobre el Perú se puede aprender de ellos. Lo que se plantó está en {truth}.

seed / semilla: {seed}    households a year / hogares por año: {households}    years / años: {years}
"""


def write_synthetic(
    folder: Path,
    *,
    seed: int,
    households: int = 33_700,
    years: tuple[int, ...] = SURVEY_YEARS,
    model: StructuralModel | None = None,
) -> SyntheticTruth:
    """Write raw-shaped synthetic ENAHO and district files with a planted effect of Juntos.

    A year's files are the same whichever other years are written. The same seed gives the same bytes.

    Parameters
    ----------
    folder : Path
        Made if need be; becomes a raw folder ``<folder>/<survey>/<year>/<file>``.
    seed : int
        Not negative.
    households : int
        A year, 300 or more.
    years : tuple of int
        Among 2024 and 2025.
    model : StructuralModel, optional
        Planted effects and other parameters.

    Returns
    -------
    SyntheticTruth
        Also written as ``synthetic_truth.json``.

    Raises
    ------
    DesignError
        If a year is unknown to the model, the seed negative or the sample too small.
    SourceError
        If the folder holds files that are not synthetic.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.synthetic import write_synthetic
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic(Path(folder), seed=1, households=400, years=(2024,))
    ...     sorted(path.name for path in Path(folder, "enaho", "2024").iterdir())
    ['enaho01-2024-200.dta', 'enaho01-2024-700.dta']
    """
    _check(folder, seed, years)
    population = simulate_population(seed=seed, households=households, model=model)
    streams = population.streams["files"].spawn(2 * len(SURVEY_YEARS))
    counts: dict[Path, int] = {}
    districts = write_districts(folder / "geo" / "ubigeo_distrito.csv", population.districts)
    counts[districts] = len(pd.read_csv(districts, usecols=["reniec"], dtype=str))
    for position, wave in enumerate(population.waves):
        if wave.year not in years:
            continue
        place = folder / "enaho" / str(wave.year)
        modules = write_modules(place, wave, np.random.default_rng(streams[2 * position]))
        for path in modules:
            counts[path] = len(wave.members) if "-200." in path.name else len(wave.households)
        dwellings = write_dwellings(place, wave, np.random.default_rng(streams[2 * position + 1]))
        if dwellings is not None:
            counts[dwellings] = pq.read_metadata(dwellings).num_rows
    truth = find_truth(
        population,
        households=households,
        years=tuple(sorted(years)),
        with_food=tuple(year for year in years if raw_layout("food_security", year) is not None),
    )
    _describe(folder, truth, counts)
    return truth


def _check(folder: Path, seed: int, years: tuple[int, ...]) -> None:
    if seed < 0:
        raise DesignError("The seed is negative", where="write_synthetic, seed", remedy="give 0 or more")
    unknown = sorted(set(years) - set(SURVEY_YEARS))
    if unknown or not years:
        raise DesignError(
            f"The model has no year {', '.join(map(str, unknown)) or '(none was asked for)'}",
            where="write_synthetic, years",
            remedy=f"ask for {' or '.join(map(str, SURVEY_YEARS))}",
        )
    if not (folder / NOTICE_FILE).exists() and any((folder / name).exists() for name in ("enaho", "geo")):
        raise SourceError(
            "This folder holds survey files that are not marked as synthetic",
            where=str(folder),
            remedy="write synthetic files to a folder of their own",
        )


def _describe(folder: Path, truth: SyntheticTruth, counts: dict[Path, int]) -> None:
    """Write the notice, the truth and the manifest; the manifest last, for it vouches for the files."""
    notice = NOTICE.format(
        truth=TRUTH_FILE,
        seed=truth.seed,
        households=truth.households,
        years=", ".join(map(str, truth.years)),
    )
    write_atomically(folder / NOTICE_FILE, notice)
    write_atomically(folder / TRUTH_FILE, truth.to_json())
    lines = ["# SYNTHETIC DATA - DATOS SINTÉTICOS", "synthetic = true", f"seed = {truth.seed}"]
    for path, rows in counts.items():
        content = path.read_bytes()
        lines += ["", f'[files."{path.relative_to(folder).as_posix()}"]']
        lines += [
            f"rows = {rows}",
            f"bytes = {len(content)}",
            f'sha256 = "{hashlib.sha256(content).hexdigest()}"',
        ]
    write_atomically(folder / MANIFEST, "\n".join(lines) + "\n")
