"""Synthetic ENDES files that the tests of this folder read and damage."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from juntos_eval.paths import MANIFEST, RawFolder
from juntos_eval.surveys.synthetic.endes import EndesTruth, write_synthetic_endes

YEAR = 2018


@pytest.fixture(scope="session")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, EndesTruth]:
    """A folder of sound files of one year, as CSV, and what was planted."""
    folder = tmp_path_factory.mktemp("endes")
    truth = write_synthetic_endes(folder, seed=11, households=900, years=(YEAR,), file_format="csv")
    (folder / MANIFEST).write_text("synthetic = true\n", encoding="utf-8")
    return folder, truth


Change = Callable[[pd.DataFrame], pd.DataFrame]


class Damaged:
    """A copy of the sound folder in which files can be changed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def raw(self) -> RawFolder:
        """The folder, opened."""
        return RawFolder.at(self.folder)

    def path(self, stem: str) -> Path:
        """A file by its stem."""
        return self.folder / "endes" / str(YEAR) / f"{stem}_{YEAR}.csv"

    def change(self, stem: str, change: Change) -> None:
        """Read a file as text, change it, write it back."""
        frame = pd.read_csv(self.path(stem), dtype=str, encoding="utf-8-sig", keep_default_na=False)
        change(frame).to_csv(self.path(stem), index=False)


@pytest.fixture
def damaged(sound: tuple[Path, EndesTruth], tmp_path: Path) -> Damaged:
    """A copy of the sound folder, to be damaged."""
    place = tmp_path / "raw"
    shutil.copytree(sound[0], place)
    return Damaged(place)
