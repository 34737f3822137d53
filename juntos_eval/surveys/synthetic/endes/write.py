"""Write raw-shaped synthetic ENDES files of any documented years, and what was planted in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pandas as pd

from juntos_eval.arrays import FrozenMapping
from juntos_eval.errors import DesignError, SourceError
from juntos_eval.paths import write_atomically
from juntos_eval.surveys.synthetic.endes.chunk import Chunk, Frame, simulate_chunk
from juntos_eval.surveys.synthetic.endes.files import STEMS, FileFormat, RawFile, chosen_format
from juntos_eval.surveys.synthetic.endes.parameters import DOCUMENTED_YEARS, EndesModel
from juntos_eval.surveys.synthetic.endes.raw_tables import raw_tables
from juntos_eval.surveys.synthetic.endes.rollout import ROLLOUT_FILE, draw_rollout, write_rollout
from juntos_eval.surveys.synthetic.endes.sample import draw_clusters
from juntos_eval.surveys.synthetic.endes.truth import (
    ENDES_TRUTH_FILE,
    EndesEffect,
    EndesTruth,
    add_up,
    find_effects,
)
from juntos_eval.surveys.synthetic.geo_files import district_rows, draw_districts, write_districts
from juntos_eval.surveys.synthetic.manifest import add_to_manifest
from juntos_eval.surveys.synthetic.population import STREAMS

__all__ = ["NOTICE_FILE", "endes_frame", "simulate_endes", "write_synthetic_endes"]

NOTICE_FILE: Final = "SYNTHETIC_DATA_ENDES.txt"
NOTICE: Final = """SYNTHETIC DATA - DATOS SINTÉTICOS

The files below carry the names, formats and codes of INEI's ENDES, but no record of a real household: every
value was drawn from a statistical model by juntos_eval. Districts and their years of entry into Juntos are
invented. Nothing about Peru can be learnt from them. What was planted stands in {truth}.

Los archivos de esta carpeta llevan los nombres, formatos y códigos de la ENDES del INEI, pero ningún registro
de un hogar real: cada valor se sorteó de un modelo estadístico de juntos_eval. Los distritos y sus años de
ingreso a Juntos son inventados. Nada sobre el Perú se puede aprender de ellos. Lo plantado está en {truth}.

seed / semilla: {seed}    households a year / hogares por año: {households}    years / años: {years}
"""

#: Streams of this survey stand far from those of ENAHO.
ENDES_STREAM: Final = 7_000

CLUSTERS_A_CHUNK: Final = 2_000


def write_synthetic_endes(
    folder: Path,
    *,
    seed: int,
    households: int = 36_000,
    years: tuple[int, ...] = (2019,),
    model: EndesModel | None = None,
    file_format: FileFormat = "published",
) -> EndesTruth:
    """Write raw-shaped synthetic ENDES files with a planted effect of Juntos, its rollout, and districts.

    Districts are those of ``write_synthetic`` with the same seed. A year's files are the same whichever other
    years are written, and the same seed gives the same bytes. CSV files are written chunk by chunk, in a
    memory that does not grow with the sample; the other formats are held until they are whole.

    Parameters
    ----------
    folder : Path
        Made if need be; may hold the synthetic files of ENAHO already.
    seed : int
        Not negative.
    households : int
        Selected a year, 300 or more; about one in eleven is not interviewed.
    years : tuple of int
        Among 2004 to 2024.
    model : EndesModel, optional
    file_format : {"published", "sav", "dta", "csv"}
        ``published``: SPSS to 2019, CSV in 2020, Stata from 2021 on.

    Returns
    -------
    EndesTruth
        Also written as ``endes_truth.json``.

    Raises
    ------
    DesignError
        If a year has no documented map, the seed is negative or the sample too small.
    SourceError
        If the folder holds ENDES files that are not synthetic.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from juntos_eval.surveys.synthetic.endes import write_synthetic_endes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = write_synthetic_endes(Path(folder), seed=1, households=300, years=(2015,))
    ...     sorted(path.name for path in Path(folder, "endes", "2015").iterdir())[:3]
    ['Programas Sociales x Hogar.SAV', 'RE223132.SAV', 'RE516171.SAV']
    """
    model = model or EndesModel()
    _check(folder, seed, years)
    frame = endes_frame(seed=seed, model=model)
    districts = write_districts(folder / "geo" / "ubigeo_distrito.csv", frame.districts)
    counts = {districts: district_rows(districts)}
    write_rollout(folder / "geo" / ROLLOUT_FILE, frame.districts)
    effects: list[EndesEffect] = []
    for year in sorted(set(years)):
        written, found = _write_year(folder, frame, seed, households, year, chosen_format(year, file_format))
        counts |= written
        effects += found
    truth = EndesTruth(
        seed=seed,
        households=households,
        years=tuple(sorted(set(years))),
        parameters=FrozenMapping(model.record()),
        effects=tuple(effects),
    )
    _describe(folder, truth, counts)
    return truth


def endes_frame(*, seed: int, model: EndesModel | None = None) -> Frame:
    """Return the districts of a seed, their years of entry and lasting random parts.

    Parameters
    ----------
    seed : int
    model : EndesModel, optional

    Returns
    -------
    Frame

    Examples
    --------
    >>> from juntos_eval.surveys.synthetic.endes import endes_frame
    >>> sorted(endes_frame(seed=1).districts["first_treated"].dropna().unique().tolist())[:2]
    [2005.0, 2006.0]
    """
    model = model or EndesModel()
    of_enaho = np.random.SeedSequence(seed).spawn(len(STREAMS))
    districts = draw_districts(np.random.default_rng(of_enaho[STREAMS.index("districts")]))
    rng = np.random.default_rng(np.random.SeedSequence([seed, ENDES_STREAM]))
    placed = draw_rollout(rng, districts, model)
    return Frame(districts=placed, noise=rng.standard_normal(len(placed)), model=model)


def simulate_endes(frame: Frame, *, seed: int, households: int, year: int) -> Iterator[Chunk]:
    """Simulate a year chunk by chunk, without writing a file.

    Parameters
    ----------
    frame : Frame
    seed, households, year : int

    Yields
    ------
    Chunk
    """
    clusters = draw_clusters(_rng(seed, year, 0), frame.districts, households=households)
    for number, start in enumerate(range(0, len(clusters), CLUSTERS_A_CHUNK), 1):
        part = clusters.iloc[start : start + CLUSTERS_A_CHUNK]
        yield simulate_chunk(_rng(seed, year, number), frame, part, year=year)


def _rng(seed: int, year: int, number: int) -> np.random.Generator:
    return np.random.default_rng(np.random.SeedSequence([seed, ENDES_STREAM, year, number]))


def _write_year(
    folder: Path, frame: Frame, seed: int, households: int, year: int, file_format: str
) -> tuple[dict[Path, int], list[EndesEffect]]:
    files = [RawFile(folder / "endes" / str(year), table, year, file_format) for table in STEMS]
    published = {file.table: file for file in files if file.is_published}
    sums = []
    for number, chunk in enumerate(simulate_endes(frame, seed=seed, households=households, year=year)):
        sums.append(add_up(chunk))
        rng = np.random.default_rng(np.random.SeedSequence([seed, ENDES_STREAM, year, number, 1]))
        tables = raw_tables(rng, chunk)
        for table, file in published.items():
            file.add(tables[table])
    counts = {file.close(): file.rows for file in published.values()}
    return counts, find_effects(pd.concat(sums, ignore_index=True), year)


def _check(folder: Path, seed: int, years: tuple[int, ...]) -> None:
    if seed < 0:
        raise DesignError(
            "The seed is negative", where="write_synthetic_endes, seed", remedy="give 0 or more"
        )
    unknown = sorted(set(years) - set(DOCUMENTED_YEARS))
    if unknown or not years:
        raise DesignError(
            f"No map of columns is documented for {', '.join(map(str, unknown)) or '(no year)'}",
            where="write_synthetic_endes, years",
            remedy=f"ask for years from {DOCUMENTED_YEARS[0]} to {DOCUMENTED_YEARS[-1]}",
        )
    if (folder / "endes").exists() and not (folder / NOTICE_FILE).exists():
        raise SourceError(
            "This folder holds ENDES files that are not marked as synthetic",
            where=str(folder),
            remedy="write synthetic files to a folder of their own",
        )


def _describe(folder: Path, truth: EndesTruth, counts: dict[Path, int]) -> None:
    """Write notice, truth and manifest, the manifest last; what it says of other files is kept."""
    notice = NOTICE.format(
        truth=ENDES_TRUTH_FILE,
        seed=truth.seed,
        households=truth.households,
        years=", ".join(map(str, truth.years)),
    )
    write_atomically(folder / NOTICE_FILE, notice)
    write_atomically(folder / ENDES_TRUTH_FILE, truth.to_json())
    add_to_manifest(folder, counts)
