# The public interface: every name and where it lives. superlaw/__init__.py loads it lazily from here, editors read it.
# fmt: off

# toy lab: a spec becomes a run
from .toy.spec import RunSpec as RunSpec
from .toy.frequencies import NamedFrequencies as NamedFrequencies, frequencies_of as frequencies_of
from .toy.run import Run as Run, load_run as load_run
from .toy.train import train as train
from .toy.measures import Measures as Measures, measure_run as measure_run, represented_fraction as represented_fraction
from .toy.evaluate import Evaluation as Evaluation, SampleMean as SampleMean, evaluate as evaluate
from .toy.history import LossHistory as LossHistory, loss_history as loss_history
from .toy.recovery import relative_errors as relative_errors

# sweeps: a plan becomes runs in a store, and one table of them
from .sweeps.plan import Plan as Plan, load_plan as load_plan
from .sweeps.sweep import Sweep as Sweep, sweep as sweep
from .sweeps.execute import Tally as Tally
from .sweeps.store import Store as Store
from .sweeps.table import gather as gather

# what runs, tables and heads say
from .findings.exponents import Exponent as Exponent, exponents as exponents
from .findings.best_shape import BestShape as BestShape, best_shape as best_shape
from .findings.capacity_map import CapacityMap as CapacityMap
from .findings.figure_comparison import ComparedPoint as ComparedPoint, FigureComparison as FigureComparison
from .findings.head_verdict import HeadVerdict as HeadVerdict, judge_head as judge_head
from .findings.verdicts import Claim as Claim
from .findings.width_depth import WidthDepthLaw as WidthDepthLaw
from .findings.width_laws import TwiceTheWidth as TwiceTheWidth, twice_the_width as twice_the_width
from .studies.capacity import measure_capacity as measure_capacity
from .studies.shape import ShapeComparison as ShapeComparison, compare_shapes as compare_shapes
from .studies.figure import Drawn as Drawn, figure as figure
from .studies.report import Report as Report, write_report as write_report
from .studies.reproduce import Reproduction as Reproduction, reproduce as reproduce

# law lab: a table and a law become a fit
from .laws.tables import load_table as load_table
from .laws.look import look as look
from .laws.seen import Look as Look
from .laws.published import fetch_table as fetch_table, load_published as load_published
from .laws.fit import fit_law as fit_law
from .laws.result import Fit as Fit, PredictedLoss as PredictedLoss, load_fit as load_fit
from .laws.estimate import Estimate as Estimate
from .laws.certificate import Certificate as Certificate
from .laws.objective import Objective as Objective
from .laws.law import Law as Law
from .laws.known import Known as Known
from .laws.separate import SeparateLaw as SeparateLaw
from .laws.difference import Saving as Saving, saving as saving
from .laws.forms.additive import AdditiveLaw as AdditiveLaw
from .laws.forms.along_run import AlongRunLaw as AlongRunLaw
from .laws.forms.broken import BrokenPowerLaw as BrokenPowerLaw
from .laws.forms.chinchilla import Chinchilla as Chinchilla
from .laws.forms.coupled import CoupledLaw as CoupledLaw
from .laws.forms.data_constrained import DataConstrained as DataConstrained
from .laws.forms.grouped import GroupedPowerLaw as GroupedPowerLaw
from .laws.forms.kaplan import Kaplan as Kaplan
from .laws.forms.learning_rate import LearningRateLaw as LearningRateLaw
from .laws.forms.power import PowerLaw as PowerLaw
from .laws.forms.shifted import ShiftedLaw as ShiftedLaw
from .laws.forms.vocabulary import VocabularyLaw as VocabularyLaw
from .laws.function import FunctionLaw as FunctionLaw
from .laws.compare import LawComparison as LawComparison, compare_laws as compare_laws
from .laws.sensitivity import Sensitivity as Sensitivity, sensitivity as sensitivity
from .laws.optimum import Optimum as Optimum, Triple as Triple, optimum as optimum
from .laws.required import Requirement as Requirement, required_size as required_size, requirement as requirement
from .laws.frontier import Frontier as Frontier, frontier as frontier
from .laws.predict import PredictedPoint as PredictedPoint, Predictions as Predictions, predict_losses as predict_losses
from .laws.reach import Reach as Reach
from .laws.backtest import Backtest as Backtest, backtest as backtest
from .laws.next_runs import NextRuns as NextRuns, next_runs as next_runs
from .laws.gain import Gain as Gain, gain as gain
from .laws.isoflop import IsoFlop as IsoFlop, isoflop as isoflop
from .laws.replicates import Replicates as Replicates, replicates as replicates
from .laws.profile_curve import ProfileCurve as ProfileCurve, profile_curve as profile_curve
from .figures.panels import Picture as Picture
from .figures.law_plots import law_picture as law_picture, plot_law as plot_law
from .figures.run import plot_run as plot_run
from .laws.slope import Slope as Slope, fit_slope as fit_slope

# language-model lab: a checkpoint becomes numbers
from .lm.head import Head as Head, load_head as load_head, load_raw as load_raw
from .lm.measure import HeadMeasures as HeadMeasures, measure_head as measure_head
from .lm.corpora import Corpus as Corpus
from .lm.tokens import TokenCounts as TokenCounts, count_tokens as count_tokens, load_tokenizer as load_tokenizer
from .lm.zipf import ZipfFit as ZipfFit, fit_zipf as fit_zipf
from .lm.loss_table import Loss as Loss, LossOptions as LossOptions
from .lm.loss import measure_losses as measure_losses
from .lm.families import FamilyModel as FamilyModel, load_family as load_family

# geometry and theory: arrays and parameters in, numbers out
from .geometry.frames import RandomComparison as RandomComparison, compare_with_random as compare_with_random
from .geometry.groups import (
    GroupOverlaps as GroupOverlaps,
    overlaps_by_norm as overlaps_by_norm,
    overlaps_by_rank as overlaps_by_rank,
)
from .geometry.spectrum import dimensionality as dimensionality, participation_ratio as participation_ratio
from .theory.best_frames import BestFrame as BestFrame, best_frame as best_frame
from .theory.packing import (
    OverlapBounds as OverlapBounds,
    PackingBounds as PackingBounds,
    overlap_bounds as overlap_bounds,
    packing_bounds as packing_bounds,
)
from .theory.regimes import PredictedExponents as PredictedExponents, predicted_exponents as predicted_exponents
from .theory.rivals import Rival as Rival, rivals as rivals
from .theory.sensing import (
    RequiredActivity as RequiredActivity,
    SensingCapacity as SensingCapacity,
    required_activity as required_activity,
    sensing_capacity as sensing_capacity,
)
from .theory.shape import Architecture as Architecture, Shape as Shape
from .theory.weak import unlearned_losses as unlearned_losses

from .errors import DamagedFileError as DamagedFileError, InputError as InputError, SuperlawError as SuperlawError

__version__: str
