"""superlaw sweep: grids of runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superlaw.cli.options import (
    EngineOption,
    JsonOption,
    OverwriteOption,
    WorkersOption,
    assignments,
    numbers,
    refuse_unused,
    scalar,
)
from superlaw.errors import InputError, Interrupted, MissingExtraError
from superlaw.files.outputs import check_apart, check_output, write_atomically
from superlaw.files.records import json_ready

if TYPE_CHECKING:
    import pandas as pd

    from superlaw.sweeps.execute import Tally
    from superlaw.sweeps.plan import Plan
    from superlaw.sweeps.sweep import Sweep

app = typer.Typer(help="Grids of runs: resumable, on this machine or a cluster.", no_args_is_help=True)

PlanArgument = Annotated[str, typer.Argument(metavar="PLAN", help="A preset (superlaw sweep list) or a TOML file.")]
StoreOption = Annotated[Path, typer.Option("--store", help="The folder of runs.")]
SetOption = Annotated[list[str] | None, typer.Option("--set", metavar="K=V", help="Set a field of the base run.")]
OnlyOption = Annotated[list[str] | None, typer.Option("--only", metavar="K=A,B", help="Cut an axis to these values.")]
SeedsOption = Annotated[str | None, typer.Option("--seeds", metavar="A,B", help="Seeds, instead of the plan's.")]
SCHEDULER_SECONDS = 8


@app.command()
def run(
    plan: PlanArgument,
    store: StoreOption,
    workers: WorkersOption = None,
    scheduler: Annotated[str | None, typer.Option(help="A Dask scheduler, tcp://host:port, instead.")] = None,
    engine: EngineOption = None,
    sets: SetOption = None,
    only: OnlyOption = None,
    seeds: SeedsOption = None,
    keep: Annotated[str | None, typer.Option(help="weights, losses, or widths whose weights to keep.")] = None,
    limit: Annotated[int | None, typer.Option(help="At most this many new runs.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count and estimate; train nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Train what the store lacks of a plan, then print the exponents."""
    from superlaw.cli.output import tally_bar
    from superlaw.sweeps import sweep as library
    from superlaw.sweeps.store import Store
    from superlaw.toy.train import DEFAULT_ENGINE

    engine = engine or DEFAULT_ENGINE
    if scheduler is not None:
        refuse_unused(f"--scheduler {scheduler}", workers="local processes")
    chosen = _plan(plan, sets, only, seeds, keep)
    if engine == DEFAULT_ENGINE:
        _say_dense(chosen)
    if dry_run:
        refuse_unused("--dry-run", scheduler="local training", limit="training")
        _dry_run(chosen, store, workers, engine, as_json)
        return
    if limit is not None and limit < 0:
        raise InputError(f"--limit {limit}", "0 or more")
    library.check(chosen, engine, workers)
    executor, client = (None, None) if scheduler is None else _dask(scheduler)
    destination = Store(store)
    try:
        with tally_bar(chosen.name, "runs", silent=as_json) as report:
            result = library.sweep(chosen, destination, workers, executor, engine, limit, report)
    except KeyboardInterrupt:
        stored = len({spec.id for spec in chosen.specs} & destination.ids())
        raise Interrupted(
            f"interrupted; {stored} of {len(set(chosen.specs))} runs are stored in {store}; "
            "run the same command to resume"
        ) from None
    finally:
        if client is not None:
            client.close()
    tally = result.tally
    assert tally is not None  # of a sweep that ran
    _report(result, tally, as_json)
    if tally.failed:
        raise typer.Exit(1)


@app.command()
def status(
    plan: PlanArgument,
    store: StoreOption,
    sets: SetOption = None,
    only: OnlyOption = None,
    seeds: SeedsOption = None,
    as_json: JsonOption = False,
) -> None:
    """How much of a plan is stored, and by which engines."""
    from superlaw.cli.output import print_json

    found = _look(plan, store, sets, only, seeds)
    record = _status(found)
    if as_json:
        print_json(record)
        return
    missing, damaged = record["missing"], record["damaged"]
    print(f"{record['plan']}: {record['ok'] + record['diverged']} of {record['planned']} runs stored in {store} "
          f"({record['diverged']} diverged), {missing} missing, {damaged} damaged")  # fmt: skip
    if len(record["engines"]) > 1:
        print("note: trained by several engines: " + ", ".join(f"{e} {n}" for e, n in record["engines"].items()))
    if damaged:
        print(f"do: {found.store.verifying}")


@app.command()
def table(
    plan: PlanArgument,
    store: StoreOption,
    out: Annotated[Path, typer.Option("-o", "--out", help="A .csv or .parquet file.")],
    sets: SetOption = None,
    only: OnlyOption = None,
    seeds: SeedsOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Write one row for every planned run, missing and diverged ones included and marked."""
    kind = check_output(out, (".csv", ".parquet"), overwrite)
    rows = _look(plan, store, sets, only, seeds).table()
    if kind == "parquet":
        try:
            content = rows.to_parquet()
        except ImportError:
            raise MissingExtraError("Parquet", "tables") from None
    else:
        content = rows.to_csv(index=False).encode()
    write_atomically(out, content)
    print(f"{out}: {len(rows)} rows, {int((rows['status'] == 'missing').sum())} of them missing")


@app.command()
def gather(
    stores: Annotated[list[Path], typer.Argument(metavar="STORE...", help="Folders of runs, or tables of them.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="A .csv file.")],
    along_steps: Annotated[bool, typer.Option("--along-steps", help="A row a run and log-spaced step.")] = False,
    overwrite: OverwriteOption = False,
) -> None:
    """Write everything stores hold as one small table with provenance, from which figures are drawn."""
    check_output(out, (".csv",), overwrite)
    check_apart({"-o": out, **{str(store): store for store in stores}})
    from superlaw.sweeps.table import gather as library
    from superlaw.sweeps.table import write_runs

    runs = library(stores, along_steps=along_steps)
    write_runs(runs, out)
    counts = ", ".join(f"{count} {status}" for status, count in runs["status"].value_counts().items())
    rows = f"{len(runs)} steps of {runs['id'].nunique()} runs" if along_steps else f"{len(runs)} runs"
    print(f"{out}: {rows} ({counts})")


@app.command()
def grid(
    plan: PlanArgument,
    store: StoreOption,
    out: Annotated[Path, typer.Option("-o", "--out", help="A .nc file (netCDF).")],
    sets: SetOption = None,
    only: OnlyOption = None,
    seeds: SeedsOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Write the labelled grid of a complete sweep."""
    check_output(out, (".nc",), overwrite)
    dataset = _look(plan, store, sets, only, seeds).grid()
    write_atomically(out, bytes(dataset.to_netcdf()))
    print(f"{out}: " + ", ".join(f"{name} {size}" for name, size in dataset.sizes.items()))


@app.command()
def verify(
    store: StoreOption,
    keep: Annotated[bool, typer.Option("--keep", help="Only name bad files; move nothing.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Read every run whole; name what is damaged or foreign and set it aside (exit 1 if there was any)."""
    from superlaw.cli.output import print_json
    from superlaw.sweeps.store import Store

    checked = Store(store, create=False)
    there = len(checked.ids())
    bad = [(path, reason, None if keep else checked.set_aside(path)) for path, reason in checked.verify()]
    good = there - len(bad)
    if as_json:
        files = [{"file": str(p), "reason": r, "moved_to": str(t) if t else None} for p, r, t in bad]
        print_json({"store": str(store), "good": good, "bad": files})
    else:
        print(f"{store}: {good} runs whole, {len(bad)} files damaged or foreign")
        for path, reason, target in bad:
            print(f"  {reason}" + (f" -> moved to {target}" if target else f" ({path} left where it is)"))
        if bad and not keep:
            print("do: run the sweep again to train what was set aside")
    if bad:
        raise typer.Exit(1)


@app.command("list")
def list_presets(as_json: JsonOption = False) -> None:
    """The plans that ship with the package: every published experiment, and small versions."""
    from superlaw.cli.output import print_json, print_table
    from superlaw.sweeps.plan import load_plan, preset_names

    plans = [load_plan(name) for name in preset_names()]
    if as_json:
        print_json({"presets": [{"name": p.name, "runs": len(p.cells), "about": p.about} for p in plans]})
        return
    rows = [[p.name, str(len(p.cells)), _steps(p), p.about] for p in plans]
    print_table(["preset", "runs", "steps", "what"], rows, left=(0, 3))


def _steps(plan: Plan) -> str:
    """Steps of a plan's runs, or the range of them."""
    from superlaw.toy.spec import DEFAULTS

    values = plan.axes.get("steps", (plan.base.get("steps", DEFAULTS["steps"]),))
    return str(values[0]) if len(values) == 1 else f"{min(values)} to {max(values)}"


def _plan(
    plan: str, sets: list[str] | None, only: list[str] | None, seeds: str | None, keep: str | None = None
) -> Plan:
    from superlaw.sweeps.plan import load_plan

    base = {key: scalar(text) for key, text in assignments("--set", sets).items()}
    axes = {key: [scalar(part) for part in text.split(",")] for key, text in assignments("--only", only).items()}
    keeping = keep if keep is None or not keep[:1].isdigit() else numbers("--keep", keep)
    return load_plan(plan).change(base, axes, numbers("--seeds", seeds), keeping)


def _look(plan: str, store: Path, sets: list[str] | None, only: list[str] | None, seeds: str | None) -> Sweep:
    from superlaw.sweeps.sweep import look

    return look(_plan(plan, sets, only, seeds), store)


def _dask(address: str) -> tuple[Any, Any]:
    """The executor of a Dask cluster, and its client to close."""
    if "://" not in address:
        raise InputError(f"--scheduler {address!r}", "the address of a Dask scheduler, tcp://host:port")
    try:
        from distributed import Client
    except ImportError:
        raise MissingExtraError("--scheduler", "cluster") from None
    try:
        client = Client(address, timeout=SCHEDULER_SECONDS)
    except (OSError, ValueError, TimeoutError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(
            f"no Dask scheduler at {address} ({reason})", "the address of one that runs, tcp://host:port",
            "start one with `dask scheduler`",
        ) from None  # fmt: skip
    return client.get_executor(pure=False), client


def _status(sweep: Sweep) -> dict[str, Any]:
    counts: dict[str, int] = {"ok": 0, "diverged": 0, "missing": 0, "damaged": 0}
    engines: dict[str, int] = {}
    for state, engine in sweep.states():
        counts[state] += 1
        if engine:
            engines[engine] = engines.get(engine, 0) + 1
    return {"plan": sweep.plan.name, "store": str(sweep.store.path), "planned": sum(counts.values()), **counts,
            "engines": engines}  # fmt: skip


def _say_dense(plan: Plan) -> None:
    """Say on stderr which runs the faster engine does not train."""
    from superlaw.cli.output import tell
    from superlaw.toy.train import why_dense

    reasons = [reason for spec in plan.specs if (reason := why_dense(spec))]
    if reasons:
        tell(f"{len(reasons)} of {len(plan.specs)} runs by the engine dense: fused does not train "
             f"{', '.join(dict.fromkeys(reasons))}")  # fmt: skip


def _dry_run(plan: Plan, store: Path, workers: int | None, engine: str, as_json: bool) -> None:
    from superlaw.cli.output import duration, print_json, size
    from superlaw.sweeps.estimate import estimate
    from superlaw.sweeps.execute import check_workers
    from superlaw.sweeps.store import Store

    check_workers(workers)
    existing = Store(store, create=False) if store.exists() else None
    found = estimate(plan, existing, workers, engine)
    notes = sorted({note for spec in plan.specs for note in spec.notes})
    if as_json:
        print_json({"plan": plan.name, **json_ready(found), "notes": notes})
        return
    print(f"{plan.name}: {found.planned} runs, {found.stored} stored in {store}, {found.missing} to train")
    for note in notes:
        print(f"note: {note}")
    if found.missing:
        print(f"about {duration(found.seconds)} on {found.workers} cores and {size(found.bytes)} of disk "
              f"({1e3 * found.cheapest_step:.3g} to {1e3 * found.dearest_step:.3g} ms a step)")  # fmt: skip


def _report(result: Sweep, tally: Tally, as_json: bool) -> None:
    from superlaw.cli.output import print_json
    from superlaw.findings.exponents import exponents

    plan = result.plan
    cells = exponents(result) if len(plan.axes.get("width", ())) > 1 else None
    if as_json:
        rows = [] if cells is None else cells.to_dict("records")
        print_json({
            "plan": plan.name, "store": str(result.store.path), "planned": tally.planned, "stored": tally.stored,
            "trained": tally.trained, "diverged": tally.diverged, "failed": tally.failed, "exponents": rows,
        })  # fmt: skip
        return
    damaged = sum(state == "damaged" for state, _ in result.states())
    if damaged:
        print(f"{damaged} stored runs are DAMAGED and left out: {result.store.verifying}")
    left = tally.planned - tally.done - len(tally.failed)
    print(f"{plan.name}: {tally.trained} runs trained ({tally.diverged} diverged), {tally.stored} were stored, "
          f"{len(tally.failed)} failed" + (f", {left} left" if left else ""))  # fmt: skip
    for run_id, reason in tally.failed.items():
        print(f"  failed {run_id}: {reason}")
    if cells is not None:
        _print_exponents(result, cells)


def _coordinate(value: Any) -> str:
    """A value on an axis, to four figures; none of a field that was left out."""
    from superlaw.sweeps.plan import as_said

    number = isinstance(value, int | float) and not isinstance(value, bool)
    return as_said(None if value != value else float(f"{value:.4g}") if number else value)


def _print_exponents(result: Sweep, found: pd.DataFrame) -> None:
    from superlaw.cli.output import number, print_table
    from superlaw.files.numbers import with_error
    from superlaw.findings.exponents import RULE, bent_in_words, left_out_in_words

    axes = [axis for axis in result.plan.axes if axis != "width"]
    header = [*axes, "exponent", "R^2", "bent", "runs", "phi_1/2", "regime", "theory"]
    rows = []
    for row in found.to_dict("records"):
        cells = [_coordinate(row[axis]) for axis in axes]
        runs = str(row["n"]) + (f" (-{row['left_out']})" if row["left_out"] else "")
        exponent = with_error(row["exponent"], row["stderr"])
        bent = bent_in_words(row["lack_of_fit"])
        shown = [number(row["r_squared"], 3), bent, runs, number(row["represented_fraction"], 2), row["regime"]]
        rows.append([*cells, exponent, *shown, number(row["theory"], 3)])
    widths, seeds = (", ".join(map(str, values)) for values in (result.plan.axes["width"], result.plan.seeds))
    print(f"\nModel exponent (loss ~ 1/m^exponent): widths {widths}; seeds {seeds}; {_steps(result.plan)} steps; "
          "error from the widths' mean log losses about the line")  # fmt: skip
    print_table(header, rows)
    print(f"{RULE}; at least 3 widths. Bent: by the scatter of seeds, a local slope and no law.")
    left = left_out_in_words(found)
    if left:
        print(f"Left out: {left}.")
