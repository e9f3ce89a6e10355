"""A random-effects mean is what other programs print, and covers."""

import numpy as np
import pytest

from superlaw.errors import InputError
from superlaw.findings.pooled import pooled_mean

# fmt: off
# Thirteen trials of the BCG vaccine (Colditz et al. 1994): log risk ratios and their variances, to four decimals.
RATIOS = [-0.8893, -1.5854, -1.3481, -1.4416, -0.2175, -0.7861, -1.6209, 0.0120,
          -0.4694, -1.3713, -0.3394, 0.4459, -0.0173]
VARIANCES = [0.3256, 0.1946, 0.4154, 0.0200, 0.0512, 0.0069, 0.2230, 0.0040,
             0.0564, 0.0730, 0.0124, 0.5325, 0.0714]
# fmt: on


def test_the_vaccine_trials_are_pooled_as_by_statsmodels():
    """statsmodels 0.14, combine_effects(method_re="iterated", use_t=True): the same estimator by other code."""
    found = pooled_mean(RATIOS, np.sqrt(VARIANCES))
    assert found.spread**2 == pytest.approx(0.3180824398739576, rel=1e-8)
    assert (found.mean, found.stderr) == pytest.approx((-0.7149703054400063, 0.18089453337123543), rel=1e-8)
    assert (found.low, found.high) == pytest.approx((-1.10910564, -0.32083498), rel=1e-7)
    assert found.inconsistency == pytest.approx(0.9209563850498803, rel=1e-9)


def test_studies_that_agree_have_no_spread_and_are_not_made_more_certain_for_it():
    found = pooled_mean([1.0, 1.0, 1.0, 1.0], [0.2, 0.2, 0.2, 0.2])
    assert found.spread == 0 and found.inconsistency == 0 and found.heterogeneity_p == 1
    assert found.stderr == pytest.approx(0.1)


def test_the_interval_of_few_differing_studies_covers():
    """2,000 meta-analyses of five studies, true spread 0.3: 95 % within 5 standard errors (false alarm 6e-7)."""
    rng = np.random.default_rng(0)
    errors = np.array([0.05, 0.1, 0.2, 0.3, 0.1])
    inside = 0
    for _ in range(2000):
        found = pooled_mean(1 + 0.3 * rng.normal(size=5) + errors * rng.normal(size=5), errors)
        inside += found.low <= 1 <= found.high
    assert inside / 2000 == pytest.approx(0.95, abs=5 * np.sqrt(0.95 * 0.05 / 2000))


@pytest.mark.parametrize("values, errors", [([1.0], [0.1]), ([1.0, 2.0], [0.1, 0.0]), ([1.0, np.nan], [0.1, 0.1])])
def test_what_cannot_be_pooled_is_refused(values, errors):
    with pytest.raises(InputError):
        pooled_mean(values, errors)
