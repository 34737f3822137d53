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
# # ENAHO, from raw files to typed tables · ENAHO, de los archivos crudos a tablas tipadas
#
# **SYNTHETIC DATA** in the first part: households drawn from a statistical model, written in INEI's names,
# formats and codes of each year, with a rollout of Juntos by poverty and planted effects. The last part
# reads INEI's real files where they lie at `../shared/data`, and says so where they do not.
#
# **DATOS SINTÉTICOS** en la primera parte: hogares sorteados de un modelo estadístico, escritos con los
# nombres, formatos y códigos del INEI de cada año, con un despliegue de Juntos según la pobreza y efectos
# plantados. La última parte lee los archivos reales del INEI donde estén, y lo dice donde no.

# %%
import tempfile
from pathlib import Path

import pandas as pd

import juntos_eval as je
from juntos_eval.paths import RawFolder
from juntos_eval.surveys import enaho
from juntos_eval.surveys.enaho.exposure import district_exposure
from juntos_eval.surveys.enaho.juntos_status import cross_check, juntos_sources, juntos_status
from juntos_eval.surveys.enaho.panel import attrition
from juntos_eval.surveys.synthetic import write_history

keep = tempfile.TemporaryDirectory(prefix="synthetic-enaho-")
folder = Path(keep.name)
years = (2004, 2008, 2011, 2012, 2013, 2014, 2015, 2025)
truth = write_history(folder, seed=1, households=3_000, years=years)
raw = RawFolder.at(folder)
sorted(path.name for path in (folder / "enaho" / "2011").iterdir())

# %% [markdown]
# ## A year is a map · Un año es un mapa
#
# Cleaning reads canonical names. What a release calls them, and what its codes mean in that year, stands in
# two tables; what no document names raises an error instead of a guess.
#
# La limpieza lee nombres canónicos. Cómo los llama cada año, y qué significan sus códigos, está en dos
# tablas; lo que ningún documento nombra produce un error, no una conjetura.

# %%
from juntos_eval.surveys.codebook import load_codebook

codebook = load_codebook("enaho")
pd.DataFrame(
    {
        name: dict(codebook.column(table, name).raw)
        for table, name in (
            ("programmes", "has_juntos"),
            ("employment", "juntos_transfer"),
            ("housing", "toilet"),
        )
    }
).reindex(codebook.years)

# %%
pd.DataFrame(
    [
        {"year": year, "code": code.code, "means": code.value}
        for year in (2011, 2012, 2018)
        for code in codebook.codes_of("housing", "toilet", year)
    ]
).pivot_table(index="code", columns="year", values="means", aggfunc="first")

# %%
from juntos_eval.errors import SchemaError

try:
    codebook.columns_of("health", 2022)
except SchemaError as error:
    print(error)

# %% [markdown]
# ## Poverty with its error · La pobreza con su error
#
# A clean table knows how it was drawn: `attrs["design"]` names weight, strata and primary sampling units, and
# `SurveyDesign.of` makes the inference of it. Means, totals and quantiles take it alike.
#
# Una tabla limpia sabe cómo se muestreó: `attrs["design"]` nombra factor, estratos y unidades primarias, y
# `SurveyDesign.of` hace de ello la inferencia. Medias, totales y cuantiles la usan por igual.

# %%
sumaria = {year: enaho.clean_sumaria(raw, year).frame for year in years}
survey = {year: je.SurveyDesign.of(frame, lonely="adjust") for year, frame in sumaria.items()}
poverty = {
    year: je.Mean(outcome="is_poor", weights="person_weight").fit(frame, inference=survey[year]).tidy()
    for year, frame in sumaria.items()
}
pd.concat(poverty).droplevel(1)[["estimate", "std_error", "conf_low", "conf_high"]].round(3)

# %%
asked = {
    "poor persons": je.Total(outcome="is_poor", weights="person_weight"),
    "spending a person and month": je.Quantile(
        outcome="spending_month", probabilities=(0.1, 0.5, 0.9), weights="person_weight"
    ),
}
pd.concat(
    {name: what.fit(sumaria[2015], inference=survey[2015]).tidy() for name, what in asked.items()}
).droplevel(1)[["term", "estimate", "std_error"]].round(1)

# %% [markdown]
# ## Children: school and work · Niños: escuela y trabajo
#
# Attendance, grade for age, and child labour by the ILO's thresholds of age and hours (hours from 2012).

# %%
education = enaho.clean_education(raw, 2013).frame
pupils = education[education["age_years"].between(6, 17)]
pupils.groupby("is_rural")[["is_attending", "is_over_age"]].mean().astype(float).round(3)

# %%
work = enaho.clean_child_work(raw, 2013).frame
by_age = pd.cut(work["age_years"], [4, 11, 14, 17], labels=["5-11", "12-14", "15-17"])
work.groupby(by_age, observed=True)[["is_working", "is_child_labour", "work_hours"]].mean().astype(
    float
).round(3)

# %% [markdown]
# ## Who has Juntos depends on who is asked · Quién tiene Juntos depende de a quién se pregunta

# %%
juntos_sources(2013)[["source", "level", "period_en", "definition_en"]]

# %%
status = juntos_status(
    2013,
    sumaria=sumaria[2013],
    employment=enaho.clean_employment(raw, 2013).frame,
    programmes=enaho.clean_programmes(raw, 2013).frame,
)
cross_check(status, sumaria[2013].set_index("household_id")["household_weight"]).round(3)

# %% [markdown]
# ## Months of exposure · Meses de exposición
#
# A rollout table (here the invented one that was planted) dates each district's entry; what it dates only to
# the year gives bounds, and a district that is not in it is unknown, not "never".

# %%
exposure = district_exposure(sumaria[2013], folder / "synthetic_rollout.csv")
sumaria[2013].assign(
    exposure=pd.cut(exposure["months_of_exposure"], [-1, 0, 24, 60, 120]).astype(object).fillna("unknown")
).groupby("exposure").agg(
    households=("household_id", "size"), has_juntos=("has_juntos_income", "mean")
).round(3)

# %% [markdown]
# ## The panel and who is lost · El panel y quién se pierde
#
# A third of the clusters is visited five years in a row. Keys drift: `conglome` has four digits to 2011.

# %%
seen = pd.concat([sumaria[year][["household_id", "year"]] for year in (2012, 2013, 2014, 2015)])
attrition(seen.rename(columns={"household_id": "unit"})).query("entered == 2012").round(3)

# %%
from juntos_eval.surveys.read import read_raw

files = {year: folder / "enaho" / str(year) / f"sumaria-{year}.dta" for year in (2011, 2012)}
{year: read_raw(path).frame["conglome"].str.len().max() for year, path in files.items()}

# %% [markdown]
# ## The naive answer and the planted one · La respuesta ingenua y la plantada
#
# Poverty brings Juntos, and keeps children from school and at work.

# %%
pd.DataFrame(truth.effects).query("year in (2008, 2013, 2025)").round(3)

# %% [markdown]
# ## INEI's real files · Los archivos reales del INEI

# %%
shared = next((p for p in (Path("../shared/data"), Path("../../shared/data")) if p.is_dir()), None)
if shared is None:
    print("No real files at ../shared/data: this part is skipped. Sin archivos reales: se omite esta parte.")
else:
    place = (shared / "peru" / "enaho").resolve()
    text = [f"[enaho.{year}]\nsumaria = '{place}/sumaria/sumaria-{year}.dta'" for year in range(2015, 2021)]
    (folder / "real.toml").write_text("\n".join(text), encoding="utf-8")
    real = {y: enaho.clean_sumaria(RawFolder.at(folder / "real.toml"), y).frame for y in range(2015, 2021)}
    # the extracts lack the domain: strata are the size of place
    by_size = je.SurveyDesign(strata="estrato", psu="psu")
    rates = {
        y: je.Mean(outcome="is_poor", weights="person_weight").fit(f, inference=by_size)
        for y, f in real.items()
    }
    print(
        (
            100 * pd.concat({y: e.tidy() for y, e in rates.items()}).droplevel(1)[["estimate", "std_error"]]
        ).round(2)
    )

# %%
keep.cleanup()
