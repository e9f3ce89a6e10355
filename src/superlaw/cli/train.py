"""superlaw train: one toy model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superlaw.cli.options import EngineOption, JsonOption, OverwriteOption, refuse_unused
from superlaw.errors import InputError, closest
from superlaw.files.outputs import check_apart, check_output
from superlaw.files.records import read_json

if TYPE_CHECKING:
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
    activation: Annotated[str | None, typer.Option(help="relu, linear or gelu [relu].")] = None,
    loss_function: Annotated[str | None, typer.Option(help="squared-error or cross-entropy [squared-error].")] = None,
    values: Annotated[
        str | None, typer.Option(help="Of active features: uniform, exponential, half-normal, constant [uniform].")
    ] = None,
    correlation: Annotated[float | None, typer.Option(help="Chance that a group fires as one, 0 to 1 [0].")] = None,
    group_size: Annotated[int | None, typer.Option(help="Features of consecutive ranks in a group.")] = None,
    tied: Annotated[bool | None, typer.Option("--tied/--untied", help="Encoder W, or one of its own [tied].")] = None,
    rows: Annotated[str | None, typer.Option(help="free, or unit: held at norm 1 [free].")] = None,
    learn_bias: Annotated[
        bool | None, typer.Option("--learn-bias/--fixed-bias", help="Or b = 0 throughout [learnt].")
    ] = None,
    initial_norm: Annotated[float | None, typer.Option(help="c in W ~ N(0, c^2/m) [1].")] = None,
    initial_bias_mean: Annotated[float | None, typer.Option(help="Mean of b at the start [0].")] = None,
    initial_bias_std: Annotated[float | None, typer.Option(help="Its standard deviation [1].")] = None,
    optimizer: Annotated[str | None, typer.Option(help="adam or sgd [adam].")] = None,
    momentum: Annotated[float | None, typer.Option(help="Of sgd [0.9].")] = None,
    adam_epsilon: Annotated[float | None, typer.Option(help="Of adam [1e-8].")] = None,
    schedule: Annotated[str | None, typer.Option(help="cosine, constant or wsd [cosine].")] = None,
    decay_share: Annotated[float | None, typer.Option(help="Of wsd: share of the steps that decay [0.2].")] = None,
    seed: Annotated[int | None, typer.Option(help="Of the initial state and the batches [0].")] = None,
    spec: Annotated[Path | None, typer.Option(help="A saved spec (JSON) or a run file; options override it.")] = None,
    engine: EngineOption = None,
    threads: Annotated[int, typer.Option(help="Threads for this one model.")] = 1,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="A .safetensors file, or a folder [./ID.safetensors].")
    ] = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Train one toy model, store the run, print what it shows."""
    options = {
        "n_features": n_features, "width": width, "data_exponent": data_exponent, "decay_length": decay_length,
        "activation_density": activation_density, "clip": clip, "weight_decay": weight_decay, "steps": steps,
        "batch": batch, "learning_rate": learning_rate, "bias_learning_rate": bias_learning_rate, "warmup": warmup,
        "loss_scale": loss_scale, "activation": activation, "loss_function": loss_function, "values": values,
        "correlation": correlation, "group_size": group_size, "tied": tied, "rows": rows, "learn_bias": learn_bias,
        "initial_norm": initial_norm, "initial_bias_mean": initial_bias_mean, "initial_bias_std": initial_bias_std,
        "optimizer": optimizer, "momentum": momentum, "adam_epsilon": adam_epsilon, "schedule": schedule,
        "decay_share": decay_share, "seed": seed,
    }  # fmt: skip
    from superlaw.cli.output import print_json, progress_bar, tell
    from superlaw.cli.show import print_run, summary
    from superlaw.toy import train as library

    chosen = _build_spec(spec, frequencies, text, {k: v for k, v in options.items() if v is not None})
    _refuse_unused(chosen)
    engine = engine or library.DEFAULT_ENGINE
    if engine == "auto" and (reason := library.why_dense(chosen)):
        tell(f"engine dense: fused does not train {reason}")
    library.engine_for(chosen, engine, threads)
    path = _target(out, chosen.id, overwrite)
    check_apart({"--spec": spec, "--out": path})
    with progress_bar(f"m = {chosen.width}", "steps", silent=as_json) as bar:
        watch = (lambda s, done, loss: bar.update(done, s.steps, f"loss {loss:.4g}")) if bar else None
        run = library.train(chosen, engine, threads, watch)
    run.save(path, overwrite)
    if as_json:
        print_json(summary(run, path))
    else:
        print_run(run, path)


def _build_spec(saved: Path | None, frequencies: str | None, text: Path | None, options: dict[str, Any]) -> RunSpec:
    from superlaw.toy.frequencies import FAMILIES, frequencies_of, read_text
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
                closest(frequencies, FAMILIES),
            )
        options["frequencies"] = frequencies_of(frequencies, options.pop("n_features", None))
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

    if path.suffix.lower() == ".safetensors":
        return load_run(path).spec
    record = read_json(path, "a spec as JSON, or a .safetensors run file", "check --spec")
    if not isinstance(record, dict):
        raise InputError(f"{path}, whose JSON is not an object", "the fields of RunSpec")
    return RunSpec.from_dict(record)


def _target(out: Path | None, run_id: str, overwrite: bool) -> Path:
    """Where the run will go; refused before training when it cannot be written."""
    path = out or Path()
    if path.is_dir():
        path = path / f"{run_id}.safetensors"
    check_output(path, (".safetensors",), overwrite, "--out")
    return path


def _refuse_unused(chosen: RunSpec) -> None:
    """Refuse what these frequencies do not use, whether they were typed or come from --spec."""
    from superlaw.toy.spec import OF_THE_BIAS

    name = chosen.frequencies_name
    if name != "power":
        refuse_unused(f"{name} frequencies", data_exponent="--frequencies power")
    if name != "exponential":
        refuse_unused(f"{name} frequencies", decay_length="--frequencies exponential")
    if chosen.correlation == 0:
        refuse_unused("features that fire on their own", group_size="--correlation C")
    if not chosen.learn_bias:
        at_zero = "--fixed-bias (b is 0 throughout)"
        refuse_unused(at_zero, **dict.fromkeys(OF_THE_BIAS[:3], "--learn-bias"))
    if chosen.activation_density is None:
        refuse_unused("probabilities that are not scaled", clip="--activation-density E")
