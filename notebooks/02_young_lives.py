# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Young Lives: a panel of children and how long Juntos reached them · Niños del Milenio y Juntos
#
# **SYNTHETIC DATA.** The files below carry the names, formats and codes of Young Lives Peru, and no record of
# a real child. Real files are for registered users of the UK Data Service; put their zips into
# `data_raw/young_lives/` and the same lines read them.
#
# **DATOS SINTÉTICOS.** Los archivos llevan los nombres, formatos y códigos de Niños del Milenio, y ningún
# registro de un niño real. Los archivos reales son para usuarios registrados del UK Data Service; puestos sus
# zips en `data_raw/young_lives/`, las mismas líneas los leen.

# %%
import tempfile
from pathlib import Path

import pandas as pd

import juntos_eval as je
from juntos_eval.paths import RawFolder
from juntos_eval.surveys import young_lives as yl
from juntos_eval.surveys.synthetic.young_lives import write_young_lives

folder = Path(tempfile.mkdtemp(prefix="synthetic-young-lives-"))
truth = write_young_lives(folder, seed=8, is_zipped=True)
sorted(path.name for path in (folder / "young_lives").iterdir())

# %% [markdown]
# ## The panel, and who was lost · El panel y quiénes se perdieron
#
# A row a child and round in which the child was seen. What a round did not ask is missing, with a reason.
#
# Una fila por niño y ronda en que se le vio. Lo que una ronda no preguntó falta, y se dice por qué.

# %%
raw = RawFolder.at(folder)
panel = yl.clean_children_panel(raw)
panel.frame.shape, dict(panel.provenance.dropped)

# %%
yl.clean_attrition(raw).frame.round(3)

# %%
yl.availability(panel.frame, ("haz", "paid_work_hours", "has_juntos_released")).query("not is_expected")

# %% [markdown]
# ## Which code is the beneficiary's · Qué código es el del beneficiario
#
# The cohorts' dictionaries contradict each other in round 3, and the released flag takes one code for both.
# Start dates and receipt decide; nothing is decided silently.
#
# Los diccionarios de las cohortes se contradicen en la ronda 3, y el indicador publicado usa un solo código.
# Deciden las fechas de ingreso y los cobros; nada se decide en silencio.

# %%
juntos = yl.build_juntos_status(raw)
pd.DataFrame([{"check": one.name, "passed": one.passed, "detail": one.detail} for one in juntos.checks])

# %% [markdown]
# ## How long · Cuánto tiempo

# %%
status = juntos.table.frame
pd.crosstab([status["cohort"], status["round"]], status["exposure_group"].cat.add_categories("?").fillna("?"))

# %% [markdown]
# ## The naive answer and the planted one · La respuesta ingenua y la plantada
#
# Juntos looks for the poor, whose children are shorter and fall behind. Neither the gap of round 3 nor the
# difference of changes since round 1 finds the planted gain in height; adjusting for what was known in round
# 1 comes nearer, and no further than those covariates carry.
#
# Juntos busca a los pobres, cuyos niños son más bajos y se rezagan. Ni la brecha de la ronda 3 ni la
# diferencia de cambios desde la ronda 1 halla el aumento plantado de talla; ajustar por lo que se sabía en la
# ronda 1 se acerca, hasta donde llegan esas covariables.

# %%
exposed = status.query("round == 3 and cohort == 'younger'").set_index("child_id")["months_exposed"]
first = panel.frame.query("round == 1").set_index("child_id")
children = panel.frame.query("round in (1, 3) and cohort == 'younger'")
children = children.assign(
    months=children["child_id"].map(exposed),
    wealth=children["child_id"].map(first["wealth_index"]),
    is_rural=children["child_id"].map(first["area"].eq("rural").astype(float)),
    speaks_native=children["child_id"].map(first["first_language"].ne("spanish").astype(float)),
    height=children["haz"].where(~children["is_haz_flagged"].fillna(value=False).astype(bool)),
)
both = children[children["months"].notna() & children["height"].notna()]
both = both[both.groupby("child_id")["round"].transform("count").eq(2)].assign(
    treated=lambda rows: rows["months"].gt(0).astype(int), child=lambda rows: rows["child_id"]
)
covariates = ("wealth", "is_rural", "speaks_native")
design = {"outcome": "height", "unit": "child", "time": "round", "treatment": "treated"}
gap = je.MeanDifference(outcome="height", treatment="treated").fit(both[both["round"] == 3])
change = je.DoublyRobust(**design).fit(both)
adjusted = je.DoublyRobust(**design, covariates=covariates).fit(both)
planted = truth.effect("haz", cohort="younger", survey_round=3)
rows = [each.tidy().iloc[-1] for each in (gap, change, adjusted)]
table = pd.DataFrame(rows, index=["gap in round 3", "change since round 1", "change, adjusted"])
table[["estimate", "conf_low", "conf_high", "n"]].assign(planted=planted.value)

# %% [markdown]
# ## Siblings: early exposure · Hermanos: exposición temprana
#
# Index children met Juntos from about four years of age on; their younger siblings from birth. The planted
# gain is larger within the first three years of life.
#
# Los niños índice conocieron Juntos desde los cuatro años; sus hermanos menores, desde que nacieron. El
# aumento plantado es mayor en los primeros tres años de vida.

# %%
siblings = yl.clean_siblings(raw, status).frame.query("round == 3")
siblings = siblings.assign(months=siblings["months_exposed"].gt(0))
pd.DataFrame(
    {
        "mean height-for-age": siblings.groupby("months")["haz"].mean(),
        "siblings": siblings.groupby("months")["haz"].count(),
    }
).assign(planted=[0.0, truth.effect("sibling_haz", cohort="younger", survey_round=3).value])
