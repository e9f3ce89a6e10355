"""superlaw show: what a stored run shows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superlaw.cli.options import JsonOption
from superlaw.errors import InputError

if TYPE_CHECKING:
    from superlaw.toy.run import Run
    from superlaw.toy.spec import RunSpec


def show(
    run: Annotated[Path, typer.Argument(help="A run file.")],
    groups: Annotated[
        bool, typer.Option("--groups", help="Also overlaps by norm (strong, weak, ignored) and by frequency rank.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Read a run file, check it whole, print what it shows."""
    from superlaw.cli.output import print_json
    from superlaw.toy.run import load_run

    loaded = load_run(run)
    if as_json:
        print_json(summary(loaded, run) | ({"groups": groups_of(loaded)} if groups else {}))
        return
    print_run(loaded, run)
    if groups:
        print_groups(loaded)


def summary(run: Run, path: Path) -> dict[str, Any]:
    """What a run shows, for JSON."""
    from superlaw.toy.measures import measures_of

    seconds = run.provenance["wall_seconds"]
    return {
        "id": run.id, "path": path, "status": run.status, **measures_of(run).to_dict(),
        "steps_done": len(run.losses), "wall_seconds": seconds,
        "steps_per_second": round(len(run.losses) / seconds, 3) if seconds else None,
        "notes": _notes(run.spec), "spec": run.spec.to_dict(arrays="digest"), "provenance": run.provenance,
    }  # fmt: skip


def _notes(spec: RunSpec) -> tuple[str, ...]:
    from superlaw.toy.measures import MOST_PAIRS

    if spec.n_features * (spec.n_features - 1) // 2 <= MOST_PAIRS:
        return spec.notes
    return (*spec.notes, f"{spec.n_features} rows have more than {MOST_PAIRS:.0e} pairs: variance, mean and largest of "
                         "their overlaps are not measured")  # fmt: skip


def print_run(run: Run, path: Path) -> None:
    """What a run shows, for a person."""
    from superlaw.cli.output import number, print_facts
    from superlaw.files.numbers import with_error

    spec, shown = run.spec, summary(run, path)
    weak = shown["represented"] - shown["strong"]
    if run.status == "diverged":
        print(
            f"DIVERGED at step {len(run.losses)} of {spec.steps} (loss {run.losses[-1]:.4g}); lower the learning rate."
        )
    elif run.status == "stopped":
        print(f"STOPPED at step {len(run.losses)} of {spec.steps}: the loss below is not reported.")
    for note in shown["notes"]:
        print(f"note: {note}")
    value = lambda name, digits=4: number(shown[name], digits)  # noqa: E731
    rows = [
        ("model", f"n = {spec.n_features}, m = {spec.width}, {spec.frequencies_name} frequencies, "
                  f"E = {spec.probabilities.sum():.4g}"),
        ("training", f"gamma = {spec.weight_decay:g}, {len(run.losses)} steps of {spec.batch}, seed {spec.seed}, "
                     f"engine {run.provenance['engine']}: {shown['wall_seconds']:.3g} s, "
                     f"{value('steps_per_second')} steps/s"),
        ("loss", f"{with_error(run.loss, run.loss_std)} (mean and spread of the last 100 steps); "
                 f"{beside_the_loss(run, shown)}"),
        ("features", f"{shown['represented']} of {spec.n_features} represented (norm > 1/2), {shown['strong']} "
                     f"strongly (> 1); norms {value('norm_min', 3)} to {value('norm_max', 3)}"),
        *silent_rows(run, shown),
        ("overlap", f"mean square {value('mean_square_overlap')} (1/m = {value('inverse_width')}, Welch "
                    f"{value('welch')}); variance {value('square_overlap_variance', 3)} (random "
                    f"{value('random_square_overlap_variance', 3)})"),
        *(overlap_row(name, shown) for name, count in (("strong", shown["strong"]), ("weak", weak)) if count > 1),
        ("spectrum", f"rows use {value('participation_ratio', 3)} of {spec.width} dimensions; dimensionality of "
                     f"features: {value('dimensionality_sum', 3)} in all, {value('represented_dimensionality', 3)} "
                     f"for a represented one"),
        ("run", f"{path} (id {run.id})"),
    ]  # fmt: skip
    print_facts(rows)


def beside_the_loss(run: Run, shown: dict[str, Any]) -> str:
    """What the loss is to be compared with."""
    from superlaw.cli.output import number

    if run.spec.loss_function == "cross-entropy":
        return f"in nats; {number(run.spec.untrained_loss)} for answering evenly"
    return f"{number(shown['unlearned_loss'])} expected from the features it leaves out"


def silent_rows(run: Run, shown: dict[str, Any]) -> list[tuple[str, str]]:
    """The row of the features that never answer; none where that has no meaning."""
    share = shown["silent_fraction"]
    if share is None:
        return []
    count = round(share * run.spec.n_features)
    return [("silent", f"{count} of {run.spec.n_features} ({100 * share:.3g} %) never answer their own input alone")]


def overlap_row(group: str, shown: dict[str, Any]) -> tuple[str, str]:
    """The row of the strong or of the weak features."""
    from superlaw.cli.output import number

    mean, bound, distance = (
        number(shown[f"{group}_{key}"]) for key in ("mean_square_overlap", "welch", "etf_distance")
    )
    return group, f"mean square {mean} (Welch {bound}); variance {distance} times the random one"


GROUP_COLUMNS = {
    "rows": "rows", "pairs": "pairs", "mean_square_overlap": "mean square", "welch": "Welch",
    "square_overlap_variance": "variance", "etf_distance": "of random", "mean_abs_overlap": "mean |overlap|",
    "largest_overlap": "largest",
}  # fmt: skip


def groups_of(run: Run) -> list[dict[str, Any]]:
    """Overlaps by norm and by frequency rank, for JSON."""
    from superlaw.geometry.groups import overlaps_by_norm, overlaps_by_rank

    if run.W is None:
        raise InputError(
            f"a run without its weights (id {run.id})", "W for the overlaps of groups", "train it anew and keep them"
        )
    groups = (*overlaps_by_norm(run.W), *overlaps_by_rank(run.W, frequencies=run.spec.probabilities))
    return [group.to_dict() for group in groups]


def print_groups(run: Run) -> None:
    """The same as a table, beside 1/m."""
    from superlaw.cli.output import number, print_table

    rows = [
        [
            group["group"],
            *(str(group[key]) if key in ("rows", "pairs") else number(group[key], 3) for key in GROUP_COLUMNS),
        ]
        for group in groups_of(run)
    ]
    print(f"\nOverlaps of unit rows by group (random directions: mean square 1/m = {number(1 / run.spec.width)}; "
          "variance in units of theirs under 'of random')")  # fmt: skip
    print_table(["group", *GROUP_COLUMNS.values()], rows)
