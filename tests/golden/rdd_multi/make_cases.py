"""Write cases.json from the reference collection: `python make_cases.py <reference>/rdd.json`.

Keeps the call of rdmulti's rdmc.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

if __name__ == "__main__":
    every = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    kept = [case | {"data": Path(case["data"]).name} for case in every if case["id"] == "rdmc"]
    target = Path(__file__).with_name("cases.json")
    target.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
