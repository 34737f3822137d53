"""How long and how much memory a .dta of a million rows takes to Parquet: python -m benchmarks.conversion."""

from __future__ import annotations

import argparse
import json
import platform
import resource
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from juntos_eval.surveys.to_parquet import to_parquet

RESULTS = Path(__file__).parent / "results" / "conversion.json"


def write_survey(path: Path, rows: int, columns: int, seed: int) -> None:
    """Write a file like a wide module: six tenths small codes, two short, some doubles, some texts."""
    rng = np.random.default_rng(seed)
    keys = np.array([f"{key:06d}" for key in range(10_000)], dtype=object)
    table: dict[str, object] = {}
    for column in range(columns):
        kind = column % 15
        if kind < 9:
            table[f"p{column}"] = rng.integers(0, 9, rows).astype("int8")
        elif kind < 12:
            table[f"p{column}"] = rng.integers(0, 999, rows).astype("int16")
        elif kind < 14:
            values = rng.normal(size=rows)
            values[rng.random(rows) < 0.3] = np.nan
            table[f"p{column}"] = values
        else:
            table[f"p{column}"] = keys[rng.integers(0, len(keys), rows)]
    pd.DataFrame(table).to_stata(path, write_index=False, version=118)


def main() -> None:
    """Convert once in a process of its own, so that its peak of memory is the conversion's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=300)
    parser.add_argument("--memory", type=int, default=400_000_000, help="bytes, as to_parquet takes them")
    parser.add_argument("--file", type=Path, help="a .dta made before; without it one is made first")
    parser.add_argument("--make", type=Path, help="only make the .dta, here")
    parser.add_argument("--store", action="store_true", help="write to benchmarks/results, which git keeps")
    given = parser.parse_args()
    if given.make is not None:
        write_survey(given.make, given.rows, given.columns, seed=1)
        return
    with tempfile.TemporaryDirectory() as folder:
        raw = given.file or Path(folder) / "a.dta"
        if given.file is None:
            write_survey(raw, given.rows, given.columns, seed=1)
        start = time.perf_counter()
        made = to_parquet(raw, Path(folder) / "a.parquet", memory_bytes=given.memory)
        result = {
            "rows": made.rows,
            "columns": made.columns,
            "raw_megabytes": round(raw.stat().st_size / 1e6),
            "parquet_megabytes": round(made.path.stat().st_size / 1e6),
            "memory_bytes_allowed": given.memory,
            "seconds": round(time.perf_counter() - start, 1),
            # Linux counts kilobytes
            "peak_memory_megabytes": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
            "file_was_made_before": given.file is not None,
            "python": platform.python_version(),
            "pandas": pd.__version__,
        }
    print(json.dumps(result, indent=2))
    if given.store:
        RESULTS.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
