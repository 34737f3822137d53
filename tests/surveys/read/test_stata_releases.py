"""Every release of Stata's format that INEI and Young Lives used: values, labels and marks of missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pytest

from juntos_eval.errors import SourceError
from juntos_eval.surveys.read import read_raw
from juntos_eval.surveys.read_columns import column_names
from juntos_eval.surveys.read_stata import announced_bytes, read_stata, stata_labels
from juntos_eval.surveys.stata_layout import missing_marks, stata_layout
from tests.surveys.read.stata_bytes import COLUMNS, OLD_RELEASES, old_stata


def written(folder: Path, content: bytes) -> Path:
    path = folder / "enaho01-2006-200.dta"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("release", OLD_RELEASES)
def test_old_releases_are_read(release: int, order: str, tmp_path: Path) -> None:
    path = written(tmp_path, old_stata(release, order))
    frame = read_stata(path)
    assert frame["hogar"].tolist() == ["11", "12", "11"]
    assert frame.iloc[:2, 1:].to_numpy(dtype=float).tolist() == [
        [1, 0, 0, 0.5, 0.25],
        [2, 100, 70_000, 1.5, 1.25],
    ]
    assert frame.iloc[2, 1:].isna().all()
    assert column_names(path) == tuple(column[0] for column in COLUMNS)


@pytest.mark.parametrize("release", [release for release in OLD_RELEASES if release > 105])
def test_labels_of_old_releases_are_kept(release: int, tmp_path: Path) -> None:
    labels = read_raw(written(tmp_path, old_stata(release))).labels
    assert labels.variables["p203"] == "Relación de parentesco"
    assert dict(labels.values["p203"]) == {1: "jefe", 2: "cónyuge"}
    assert "nconglome" not in labels.variables


def test_marks_of_missing_are_kept_from_release_113_on(tmp_path: Path) -> None:
    marks = stata_labels(written(tmp_path, old_stata(113))).marks
    assert {name: (of.rows, of.letters) for name, of in marks.items()} == {
        "p203": ((2,), "a"),
        "mes": ((2,), "b"),
        "factor07": ((2,), "z"),
    }
    assert not stata_labels(written(tmp_path, old_stata(110))).marks


def test_marks_are_found_in_every_piece(tmp_path: Path) -> None:
    path = written(tmp_path, old_stata(114))
    layout = stata_layout(path)
    assert layout is not None
    assert missing_marks(path, layout, chunk_bytes=1) == missing_marks(path, layout, chunk_bytes=1_000)


@pytest.mark.parametrize("share", [0.30, 0.60, 0.90, 0.99])
@pytest.mark.parametrize("release", OLD_RELEASES)
def test_old_releases_that_are_cut_are_refused(release: int, share: float, tmp_path: Path) -> None:
    content = old_stata(release, with_labels=False)
    assert announced_bytes(written(tmp_path, content)) == len(content)
    path = written(tmp_path, content[: int(len(content) * share)])
    with pytest.raises(SourceError, match="half-copied"):
        read_raw(path)


def test_a_file_cut_within_its_labels_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path, old_stata(114)[:-8])
    with pytest.raises(SourceError, match="half-copied"):
        read_raw(path)


@pytest.mark.parametrize("release", [114, 117, 118, 119])
def test_newer_releases_keep_labels_and_text(release: Literal[114, 117, 118, 119], tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {"conglome": ["015009", "104521"], "p203": np.array([1, 2], dtype=np.int8), "nota": ["Ñandú", ""]}
    )
    path = tmp_path / "a.dta"
    # pandas writes long texts of release 117 in UTF-8, which only later releases hold
    options: dict[str, Any] = {"convert_strl": ["nota"]} if release >= 118 else {}
    frame.to_stata(
        path,
        write_index=False,
        version=release,
        variable_labels={"p203": "Parentesco"},
        value_labels={"p203": {1: "jefe", 2: "cónyuge"}},
        **options,
    )
    raw = read_raw(path)
    assert raw.frame["conglome"].tolist() == ["015009", "104521"]
    assert raw.frame["nota"].tolist() == ["Ñandú", ""]
    assert raw.labels.variables["p203"] == "Parentesco"
    assert raw.labels.values["p203"][2] == "cónyuge"
    layout = stata_layout(path)
    assert layout is not None
    assert (layout.release, layout.rows, layout.names) == (release, 2, ("conglome", "p203", "nota"))


def test_a_slot_is_found_by_its_label(tmp_path: Path) -> None:
    path = tmp_path / "enaho01-2013-700.dta"
    frame = pd.DataFrame({"p710_03": [1.0], "p710_04": [0.0], "p710_05": [0.0]})
    labels = {"p710_03": "Programa JUNTOS", "p710_04": "Pensión 65", "p710_05": "Cuna más"}
    frame.to_stata(path, write_index=False, variable_labels=labels)
    assert read_raw(path).labels.slot("juntos") == ("p710_03",)
