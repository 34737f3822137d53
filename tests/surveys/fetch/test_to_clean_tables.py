"""From the portal to clean tables: SYNTHETIC households in INEI's zips, fetched, examined and cleaned."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd

from juntos_eval.paths import RawFolder
from juntos_eval.surveys.catalog import published
from juntos_eval.surveys.doctor import examine
from juntos_eval.surveys.enaho import clean_members, clean_programmes
from juntos_eval.surveys.fetch import Ledger, Policy, fetch
from juntos_eval.surveys.synthetic import write_synthetic
from tests.surveys.fetch.portal import Answer, Portal, serving


def test_fetched_zips_become_clean_tables(
    tmp_path: Path, root: Path, make_policy: Callable[..., Policy]
) -> None:
    made = tmp_path / "made"
    write_synthetic(made, seed=5, households=300, years=(2024,))
    files = published("enaho", years=(2024,), modules=("02", "37"), formats=("STATA",))
    paths = {}
    for file, stem in zip(files, ("enaho01-2024-200", "enaho01-2024-700"), strict=True):
        zipped = tmp_path / file.zip_name
        with zipfile.ZipFile(zipped, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(f"{file.code}-Modulo{file.module}/CED-01-100.pdf", b"%PDF")
            archive.write(
                made / "enaho" / "2024" / f"{stem}.dta", f"{file.code}-Modulo{file.module}/{stem}.dta"
            )
        paths[file.address("")] = zipped.read_bytes()
    with serving(Portal(content=b"", paths=paths, answers=[Answer(cut_at=20_000)])) as portal:
        done = list(fetch(files, root, policy=make_policy(hosts=(portal.url,))))
    assert [zip_.outcome for zip_ in done] == ["fetched", "fetched"]
    assert set(Ledger.read(root).sha256_of_files()) == {
        "enaho/2024/enaho01-2024-200.dta",
        "enaho/2024/enaho01-2024-700.dta",
    }
    (root / "manifest.toml").write_text("synthetic = true\n", encoding="utf-8")
    raw = RawFolder.at(root)
    assert [found for found in examine(raw).findings if found.is_error] == []
    straight = RawFolder.at(made)
    for clean in (clean_members, clean_programmes):
        pd.testing.assert_frame_equal(clean(raw, 2024).frame, clean(straight, 2024).frame)
