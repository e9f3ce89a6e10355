"""superlaw evaluate: a stored run on fresh samples."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from superlaw.cli.options import JsonOption, OverwriteOption
from superlaw.errors import InputError
from superlaw.files.outputs import check_apart, check_output, write_atomically

if TYPE_CHECKING:
    from superlaw.toy.evaluate import Evaluation, SampleMean


def evaluate(
    run: Annotated[Path, typer.Argument(help="A run file.")],
    samples: Annotated[float, typer.Option(help="Fresh samples, as 1e6.")] = 1e6,
    seed: Annotated[int, typer.Option(help="Of the samples.")] = 0,
    per_feature: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A CSV file for what each feature adds to the loss.")
    ] = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """The loss of a run on fresh samples, its standard error, and what it is made of."""
    from superlaw.cli.output import print_json
    from superlaw.toy import evaluate as library
    from superlaw.toy.run import load_run

    if not samples.is_integer():
        raise InputError(f"--samples {samples:g}", "a whole number")
    check_output(per_feature, (".csv",), overwrite, "--per-feature")
    check_apart({"RUN": run, "--per-feature": per_feature})
    found = library.evaluate(load_run(run), int(samples), seed)
    if per_feature is not None:
        write_atomically(per_feature, found.per_feature().to_csv(index=False, float_format="%.8g").encode())
    if as_json:
        print_json({"path": run, **found.to_dict()})
    else:
        print_evaluation(found)


def print_evaluation(found: Evaluation) -> None:
    """What the loss is and is made of, for a person."""
    from superlaw.cli.output import print_table
    from superlaw.files.numbers import with_error
    from superlaw.toy.evaluate import EXCLUSIVE

    for note in found.notes:
        print(f"note: {note}")
    rows: list[tuple[str, SampleMean | None]] = [("loss", found.loss)]
    for name in EXCLUSIVE:
        rows.append((f"  {name}", getattr(found, name)))
        if name == "interference":
            rows.append(("    constant answer", found.constant_answer))
    rows.append(("one active feature", found.single_active))
    table = []
    for name, part in rows:
        if part is not None:
            whole = found.loss.mean  # 0 of a model that answers everything exactly
            share = "" if name.startswith("one") or whole == 0 else f"{100 * part.mean / whole:.3g} %"
            table.append([name, str(part), share])
    print_table(["on fresh samples", "mean ± standard error", "of the loss"], table)
    exact = found.single_active_loss
    if exact == exact:
        print(f"One active feature, exactly (mean over its value): {exact:.6g}")
    print(f"Training reported {with_error(found.reported_loss, found.reported_std)} (mean and spread of its "
          f"last 100 steps). {found.samples:,} samples, seed {found.seed}.")  # fmt: skip
    if found.left_out:
        print(f"Left out: {found.left_out:,} samples without an active feature.")
    if found.pair_correlation is not None:
        print(f"Correlation of pairs of a group, as drawn: {found.pair_correlation}")
