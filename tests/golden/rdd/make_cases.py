"""Write cases.json from the reference collection: `python make_cases.py <reference>/rdd.json`.

Keeps the calls of rdrobust and rdbwselect (RegressionDiscontinuity) and of rddensity (density_test), each
with the choices that say the same in our words.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

NAMES = {
    "p": ("order", int), "q": ("bias_order", int), "deriv": ("derivative", int), "kernel": ("kernel", str),
    "bwselect": ("bandwidth", str), "vce": ("variance", str), "nnmatch": ("neighbours", int),
    "masspoints": ("mass_points", str), "bwcheck": ("least_unique", int), "rho": ("rho", float),
    "scaleregul": ("regularisation", float),
}  # fmt: skip
KEPT = ("coef", "se", "ci_lower", "ci_upper", "h", "b", "N_h", "N_b")


def argument(code: str, name: str) -> str | None:
    found = re.search(rf'\b{name} = (c\([^)]*\)|cbind\([^)]*\)|"[^"]*"|[^,)]+)', code)
    return found.group(1).strip('"') if found else None


def numbers(text: str) -> Any:
    values = [float(value) for value in re.findall(r"[-\d.]+", text)]
    return values[0] if len(values) == 1 else values


def choices(code: str) -> dict[str, Any]:
    made: dict[str, Any] = {"cutoff": float(re.findall(r"c = ([\d.]+)", code)[0])}
    for theirs, (ours, kind) in NAMES.items():
        if (value := argument(code, theirs)) is not None:
            made[ours] = kind(value.strip("L"))
    for theirs, ours in (("h", "bandwidth"), ("b", "bias_bandwidth")):
        if (value := argument(code, theirs)) is not None:
            made[ours] = numbers(value)
    for theirs, ours in (("fuzzy", "treatment"), ("cluster", "cluster"), ("weights", "weights")):
        if (value := argument(code, theirs)) is not None:
            made[ours] = value.removeprefix("d$")
    if (value := argument(code, "covs")) is not None:
        made["covariates"] = re.findall(r"d\$(\w+)", value)
    if argument(code, "bwrestrict") == "FALSE":
        made["is_restricted"] = False
    if argument(code, "sharpbw") == "TRUE":
        made["has_sharp_bandwidth"] = True
    return made


def density_choices(code: str) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for theirs, ours in (("fitselect", "fit"), ("kernel", "kernel"), ("vce", "variance")):
        if (value := argument(code, theirs)) is not None:
            made[ours] = value
    if (value := argument(code, "p")) is not None:
        made["order"] = int(value.strip("L"))
    for theirs in ("bwselect", "h"):
        if (value := argument(code, theirs)) is not None:
            made["bandwidth"] = value if theirs == "bwselect" else numbers(value)
    if argument(code, "massPoints") == "FALSE":
        made["has_mass_points"] = False
    return made


def density_numbers(expected: dict[str, Any], variance: str) -> dict[str, Any]:
    error = expected["sd_asy" if variance == "plugin" else "sd_jk"]
    sides = ("left", "right", "diff")
    return {
        "hat": [expected["hat"][side][0] for side in sides],
        "se": [error[side][0] for side in sides],
        "h": [expected["h"][side][0] for side in sides[:2]],
        "N_h": [expected["N"][f"eff_{side}"][0] for side in sides[:2]],
    }


def density_case(case: dict[str, Any]) -> dict[str, Any]:
    made = density_choices(case["call"]["code"])
    return {
        "id": case["id"],
        "data": Path(case["data"]).name,
        "code": case["call"]["code"],
        "choices": made,
        "expected": density_numbers(case["expected"], made.get("variance", "jackknife")),
    }


def main(source: str) -> None:
    kept = []
    for case in json.loads(Path(source).read_text(encoding="utf-8")):
        if case["id"].startswith("rddensity-"):
            kept.append(density_case(case))
        if not case["id"].startswith(("rdrobust-", "rdbwselect-")):
            continue
        code = case["call"]["code"]
        expected = case["expected"]
        if case["id"].startswith("rdrobust-"):
            expected = {name: expected[name] for name in KEPT}
        kept.append(
            {
                "id": case["id"],
                "data": Path(case["data"]).name,
                "code": code,
                "choices": choices(code),
                "level": float(argument(code, "level") or 95) / 100,
                "expected": expected,
            }
        )
    lines = ",\n".join(json.dumps(case) for case in kept)
    Path(__file__).with_name("cases.json").write_text(f"[\n{lines}\n]\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
