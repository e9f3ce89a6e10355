"""superlaw demo: the paper's central result, trained live."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superlaw.cli.options import JsonOption, OverwriteOption, WorkersOption, typed

if TYPE_CHECKING:
    from superlaw.studies.demo import Demo


def demo(
    text: Annotated[Path | None, typer.Option(help="A text: its most frequent words become the features.")] = None,
    n_features: Annotated[int | None, typer.Option(help="Number of features [1000].")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps of each model [4000].")] = None,
    workers: WorkersOption = None,
    seed: Annotated[int, typer.Option(help="Of every model.")] = 0,
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for the runs and demo.png.")] = Path("demo"),
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train weak and strong superposition at six widths, print and draw what is seen."""
    from superlaw.cli.output import print_json, tally_bar
    from superlaw.studies import demo as study

    steps = study.STEPS if steps is None else steps
    with tally_bar("demo", "models", silent=as_json) as report:
        result = study.demo(text, n_features, steps, workers, out, seed, report, overwrite=overwrite, command=typed())
    if as_json:
        print_json(_record(result))
    else:
        _print(result)


def _record(result: Demo) -> dict[str, Any]:
    from superlaw.report.page import REPORT

    regimes = {}
    for name, r in result.regimes.items():
        found = r.exponent
        shown = ("loss", "loss_std", "represented_fraction", "mean_square_overlap", "unlearned_loss")
        regimes[name] = {
            "weight_decay": r.weight_decay,
            "width": r.widths,
            **{column: r.column(column) for column in shown},
            "slope": found.exponent if found else None,
            "slope_stderr": found.stderr if found else None,
            "widths_on_line": found.widths if found else (),
            "diverged": r.widths[r.runs["status"] == "diverged"],
        }
    return {
        "source": result.source, "steps": result.steps, "seed": result.seed, "regimes": regimes,
        "unlearned_loss_at_width": result.unlearned_at_width, "trained": result.trained,
        "stored": result.stored, "folder": result.folder, "figure": result.folder / "demo.png",
        "report": result.folder / REPORT,
        "sentences": result.sentences,
    }  # fmt: skip


def _print(result: Demo) -> None:
    from superlaw.cli.output import number, print_table
    from superlaw.files.numbers import with_error
    from superlaw.report.page import REPORT

    weak, strong = result.regimes["weak"], result.regimes["strong"]
    print(f"Features: {result.source}. {result.steps} steps, seed {result.seed}.")
    if result.stored:
        print(f"{result.stored} of {result.stored + result.trained} runs were already in {result.folder}.")
    print()
    rows = []
    for name, r in result.regimes.items():
        for i, m in enumerate(r.widths):
            run = r.runs.iloc[i]
            rows.append([name if i == 0 else "", str(m), with_error(run["loss"], run["loss_std"]),
                         number(run["represented_fraction"], 3), number(run["mean_square_overlap"], 3),
                         number(1 / m, 3), number(result.unlearned_at_width[i])])  # fmt: skip
    print_table(["superposition", "width m", "loss", "phi_1/2", "overlap^2", "1/m", "sum i>m"], rows)
    print()
    print(f"exponent (loss ~ 1/m^exponent): weak {weak.exponent or '-'} (theory: that of the sum), "
          f"strong {strong.exponent or '-'} (geometry: 1)")  # fmt: skip
    print()
    for sentence in result.sentences:
        print(sentence)
    print()
    print(f"Report: {result.folder / REPORT}\nFigure: {result.folder / 'demo.png'}")
