"""Which raw files a run reads and where it writes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from juntos_eval.errors import SourceError
from juntos_eval.paths import SYNTHETIC_RUN, RawFolder, RunPaths
from juntos_eval.pipeline.step import Stage
from juntos_eval.surveys.enaho.panel_release import PANEL
from juntos_eval.surveys.source import SURVEYS
from juntos_eval.surveys.young_lives.study_files import SURVEY as YOUNG_LIVES

__all__ = ["Run", "Synthetic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Synthetic:
    """The synthetic files that a run writes for itself before it reads them.

    Attributes
    ----------
    folder : Path
    seed : int
    households : int
        A year.

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.pipeline.run import Synthetic
    >>> Synthetic(folder=Path("data_raw/synthetic-data"), seed=1, households=400).seed
    1
    """

    folder: Path
    seed: int
    households: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A run: raw files, and the folders that it fills.

    Attributes
    ----------
    paths : RunPaths
    place : Path
        Raw folder or TOML.
    synthetic : Synthetic, optional
        Where the run writes its raw files itself.

    Examples
    --------
    >>> from pathlib import Path
    >>> from juntos_eval.pipeline.run import Run
    >>> Run.choose(root=Path("nowhere"), data_raw=None, seed=1, households=400).is_synthetic
    True
    """

    paths: RunPaths
    place: Path
    synthetic: Synthetic | None = None

    @classmethod
    def choose(cls, *, root: Path, data_raw: Path | None, seed: int, households: int) -> Run:
        """Read what was named, else ``data_raw/`` where it holds survey files, else synthetic files.

        Parameters
        ----------
        root : Path
            Folder of ``data_raw/``, ``data_clean/`` and ``reports/``.
        data_raw : Path or None
            Folder or TOML.
        seed, households : int
            Of synthetic files.

        Raises
        ------
        SourceError
            If ``data_raw`` is named and is neither a folder nor a TOML.
        """
        own = root / "data_raw"
        if data_raw is None and not any((own / survey).is_dir() for survey in (*SURVEYS, PANEL, YOUNG_LIVES)):
            folder = own / SYNTHETIC_RUN
            return cls(
                paths=RunPaths(root=root, run=SYNTHETIC_RUN),
                place=folder,
                synthetic=Synthetic(folder=folder, seed=seed, households=households),
            )
        place = own if data_raw is None else data_raw
        name = SYNTHETIC_RUN if RawFolder.at(place).is_synthetic else "real"
        return cls(paths=RunPaths(root=root, run=name), place=place)

    @property
    def is_synthetic(self) -> bool:
        """Whether no record is real."""
        return self.paths.is_synthetic

    @property
    def state(self) -> Path:
        """Folder in which the pipeline remembers what it made."""
        return self.paths.data_clean / ".pipeline"

    def raw(self) -> RawFolder:
        """Open the raw files.

        Raises
        ------
        SourceError
            If they are not there.
        """
        if self.synthetic is not None and not self.place.is_dir():
            raise SourceError(
                "the synthetic files have not been written",
                where=str(self.place),
                remedy="run the report again from the start",
            )
        return RawFolder.at(self.place)

    def result(self, until: Stage) -> Path:
        """Return what a reader opens after a stage."""
        if until == "data":
            return self.paths.data_clean
        return self.paths.index if until == "report" else self.paths.reports / "estimates"
