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
# # A first estimate in ten lines · Una primera estimación en diez líneas
#
# **SYNTHETIC DATA.** The households below are drawn from a statistical model, in the form of INEI's ENAHO
# 2025, with a planted
# effect of Juntos on child work. Nothing about Peru can be learnt from them; whether an estimator finds
# what was planted can.
#
# **DATOS SINTÉTICOS.** Los hogares de abajo se sortean de un modelo estadístico, con la forma de la ENAHO
# 2025 del INEI y un
# efecto plantado de Juntos sobre el trabajo infantil. No dicen nada sobre el Perú; sí dicen si un
# estimador halla lo plantado.

# %%
import juntos_eval as je

households, truth = je.synthetic_households(2025, seed=1, households=6_000)
sample = households[households.has_juntos.notna() & (households.children_5_17 > 0)]
sample = sample.assign(
    has_juntos=sample.has_juntos.astype(int), weight=sample.household_weight * sample.children_5_17
)
survey = je.SurveyDesign.of(households, strata="stratum", psu="psu", lonely="adjust")
covariates = (
    "members_0_5",
    "members_6_11",
    "members_12_18",
    "members_19_64",
    "head_age_years",
    "head_sex",
    "dominio",
    "estrato",
    "poverty_rate",
    "extreme_poverty_rate",
)

# %% [markdown]
# ## The gap is no effect · La brecha no es un efecto
#
# Children of Juntos households work more: the programme looks for the poor. The planted effect has the
# other sign.
#
# Los niños de hogares Juntos trabajan más, porque el programa busca a los pobres. El efecto plantado
# tiene el otro signo.

# %%
gap = je.MeanDifference(outcome="working_share_5_17", treatment="has_juntos", weights="weight").fit(
    sample, inference=survey
)
gap

# %%
truth.effect("working_share_5_17", 2025).value

# %% [markdown]
# ## Adjusted · Ajustado
#
# Augmented inverse-probability weighting: right if either the score or the outcome model is. The checks
# are printed below the number.
#
# Ponderación por probabilidad inversa aumentada: es correcta si lo es el modelo del puntaje o el del
# resultado. Las
# verificaciones se muestran debajo del número.

# %%
aipw = je.AIPW(
    outcome="working_share_5_17",
    treatment="has_juntos",
    covariates=covariates,
    estimand="att",
    weights="weight",
)
effect = aipw.fit(sample, inference=survey)
effect

# %% [markdown]
# Another inference is a choice, not another estimate · Otra inferencia es una elección, no otra estimación:

# %%
effect = aipw.fit(sample, inference=survey, carry=("psu",))
effect.with_inference(je.Cluster("psu")).tidy()

# %% [markdown]
# ## Do the arms look alike? · ¿Se parecen los grupos?

# %%
je.balance(aipw.design(sample))

# %% [markdown]
# ## Matching · Emparejamiento
#
# Five nearest neighbours on the linear score within a caliper, sharing by their own sampling weights.
#
# Cinco vecinos más cercanos en el puntaje lineal dentro de un calibre, con peso según sus factores de
# expansión.

# %%
matching = je.Matching(
    outcome="working_share_5_17",
    treatment="has_juntos",
    covariates=covariates,
    distance="linear_logit",
    ratio=5,
    replace=True,
    caliper=0.2,
    weights="weight",
    weight_matches="share",
)
matching.fit(sample, inference=survey)

# %% [markdown]
# ## Side by side, with what was planted · Lado a lado, con lo plantado

# %%
import pandas as pd

rows = {"raw gap": gap, "AIPW": effect, "1:5 matching": matching.fit(sample, inference=survey)}
table = pd.concat({name: estimate.tidy() for name, estimate in rows.items()}).droplevel(1)
table["planted"] = truth.effect("working_share_5_17", 2025).value
table[["estimate", "std_error", "conf_low", "conf_high", "planted", "inference"]]

# %% [markdown]
# ## Held against other libraries · Comparado con otras bibliotecas
#
# The same score by `statsmodels`, the nearest neighbours by `scikit-learn`, the raw gap by a weighted
# regression in `linearmodels`.
#
# El mismo puntaje con `statsmodels`, los vecinos más cercanos con `scikit-learn`, la brecha con una
# regresión ponderada en
# `linearmodels`.

# %%
import numpy as np
import statsmodels.api as sm
from linearmodels.iv import IV2SLS
from sklearn.neighbors import NearestNeighbors

plain = je.Matching(
    treatment="has_juntos", covariates=covariates, distance="linear_logit", replace=True
).design(sample)
logit = sm.GLM(plain.treated.astype(float), plain.score.design, family=sm.families.Binomial()).fit(tol=1e-12)
linear, treated = plain.score.linear, plain.treated
to_nearest, _ = NearestNeighbors(n_neighbors=1).fit(linear[~treated, None]).kneighbors(linear[treated, None])
pairs = plain.pairs()
ours = (
    pd.Series(np.abs(linear[pairs["target"]] - linear[pairs["match"]]))
    .groupby(pairs["target"].to_numpy())
    .min()
)
regression = IV2SLS(
    sample["working_share_5_17"], sm.add_constant(sample["has_juntos"]), None, None, weights=sample["weight"]
).fit()
pd.Series(
    {
        "largest difference of score coefficients, statsmodels": np.abs(
            logit.params - plain.score.coefficients
        ).max(),
        "largest difference of distances, scikit-learn": np.abs(ours.to_numpy() - to_nearest.ravel()).max(),
        "difference of the raw gap, linearmodels": regression.params["has_juntos"] - gap.values[0],
    }
)
