"""Real files: the pieces are the whole, labels name Juntos, and every file is what its header says."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from juntos_eval.surveys.read import read_raw
from juntos_eval.surveys.read_probe import probe
from juntos_eval.surveys.to_parquet import to_parquet

FILES = (
    "enaho/2024/enaho01-2024-700.dta",
    "enaho/2025/Enaho01-2025-700.csv",
    "enaho/2025/module100-household-derived.parquet",
    "enaho/sumaria/sumaria-2015.dta",
    "enaho/panel/enaho-panel-2015-2019-modulo400-extract.dta",
    "endes/2020/RECH6.dta",
    "endes/2020/CSALUD01.dta",
)


@pytest.mark.parametrize("name", FILES)
def test_the_pieces_of_a_real_file_are_the_whole(name: str, shared_data: Path, tmp_path: Path) -> None:
    path = shared_data / "peru" / name
    whole = read_raw(path)
    found = probe(path)
    assert found.rows == len(whole.frame)
    assert list(found.columns) == list(whole.frame.columns)
    if path.suffix == ".parquet":
        return
    made = to_parquet(path, tmp_path / "a.parquet", memory_bytes=20_000_000)
    back = read_raw(tmp_path / "a.parquet")
    assert (made.rows, made.encoding) == (len(whole.frame), whole.encoding)
    assert dict(back.labels.variables) == dict(whole.labels.variables)
    assert {k: dict(v) for k, v in back.labels.values.items()} == {
        k: dict(v) for k, v in whole.labels.values.items()
    }
    for column in whole.frame.columns:
        left, right = back.frame[column], whole.frame[column]
        if pd.api.types.is_numeric_dtype(right):
            left = left.astype("float64")
            right = right.astype("float64")
        pd.testing.assert_series_equal(left, right, check_dtype=False)


def test_labels_of_real_files_are_read(shared_data: Path) -> None:
    labels = read_raw(shared_data / "peru/enaho/sumaria/sumaria-2015.dta").labels
    assert len(labels.values) == 2
    assert {label.casefold() for label in labels.values["pobreza"].values()} >= {"pobre extremo", "no pobre"}
