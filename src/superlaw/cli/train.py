"""superlaw train: one toy model."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superlaw.errors import InputError, nearest

if TYPE_CHECKING:
    from superlaw.toy.run import Run
    from superlaw.toy.spec import RunSpec


def train(
    n_features: Annotated[int | None, typer.Option(help="Number of features n [1000, or all in FILE].")] = None,
    width: Annotated[int | None, typer.Option(help="Model dimension m [25].")] = None,
    frequencies: Annotated[
        str | None,
        typer.Option(help="power, exponential, linear, or a CSV/JSON file of counts or probabilities."),
    ] = None,
    text: Annotated[Path | None, typer.Option(help="A text file whose word counts become the frequencies.")] = None,
    data_exponent: Annotated[float | None, typer.Option(help="alpha of the power family [1].")] = None,
    decay_length: Annotated[float | None, typer.Option(help="Of the exponential family, in ranks [400].")] = None,
    activation_density: Annotated[float | None, typer.Option(help="E, the expected number of active features.")] = None,
    clip: Annotated[bool | None, typer.Option("--clip/--no-clip", help="Cut probabilities above 1.")] = None,
    weight_decay: Annotated[float | None, typer.Option(help="gamma; negative means growth to unit rows [0].")] = None,
    steps: Annotated[int | None, typer.Option(help="Training steps T [20000].")] = None,
    batch: Annotated[int | None, typer.Option(help="Samples in a batch [2048].")] = None,
    learning_rate: Annotated[float | None, typer.Option(help="Largest learning rate of W [0.01].")] = None,
    bias_learning_rate: Annotated[float | None, typer.Option(help="The same for b [as W's].")] = None,
    warmup: Annotated[int | None, typer.Option(help="Warm-up steps; none from T on [2000].")] = None,
    loss_scale: Annotated[float | None, typer.Option(help="The optimiser sees loss_scale L / n [1].")] = None,
    activation: Annotated[str | None, typer.Option(help="relu or (engine dense) linear [relu].")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the initial state and the batches [0].")] = None,
    spec: Annotated[Path | None, typer.Option(help="A saved spec (JSON) or a run file; options override it.")] = None,
    engine: Annotated[str, typer.Option(help="fused, or dense (needs PyTorch).")] = "fused",
    threads: Annotated[int, typer.Option(help="Threads for this one model.")] = 1,
    out: Annotated[Path | None, typer.Option(help="File or folder to write to [./ID.safetensors].")] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Train one toy model, store the run, print what it shows."""
    options = {
        "n_features": n_features, "width": width, "data_exponent": data_exponent, "decay_length": decay_length,
        "activation_density": activation_density, "clip": clip, "weight_decay": weight_decay, "steps": steps,
        "batch": batch, "learning_rate": learning_rate, "bias_learning_rate": bias_learning_rate, "warmup": warmup,
        "loss_scale": loss_scale, "activation": activation, "seed": seed,
    }  # fmt: skip
    from superlaw.cli.output import print_json, progress_bar
    from superlaw.toy import train as library

    chosen = _build_spec(spec, frequencies, text, {k: v for k, v in options.items() if v is not None})
    library.make_engine(engine, threads).check(chosen)
    path = _target(out, chosen.id, overwrite)
    with progress_bar(f"m = {chosen.width}", "steps", silent=as_json) as bar:
        watch = (lambda s, done, loss: bar.update(done, s.steps, f"loss {loss:.4g}")) if bar else None
        run = library.train(chosen, engine, threads, watch)
    run.save(path, overwrite)
    if as_json:
        print_json(summary(run, path))
    else:
        print_run(run, path)


def _build_spec(saved: Path | None, frequencies: str | None, text: Path | None, options: dict[str, Any]) -> RunSpec:
    from superlaw.toy.frequencies import FAMILIES, read_frequencies, read_text
    from superlaw.toy.spec import RunSpec

    if frequencies is not None and text is not None:
        raise InputError("both --frequencies and --text", "one of them")
    if text is not None:
        options["frequencies"] = read_text(text, options.pop("n_features", None))
    elif frequencies in FAMILIES:
        options["frequencies"] = frequencies
    elif frequencies is not None:
        if "." not in frequencies and not Path(frequencies).exists():
            raise InputError(
                f"--frequencies {frequencies}",
                f"{', '.join(FAMILIES)}, or a CSV or JSON file",
                nearest(frequencies, FAMILIES),
            )
        options["frequencies"] = read_frequencies(frequencies, options.pop("n_features", None))
    if saved is None:
        return RunSpec(**options)
    base = read_spec(saved)
    if "frequencies" in options:
        options.setdefault("n_features", None)  # as many as the new frequencies have
    return base.change(**options)


def read_spec(path: Path) -> RunSpec:
    """A spec from its JSON, or from the run file it is stored in."""
    from superlaw.toy.run import load_run
    from superlaw.toy.spec import RunSpec

    if path.suffix == ".safetensors":
        return load_run(path).spec
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}", "a readable spec (JSON) or run file", "check --spec") from None
    except ValueError as error:
        raise InputError(f"{path}, not JSON: {error}", "a spec as JSON, or a .safetensors run file") from None
    if not isinstance(record, dict):
        raise InputError(f"{path}, whose JSON is not an object", "the fields of RunSpec")
    return RunSpec.from_dict(record)


def _target(out: Path | None, run_id: str, overwrite: bool) -> Path:
    """Where the run will go; refused before training when it cannot be written."""
    path = out or Path()
    if path.is_dir():
        path = path / f"{run_id}.safetensors"
    if path.exists() and not overwrite:
        raise InputError(f"{path}, which exists", "a new file name", "choose another --out or pass --overwrite")
    folder = path.parent
    if not folder.is_dir():
        raise InputError(f"--out {path}: no folder {folder}", "a folder that exists", f"mkdir -p {folder}")
    import tempfile

    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise InputError(
            f"--out {path}: {error.strerror}", "a folder that can be written", "choose another --out"
        ) from None
    return path


def summary(run: Run, path: Path) -> dict[str, Any]:
    """What a run shows, for JSON."""
    from superlaw.toy.measures import measures_of

    seconds = run.provenance["wall_seconds"]
    return {
        "id": run.id,
        "path": str(path),
        "status": run.status,
        **measures_of(run).to_dict(),
        "steps_done": len(run.losses),
        "wall_seconds": seconds,
        "steps_per_second": round(len(run.losses) / seconds, 3) if seconds else None,
        "notes": list(run.spec.notes),
        "spec": run.spec.to_dict(arrays="digest"),
        "provenance": run.provenance,
    }


def print_run(run: Run, path: Path) -> None:
    """What a run shows, for a person."""
    from superlaw.cli.output import number

    spec, shown = run.spec, summary(run, path)
    weak = shown["represented"] - shown["strong"]
    if run.status == "diverged":
        print(
            f"DIVERGED at step {len(run.losses)} of {spec.steps} (loss {run.losses[-1]:.4g}); lower the learning rate."
        )
    elif run.status == "stopped":
        print(f"STOPPED at step {len(run.losses)} of {spec.steps}: the loss below is not reported.")
    for note in spec.notes:
        print(f"note: {note}")
    value = lambda name, digits=4: number(shown[name], digits)  # noqa: E731
    rows = [
        ("model", f"n = {spec.n_features}, m = {spec.width}, {spec.frequencies_name} frequencies, "
                  f"E = {spec.probabilities.sum():.4g}"),
        ("training", f"gamma = {spec.weight_decay:g}, {len(run.losses)} steps of {spec.batch}, seed {spec.seed}, "
                     f"engine {run.provenance['engine']}: {shown['wall_seconds']:.3g} s, "
                     f"{value('steps_per_second')} steps/s"),
        ("loss", f"{value('loss')} ± {value('loss_std', 2)} (mean and spread of the last 100 steps); "
                 f"{value('unlearned_loss')} expected from the features it leaves out"),
        ("features", f"{shown['represented']} of {spec.n_features} represented (norm > 1/2), {shown['strong']} "
                     f"strongly (> 1); norms {value('norm_min', 3)} to {value('norm_max', 3)}"),
        ("overlap", f"mean square {value('mean_square_overlap')} (1/m = {value('inverse_width')}, Welch "
                    f"{value('welch')}); variance {value('square_overlap_variance', 3)} (random "
                    f"{value('random_square_overlap_variance', 3)})"),
        *(overlap_row(name, shown) for name, count in (("strong", shown["strong"]), ("weak", weak)) if count > 1),
        ("spectrum", f"rows use {value('participation_ratio', 3)} of {spec.width} dimensions; dimensionality of "
                     f"features: {value('dimensionality_sum', 3)} in all, {value('represented_dimensionality', 3)} "
                     f"for a represented one"),
        ("run", f"{path} (id {run.id})"),
    ]  # fmt: skip
    for name, text in rows:
        print(f"{name:<9} {text}")


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
