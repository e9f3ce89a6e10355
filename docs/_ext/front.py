"""The picture of the front page and of the README: two ways to keep five things, and what they do to the loss.

``python docs/_ext/front.py`` draws docs/images/front.png; ``--train`` trains the two small models anew before, and
writes docs/runs/toy-rows.csv.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import superlaw
from superlaw.figures.demo import data as demo_picture
from superlaw.figures.panels import Arrows, Line, Marks, Panel, Picture
from superlaw.studies.demo import ALPHA, FEATURES, REGIMES, STEPS
from superlaw.studies.samples import HERE as SAMPLE
from superlaw.theory.weak import unlearned_loss

DOCS = Path(__file__).parents[1]
ROWS = DOCS / "runs" / "toy-rows.csv"
SAID = {"weak": "Weak: two things are kept, three are dropped", "strong": "Strong: five things share two dimensions"}
CHANGED = "The loss of larger models of the two kinds"


def demo() -> Picture:
    """The figure of ``superlaw demo``, from the table of its 12 runs."""
    runs = superlaw.gather(SAMPLE / "toy-runs.csv")
    tables = {name: runs[runs["weight_decay"] == gamma].sort_values("width") for name, gamma in REGIMES.items()}
    p = superlaw.RunSpec(n_features=FEATURES, data_exponent=ALPHA).probabilities
    at_width = np.array([unlearned_loss(p, m) for m in tables["weak"]["width"]])
    title = f"{len(runs)} models of {FEATURES} features; {STEPS} steps, seed 0"
    return demo_picture(title, tables, at_width)


def front() -> Picture:
    """Rows of the two smallest models as arrows, and the losses of the demo's 12, in words."""
    rows = pd.read_csv(ROWS, dtype={"feature": str}, keep_default_na=False)
    panels = []
    for name, said in SAID.items():
        mine = rows[rows["model"] == name]
        arrows = Arrows(mine[["x", "y"]].to_numpy(), tuple(mine["feature"]), name)
        panels.append(Panel("", "", (arrows,), said))
    losses = demo().panels[0]
    kept = []
    for item in losses.items:
        if isinstance(item, Marks) and item.color in SAID:
            kept.append(replace(item, label=f"{item.color} superposition"))
        elif isinstance(item, Line) and (item.label is None or "1/m" in item.label):
            kept.append(replace(item, label=item.label and "1 / width"))
    panels.append(replace(losses, xlabel="width of the model", ylabel="loss", items=tuple(kept), title=CHANGED,
                          legend="lower left"))  # fmt: skip
    note = ("Trained with superlaw: five features in two dimensions (left), 1000 features in 10 to 100 (right; "
            "superlaw demo).")  # fmt: skip
    return Picture("front", "Many things, few dimensions", tuple(panels), 3, (note,), panel=(3.6, 3.2))


def train_rows() -> pd.DataFrame:
    """The rows of the two models of ``superlaw figure toy`` in two dimensions."""
    from superlaw.figures import toy
    from superlaw.toy.train import make_engine

    picture = toy.data(list(make_engine("fused").train(toy.specs())))
    found = []
    for panel in picture.panels:
        (item,) = panel.items if len(panel.items) == 1 else (None,)
        if isinstance(item, Arrows) and item.tips.shape[1] == 2:
            name = "weak" if "weak" in panel.title else "strong"
            found += [
                {"model": name, "feature": label, "x": tip[0], "y": tip[1]}
                for label, tip in zip(item.labels, item.tips, strict=True)
            ]
    return pd.DataFrame(found)


if __name__ == "__main__":
    if "--train" in sys.argv:
        train_rows().to_csv(ROWS, index=False, float_format="%.6g")
    from superlaw.figures.paint import draw

    (DOCS / "images" / "front.png").write_bytes(draw(front(), "png"))
