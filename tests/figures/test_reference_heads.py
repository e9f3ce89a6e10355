"""The picture of public heads holds the numbers of the table."""

import numpy as np

from superlaw.figures import reference_heads as figure
from superlaw.findings.reference_heads import reference_heads


def test_heads_stand_at_their_width_and_the_line_is_one_over_m():
    line, as_it_is, centred = figure.data(reference_heads()).panels[0].items
    np.testing.assert_allclose(line.x * line.y, 1)
    for head in reference_heads():
        at = next(i for i, names in enumerate(as_it_is.of) if names[0].startswith(f"{head.name}, "))
        assert as_it_is.x[at] == centred.x[at] == head.m
        found = [as_it_is.y[at] * head.m, centred.y[at] * head.m]
        np.testing.assert_allclose(found, [head.excess, head.centred_excess], rtol=1e-12)
    assert {round(y * x, 2) for x, y in zip(as_it_is.x, as_it_is.y, strict=True) if x == 256} == {1.0}


def test_it_is_drawn():
    assert figure.draw(figure.data(reference_heads())).startswith(b"\x89PNG")
