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
# # ENDES: from recode files to growth, violence and prenatal care · De los archivos a los indicadores
#
# **SYNTHETIC DATA** unless a cell says otherwise. The files below carry INEI's names, formats and codes, and
# no record of a real household; districts and their years of entry into Juntos are invented.
#
# **DATOS SINTÉTICOS** salvo que una celda diga lo contrario. Los archivos llevan los nombres, formatos y
# códigos del INEI, y ningún registro de un hogar real; los distritos y sus años de ingreso son inventados.

# %%
import tempfile
from pathlib import Path

import pandas as pd

import juntos_eval as je
from juntos_eval.paths import RawFolder
from juntos_eval.surveys import endes
from juntos_eval.surveys.growth import anaemia_level, growth_scores, haemoglobin_adjustment
from juntos_eval.surveys.synthetic.endes import endes_frame, write_synthetic_endes

# %% [markdown]
# ## A raw folder of any year · Una carpeta de cualquier año
#
# SPSS to 2019, CSV in 2020, Stata from 2021 on, as INEI publishes them.
#
# SPSS hasta 2019, CSV en 2020, Stata desde 2021, como publica el INEI.

# %%
years = (2004, 2009, 2015, 2019)
folder = Path(tempfile.mkdtemp(prefix="synthetic-endes-"))
truth = write_synthetic_endes(folder, seed=20, households=5_000, years=years)
sorted(path.name for path in (folder / "endes" / "2019").iterdir())

# %% [markdown]
# ## Clean tables · Tablas limpias
#
# One call a table. Every row carries its stratum, cluster and weight; the provenance says which files it
# came from, what was dropped, and where the answer on Juntos is from, or why there is none.
#
# Una llamada por tabla. Cada fila lleva su estrato, conglomerado y factor; la procedencia dice de qué
# archivos viene, qué se descartó y de dónde sale la respuesta sobre Juntos, o por qué no la hay.

# %%
raw = RawFolder.at(folder)
homes = {year: endes.clean_households(raw, year) for year in years}
children = {year: endes.clean_children(raw, year, households=homes[year]) for year in years}
pd.DataFrame(
    {
        year: {
            "households": len(homes[year].frame),
            "not interviewed": sum(homes[year].provenance.dropped.values()),
            "children measured": len(children[year].frame),
            "Juntos": homes[year].provenance.details["juntos"],
        }
        for year in years
    }
).T

# %% [markdown]
# ## Stunting with its design · Desnutrición crónica con su diseño muestral

# %%
rows = {}
for year, table in children.items():
    measured = table.frame[table.frame["is_stunted"].notna()]
    # strata, clusters and weight are those that the table names itself
    design = je.SurveyDesign.of(table.frame, lonely="adjust")
    weight = table.frame.attrs["design"]["weight"]
    rows[year] = je.Mean(outcome="is_stunted", weights=weight).fit(measured, inference=design).tidy()
pd.concat(rows).droplevel(1)[["estimate", "std_error", "conf_low", "conf_high", "n"]]

# %% [markdown]
# ## Scores from raw measurements · Puntajes a partir de las mediciones
#
# Height, weight, age and sex by WHO's tables. WHO documents this boy: -5.04, and a body mass index flagged
# at 5.03.
#
# Talla, peso, edad y sexo con las tablas de la OMS. La OMS documenta a este niño.

# %%
boy = growth_scores(age_days=[100 * 30.4375], is_female=[0], weight_kg=[30], height_cm=[100])
boy.haz.z.round(2), boy.baz.z.round(2), boy.baz.is_flagged

# %% [markdown]
# ## Anaemia depends on the rule · La anemia depende de la regla
#
# 11.5 g/dl at 3,200 m, one year old, by the rule in force until 2024 and by that of 2024.
#
# 11,5 g/dl a 3 200 m, un año de edad, con la regla vigente hasta 2024 y con la de 2024.

# %%
{
    rule: (
        (11.5 - haemoglobin_adjustment([3200.0], rule=rule)).round(2).item(),
        anaemia_level(11.5 - haemoglobin_adjustment([3200.0], rule=rule), age_months=[12], rule=rule).item(),
    )
    for rule in ("who_1968", "who_2024")
}

# %% [markdown]
# ## Violence by the partner · Violencia de la pareja
#
# Last 12 months: often or sometimes. Women are counted if ever partnered, selected and interviewed in
# private; the weight is that of the module.
#
# Últimos 12 meses: frecuentemente o algunas veces. Se cuentan mujeres alguna vez unidas, seleccionadas y
# entrevistadas en privado; el factor es el del módulo.

# %%
violence = {year: endes.clean_violence(raw, year, households=homes[year]) for year in years}
asked = pd.concat([table.frame[table.frame["is_in_sample"]] for table in violence.values()])
outcome = "has_physical_violence_last_12_months"
by_year = je.Mean(outcome=outcome, by="year", weights="violence_weight").fit(asked)
by_year.tidy()[["group", "estimate", "n"]]

# %% [markdown]
# ## What was planted, and what a naive reader finds · Lo plantado y lo que halla un lector ingenuo
#
# Affiliated households are poorer: the raw gap shows too little of the effect, or has the wrong sign.
#
# Los hogares afiliados son más pobres: la brecha cruda muestra de menos, o tiene el signo contrario.

# %%
planted = [
    truth.effect(name, 2019)
    for name in (outcome, "has_often_drunk_partner", "haz", "is_stunted", "prenatal_checks")
]
pd.DataFrame({one.outcome: {"planted": one.value, "naive gap": one.naive_gap} for one in planted}).T

# %% [markdown]
# ## The rollout by districts · El ingreso por distritos
#
# Eligible children (the two poorest quintiles) by their district's year of entry, against districts that
# never enter: group-time effects of repeated cross-sections, beside the planted intention to treat.
#
# Niñas y niños elegibles según el año de ingreso de su distrito, frente a distritos que nunca ingresan.

# %%
entry = endes_frame(seed=20).districts.set_index("ubigeo")["first_treated"]
pooled = pd.concat([table.frame for table in children.values()], ignore_index=True)
pooled = pooled.assign(first_treated=pooled["ubigeo"].map(entry), district=pooled["ubigeo"])
eligible = pooled[pooled["wealth_quintile"].isin(["poorest", "poorer"]) & pooled["haz"].notna()]
design = je.GroupTime(
    outcome="haz", time="year", first_treated="first_treated", panel=False, weights="child_weight"
)
cells = design.fit(eligible, inference=je.Cluster("district")).tidy()
itt = {
    (effect.first_treated, effect.year): effect.value
    for effect in truth.effects
    if (effect.outcome, effect.estimand) == ("haz", "itt")
}
cells["planted"] = [itt.get((g, t), 0.0) for g, t in zip(cells["group"], cells["time"], strict=True)]
cells[["group", "time", "estimate", "std_error", "planted"]].round(3)

# %% [markdown]
# ## Real files, where there are any · Archivos reales, donde los hay
#
# `../../shared/data` holds a subset of ENDES 2020 where the tests' data lie; elsewhere this cell says so.
# Stunting of under-fives must come out at 12.1 %.
#
# Donde están los datos de las pruebas, la desnutrición crónica de 2020 debe dar 12,1 %.

# %%
places = [Path(up) / "shared" / "data" / "peru" for up in ("..", "../..")]
real = next((place for place in places if (place / "endes" / "2020").is_dir()), None)
if real is None:
    print("no real ENDES files here: nothing to show")
else:
    table = endes.clean_children(RawFolder.at(real), 2020)
    measured = table.frame[table.frame["is_stunted"].notna()]
    design = je.SurveyDesign.of(measured, strata="stratum", psu="psu", lonely="adjust")
    found = je.Mean(outcome="is_stunted", weights="child_weight").fit(measured, inference=design)
    print(found.tidy()[["estimate", "std_error", "n"]].round(4).to_string())
