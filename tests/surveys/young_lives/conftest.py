"""Synthetic Young Lives folders: one of the published sizes to read, small ones to damage."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from juntos_eval.paths import RawFolder
from juntos_eval.surveys.synthetic.young_lives import YoungLivesTruth, write_young_lives
from juntos_eval.surveys.young_lives import JuntosStatus, build_juntos_status


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, YoungLivesTruth]:
    """A folder of the published sizes, and what was planted in it."""
    folder = tmp_path_factory.mktemp("young-lives")
    return folder, write_young_lives(folder, seed=11)


@pytest.fixture(scope="session")
def status(whole: tuple[Path, YoungLivesTruth]) -> JuntosStatus:
    """Juntos participation in it."""
    return build_juntos_status(RawFolder.at(whole[0]))


@pytest.fixture(scope="session")
def _small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("young-lives-small")
    write_young_lives(
        folder, seed=3, share=0.06, formats=dict.fromkeys((5307, 6852, 6853, 7931, 8357, 7483), "tab")
    )
    (folder / "manifest.toml").write_text("synthetic = true\n", encoding="utf-8")
    return folder


@pytest.fixture
def small(_small: Path, tmp_path: Path) -> Path:
    """A small folder of .tab files to damage, without sizes in its manifest."""
    folder = tmp_path / "raw"
    shutil.copytree(_small, folder)
    return folder


@pytest.fixture
def change(small: Path) -> Callable[[str, Callable[[pd.DataFrame], pd.DataFrame]], RawFolder]:
    """Change one file of the small folder, every field being text, and open the folder."""

    def apply(stem: str, edit: Callable[[pd.DataFrame], pd.DataFrame]) -> RawFolder:
        path = next(small.rglob(f"{stem}.tab"))
        frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
        edit(frame).to_csv(path, sep="\t", index=False, lineterminator="\n")
        return RawFolder.at(small)

    return apply
