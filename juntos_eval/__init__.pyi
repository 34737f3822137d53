# Every public name, once: type checkers read these imports as they stand, and __init__.py reads them to
# know where to fetch a name when it is first used. A new public name is one line here.
from juntos_eval.errors import DesignError as DesignError
from juntos_eval.errors import InferenceError as InferenceError
from juntos_eval.errors import JuntosError as JuntosError
from juntos_eval.errors import SchemaError as SchemaError
from juntos_eval.errors import SourceError as SourceError
from juntos_eval.estimate import Check as Check
from juntos_eval.estimate import Estimate as Estimate
from juntos_eval.estimate import Fit as Fit
from juntos_eval.estimate import Sample as Sample
from juntos_eval.estimate import Uncertainty as Uncertainty
from juntos_eval.estimators.did import DoublyRobust as DoublyRobust
from juntos_eval.estimators.did import GroupTime as GroupTime
from juntos_eval.estimators.did import aggregate as aggregate
from juntos_eval.estimators.did import pretrend_test as pretrend_test
from juntos_eval.estimators.iv import ConfidenceSet as ConfidenceSet
from juntos_eval.estimators.iv import TwoStage as TwoStage
from juntos_eval.estimators.iv import anderson_rubin as anderson_rubin
from juntos_eval.estimators.iv import anderson_rubin_set as anderson_rubin_set
from juntos_eval.estimators.iv import endogeneity as endogeneity
from juntos_eval.estimators.iv import first_stage as first_stage
from juntos_eval.estimators.iv import overidentification as overidentification
from juntos_eval.estimators.iv import reduced_form as reduced_form
from juntos_eval.estimators.iv import weak_instruments as weak_instruments
from juntos_eval.estimators.matching import AIPW as AIPW
from juntos_eval.estimators.matching import IPWRA as IPWRA
from juntos_eval.estimators.matching import Matching as Matching
from juntos_eval.estimators.matching import RegressionAdjustment as RegressionAdjustment
from juntos_eval.estimators.matching import Weighting as Weighting
from juntos_eval.estimators.matching import balance as balance
from juntos_eval.estimators.matching import e_value as e_value
from juntos_eval.estimators.matching import overlap as overlap
from juntos_eval.estimators.matching import raw_design as raw_design
from juntos_eval.estimators.matching import rosenbaum_bounds as rosenbaum_bounds
from juntos_eval.estimators.means import Mean as Mean
from juntos_eval.estimators.means import MeanDifference as MeanDifference
from juntos_eval.estimators.panel import Between as Between
from juntos_eval.estimators.panel import FirstDifference as FirstDifference
from juntos_eval.estimators.panel import FixedEffects as FixedEffects
from juntos_eval.estimators.panel import Mundlak as Mundlak
from juntos_eval.estimators.panel import RandomEffects as RandomEffects
from juntos_eval.estimators.panel import hausman as hausman
from juntos_eval.estimators.survey_statistics import Proportion as Proportion
from juntos_eval.estimators.survey_statistics import Quantile as Quantile
from juntos_eval.estimators.survey_statistics import Ratio as Ratio
from juntos_eval.estimators.survey_statistics import Total as Total
from juntos_eval.estimators.survey_statistics import design_effect as design_effect
from juntos_eval.estimators.survey_statistics import proportion_intervals as proportion_intervals
from juntos_eval.inference.abadie_imbens import AbadieImbens as AbadieImbens
from juntos_eval.inference.approximate_randomization import (
    approximate_randomization as approximate_randomization,
)
from juntos_eval.inference.balanced_replication import BalancedReplication as BalancedReplication
from juntos_eval.inference.bootstrap import Bootstrap as Bootstrap
from juntos_eval.inference.bootstrap import SurveyBootstrap as SurveyBootstrap
from juntos_eval.inference.cluster import Cluster as Cluster
from juntos_eval.inference.cluster_checks import cluster_checks as cluster_checks
from juntos_eval.inference.cluster_wald import cluster_wald as cluster_wald
from juntos_eval.inference.conley import Conley as Conley
from juntos_eval.inference.jackknife import Jackknife as Jackknife
from juntos_eval.inference.multiplier_bootstrap import MultiplierBootstrap as MultiplierBootstrap
from juntos_eval.inference.newey_west import DriscollKraay as DriscollKraay
from juntos_eval.inference.newey_west import NeweyWest as NeweyWest
from juntos_eval.inference.replicate_weights import ReplicateWeights as ReplicateWeights
from juntos_eval.inference.robust import Iid as Iid
from juntos_eval.inference.robust import Robust as Robust
from juntos_eval.inference.small_sample import SmallSample as SmallSample
from juntos_eval.inference.survey_design import SurveyDesign as SurveyDesign
from juntos_eval.inference.wild_bootstrap import WildBootstrap as WildBootstrap
from juntos_eval.inference.wild_bootstrap import wild_test as wild_test
from juntos_eval.surveys.synthetic.households import synthetic_households as synthetic_households

__version__: str
PUBLIC_NAMES: dict[str, str]
