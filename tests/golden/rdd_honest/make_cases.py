"""Write cases.json from the reference collection: `python make_cases.py <reference>/rdd.json`.

Keeps the calls of RDHonest, each with the choices that say the same in our words.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

LEFT_OUT = ("alpha", "M_rf", "M_fs")


def choices(code: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for theirs, ours in (("kern", "kernel"), ("opt.criterion", "criterion"), ("se.method", "variance")):
        if found := re.search(rf'\b{re.escape(theirs)} = "(\w+)"', code):
            made[ours] = found.group(1).lower()
    if found := re.search(r'sclass = "(\w)"', code):
        made["smoothness"] = {"H": "hoelder", "T": "taylor"}[found.group(1)]
    if found := re.search(r"\bM = c\(([\d.]+), ([\d.]+)\)", code):
        made["bound"] = [float(value) for value in found.groups()]
    elif found := re.search(r"\bM = ([\d.]+)", code):
        made["bound"] = float(found.group(1))
    if found := re.search(r"\bh = ([\d.]+)", code):
        made["bandwidth"] = float(found.group(1))
    if found := re.search(r"clusterid = (\w+)", code):
        made["cluster"] = found.group(1)
    if found := re.search(r"weights = (\w+)", code):
        made["weights"] = found.group(1)
    if found := re.search(r"y \| (\w+) ~", code):
        made["treatment"] = found.group(1)
    if found := re.search(r"~ x \| ([\w +]+),", code):
        made["covariates"] = found.group(1).split(" + ")
    return made


def main(source: str) -> None:
    kept = [
        {
            "id": case["id"],
            "data": Path(case["data"]).name,
            "code": case["call"]["code"],
            "choices": choices(case["call"]["code"]),
            "expected": {
                name: value
                for name, value in case["expected"].items()
                if name not in LEFT_OUT and value is not None
            },
        }
        for case in json.loads(Path(source).read_text(encoding="utf-8"))
        if case["id"].startswith("rdhonest-")
    ]
    lines = ",\n".join(json.dumps(case) for case in kept)
    Path(__file__).with_name("cases.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
