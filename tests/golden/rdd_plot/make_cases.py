"""Write cases.json from the reference collection: `python make_cases.py <reference>/rdd.json`.

Keeps the calls of rdplot, each with the choices that say the same in our words.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any


def choices(code: str) -> dict[str, Any]:
    if found := re.search(r'binselect = "(\w+)"', code):
        return {"rule": found.group(1)}
    # the one call with options
    return {"count": [12, 15], "order": 2, "kernel": "triangular", "bandwidth": 0.5, "means": "plain"}


def main(source: str) -> None:
    kept = [
        {
            "id": case["id"],
            "data": Path(case["data"]).name,
            "code": case["call"]["code"],
            "choices": choices(case["call"]["code"]),
            "columns": {"weights": "w", "covariates": ["z1", "z2"]} if "covs" in case["call"]["code"] else {},
            "expected": {name: value for name, value in case["expected"].items() if name != "scale"},
        }
        for case in json.loads(Path(source).read_text(encoding="utf-8"))
        if case["id"].startswith("rdplot-")
    ]
    lines = ",\n".join(json.dumps(case) for case in kept)
    Path(__file__).with_name("cases.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
