"""No spoilt input makes superlaw fall over, hang, eat memory, run code or leave half a file.

A failure names its case, FORMAT:SEED; ``python tests/attack/campaign.py --repeat FORMAT:SEED`` runs it again.
"""

from __future__ import annotations

import os
import shutil
from collections import Counter
from queue import Queue
from random import Random

import pytest
from campaign import campaign, shares
from expressions import HANDWRITTEN
from formats import FORMATS
from harness import judge

SLICE = 3  # cases of each format in CI, times the format's weight
SEED = int(os.environ.get("ATTACK_SEED", 0))
COUNT = int(os.environ.get("ATTACK_COUNT", 10_000))
HEAVY = ("study",)  # each case imports a model library and runs a model
USES = (1, 10, 0)  # seeds that make --where of a fit, --let of a fit, --where of a figure
PAIRS = [
    pytest.param(name, i, marks=[pytest.mark.slow] if i > 1 or name in HEAVY else [])
    for name, one in FORMATS.items()
    if name != "typed"
    for i in range(len(one.every_command))
]


@pytest.mark.parametrize(("name", "i"), PAIRS, ids=lambda v: str(v))
def test_the_good_example_is_accepted_by_every_command_that_is_attacked(attack, warm, tmp_path, name, i):
    """Or else the attack would be blunt: everything refused at the first look."""
    one = FORMATS[name]
    shutil.copytree(attack.example(name), tmp_path / "good", symlinks=True)
    case = one.command(one.good(one.every_command[i], tmp_path / "good"), tmp_path / "good")
    found = warm.run(case)
    assert found.code in (0, *one.codes) and not judge(case, found), f"{' '.join(case.arguments)}: {found.err[-1500:]}"


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in HEAVY])
def test_a_slice_of_spoilt_inputs(attack, warm, name):
    bad = []
    for seed in range(SEED, SEED + SLICE * FORMATS[name].weight):
        _, found, faults = attack.run(warm, name, seed)
        bad += [f"{name}:{seed}: {faults}: {found.err[-300:]}"] if faults else []
    assert not bad, "\n".join(bad)


def expressions_hold(attack, warm, folder, chosen, uses) -> None:
    """Each expression, as --where of a fit, as --let, or as --where of a figure, is a value or one line."""
    one, bad = FORMATS["expression"], []
    for i in chosen:
        for use in uses(i):
            case = one.of(HANDWRITTEN[i], attack.example("expression"), folder / f"{i}-{use}", Random(use))
            found = warm.run(case)
            faults = judge(case, found)
            bad += [f"{[a[:80] for a in case.arguments[-2:]]}: {faults}"] if faults else []
    assert not bad, "\n".join(bad)


@pytest.mark.parametrize("part", range(4))
def test_handwritten_expressions_are_values_or_one_line(attack, warm, tmp_path, part):
    chosen = range(part, len(HANDWRITTEN), 12)
    expressions_hold(attack, warm, tmp_path, chosen, lambda i: (USES[i % 3],))


@pytest.mark.slow
def test_every_handwritten_expression_in_every_use_is_a_value_or_one_line(attack, warm, tmp_path):
    expressions_hold(attack, warm, tmp_path, range(len(HANDWRITTEN)), lambda i: USES)


@pytest.mark.slow
def test_ten_thousand_spoilt_inputs(attack):
    todo: Queue = Queue()
    for name, count in shares(COUNT, []).items():
        for seed in range(SEED, SEED + count):
            todo.put((name, seed))
    bad, counts = [], Counter()
    for name, seed, _, _, faults in campaign(attack, todo, processes=2):
        counts[name] += 1
        bad += [f"{name}:{seed}: {faults}"] if faults else []
    assert counts.total() >= COUNT - len(FORMATS)
    assert not bad, f"{len(bad)} of {counts.total()} cases:\n" + "\n".join(bad[:50])
