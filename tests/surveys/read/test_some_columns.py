"""Some columns of a file are those of the whole, whatever the format, and memory holds no others."""

from __future__ import annotations

import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import SourceError
from juntos_eval.surveys.read import read_raw
from juntos_eval.surveys.to_parquet import to_parquet
from tests.surveys.read.stata_bytes import old_stata
from tests.surveys.read.test_dbf import write as write_dbf
from tests.surveys.read.test_spss import write as write_sav
from tests.surveys.read.test_to_parquet import write_dta


def write_csv(path: Path) -> None:
    lines = "".join(f"{row:06d};Ñandú;{row % 9}\n" for row in range(30_000))
    path.write_bytes(("CONGLOME;TEXTO;P203\n" + lines).encode("latin-1"))


def write_old(path: Path) -> None:
    path.write_bytes(old_stata(110))


def write_parquet(path: Path) -> None:
    write_sav(path.with_suffix(".sav"))
    to_parquet(path.with_suffix(".sav"), path)


KINDS: dict[str, tuple[Callable[[Path], object], set[str]]] = {
    "a.dta": (lambda path: write_dta(path, rows=45_000), {"p208a", "conglome"}),
    "old.dta": (write_old, {"factor07", "hogar"}),
    "a.sav": (write_sav, {"QH95", "NOMBRE"}),
    "a.csv": (write_csv, {"CONGLOME", "P203"}),
    "a.dbf": (write_dbf, {"TEXTO", "P203"}),
    "a.parquet": (write_parquet, {"HC70"}),
}


@pytest.mark.parametrize("name", KINDS)
def test_some_columns_are_those_of_the_whole(name: str, tmp_path: Path) -> None:
    write, wanted = KINDS[name]
    write(tmp_path / name)
    whole = read_raw(tmp_path / name)
    some = read_raw(tmp_path / name, columns=lambda column: column in wanted)
    assert set(some.frame.columns) == wanted
    pd.testing.assert_frame_equal(some.frame, whole.frame[list(some.frame.columns)])
    assert (some.sha256, some.encoding) == (whole.sha256, whole.encoding)
    assert dict(some.labels.variables) == dict(whole.labels.variables)
    assert dict(some.labels.missing) == dict(whole.labels.missing)


def test_some_columns_of_a_member_of_a_zip(tmp_path: Path) -> None:
    write_dta(tmp_path / "a.dta", rows=50)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "a.dta", "x/a.dta")
    some = read_raw(tmp_path / "a.zip", columns=lambda column: column == "factor07")
    assert some.frame.columns.tolist() == ["factor07"]
    assert some.member == "x/a.dta"


def test_no_column_wanted_is_refused(tmp_path: Path) -> None:
    write_dta(tmp_path / "a.dta", rows=50)
    with pytest.raises(SourceError, match="None of the columns wanted"):
        read_raw(tmp_path / "a.dta", columns=lambda _: False)


@pytest.mark.parametrize("name", KINDS)
def test_a_cut_file_is_refused(name: str, tmp_path: Path) -> None:
    write, wanted = KINDS[name]
    write(tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-31])
    with pytest.raises(SourceError, match=r"half-copied|damaged|cannot be read"):
        read_raw(tmp_path / name, columns=lambda column: column in wanted)


def test_memory_holds_the_columns_wanted(tmp_path: Path) -> None:
    rows = 60_000
    frame = pd.DataFrame({f"p{n}": np.arange(rows, dtype=float) for n in range(60)})  # 29 MB
    frame.to_stata(tmp_path / "a.dta", write_index=False)
    del frame
    tracemalloc.start()
    read_raw(tmp_path / "a.dta", columns=lambda column: column == "p7")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20_000_000
