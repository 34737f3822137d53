"""What statsmodels says of treatment effects: the cases ``te-*`` of this folder but ``te-exact-*``.

Usage: python treatment_effects.py TABLE.csv "OUTCOME ~ ..." "TREATMENT ~ ..."
"""

import json
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import statsmodels.api as sm
from statsmodels.treatment.treatment_effects import TreatmentEffect

GROUPS = {"all": "ate", 1: "att", 0: "atu"}


def digits(value: Any) -> float:
    return float(f"{float(np.ravel(value)[0]):.15g}")


def main(table: Path, outcome: str, treatment: str) -> None:
    frame = pd.read_csv(table)
    name = treatment.split("~", maxsplit=1)[0].strip()
    found = {}
    for link, model in (("logit", sm.Logit), ("probit", sm.Probit)):
        selection = model.from_formula(treatment, frame).fit(disp=0, tol=1e-12, maxiter=200)
        regression = sm.OLS.from_formula(outcome, frame)
        effects = TreatmentEffect(regression, frame[name].to_numpy(), results_select=selection)
        for method in ("ra", "ipw", "aipw", "aipw_wls", "ipw_ra"):
            if method == "ra" and link == "probit":
                continue
            for group, word in GROUPS.items():
                if method.startswith("aipw") and group != "all":
                    continue
                choice = {} if method.startswith("aipw") else {"effect_group": group}
                answer = getattr(effects, method)(return_results=True, **choice).results_gmm
                b, se = np.asarray(answer.params), np.asarray(answer.bse)
                found[f"{method}-{word}-{link}"] = {
                    "effect": digits(b[0]),
                    "se": digits(se[0]),
                    "pom0": digits(b[1]),
                    "pom0_se": digits(se[1]),
                }
    sys.stdout.write(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
