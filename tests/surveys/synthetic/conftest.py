"""One small folder of files and one population of real size, shared by the tests of this folder."""

from __future__ import annotations

from pathlib import Path

import pytest

from juntos_eval.surveys.synthetic import Population, SyntheticTruth, simulate_population, write_synthetic

SMALL = 800


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, SyntheticTruth]:
    folder = tmp_path_factory.mktemp("synthetic")
    return folder, write_synthetic(folder, seed=7, households=SMALL)


@pytest.fixture(scope="session")
def population() -> Population:
    return simulate_population(seed=11, households=33_700)
