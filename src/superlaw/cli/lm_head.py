"""superlaw lm head: the unembedding matrix of each model, measured and judged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from superlaw.cli.options import JsonOption, OverwriteOption, refuse_unused
from superlaw.errors import InputError
from superlaw.files.outputs import PICTURES, check_output, write_atomically

if TYPE_CHECKING:
    from superlaw.findings.head_verdict import HeadVerdict
    from superlaw.findings.heads import OverlapLaw
    from superlaw.findings.width_laws import TwiceTheWidth
    from superlaw.lm.measure import HeadMeasures


def head(
    models: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL...", help="Folder, file of tensors, or hub id.")
    ] = None,
    raw: Annotated[
        list[str] | None,
        typer.Option(metavar="FILE:DTYPE:ROWS:COLS:OFFSET", help="A matrix in any file, or in A+B; repeat."),
    ] = None,
    tensor: Annotated[str | None, typer.Option(metavar="NAME", help="The matrix, instead of the head found.")] = None,
    encoder: Annotated[bool, typer.Option("--encoder", help="Word embeddings of an encoder.")] = False,
    transpose: Annotated[bool, typer.Option("--transpose", help="The matrix is width by tokens.")] = False,
    centre: Annotated[bool, typer.Option("--centre", help="Also with the mean row removed.")] = False,
    tokens: Annotated[Path | None, typer.Option(metavar="FILE", help="Counts of superlaw lm tokens.")] = None,
    ranks_by_id: Annotated[bool, typer.Option("--ranks-by-id", help="Buckets by token id, without counts.")] = False,
    pairs: Annotated[str, typer.Option(help="Mean |overlap| over pairs: auto, exact or sampled.")] = "auto",
    leave_out: Annotated[
        list[str] | None, typer.Option(metavar="KIND", help="duplicate, padded or untrained rows; repeat.")
    ] = None,
    follow_links: Annotated[bool, typer.Option("--follow-links", help="Follow links out of a model's folder.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of sampled pairs.")] = 0,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Figure: .png, .pdf or .svg.")] = None,
    overwrite: OverwriteOption = False,
    as_json: JsonOption = False,
) -> None:
    """Measure the unembedding matrix of each model: one row and one verdict a model."""
    from superlaw.cli.output import print_json
    from superlaw.findings.head_verdict import judge_head
    from superlaw.findings.heads import overlap_laws
    from superlaw.findings.width_laws import twice_the_width
    from superlaw.lm.arrays import RawMatrix
    from superlaw.lm.head import load_head, load_raw
    from superlaw.lm.measure import measure_head

    kind = check_output(plot, PICTURES, overwrite, "--plot")
    _refuse_unused(models or [], tensor, pairs, plot, tokens)
    places = [RawMatrix.parse(text) for text in raw or ()]
    if not models and not places:
        raise InputError("no MODEL and no --raw", "a model to measure")
    counts = None
    if tokens is not None:
        from superlaw.files.counts import read_token_counts

        counts = read_token_counts(tokens)
    shown = []
    for one in [*(models or ()), *places]:
        found = (
            load_raw(one, transpose=transpose) if isinstance(one, RawMatrix)
            else load_head(one, tensor, encoder, follow_links, transpose=transpose)
        )  # fmt: skip
        measured = measure_head(found, centre, counts, pairs, tuple(leave_out or ()), seed, ranks_by_id=ranks_by_id)
        shown.append(_Shown(measured, judge_head(measured), twice_the_width(found.hidden_size or measured.m)))
    laws = overlap_laws([one.measured.to_dict() for one in shown])
    if plot:
        from superlaw.figures import head as figure

        write_atomically(plot, figure.draw(figure.data([one.measured for one in shown]), kind))
    if as_json:
        print_json(_record(shown, laws))
    else:
        _print_heads(shown, laws, plot)


@dataclass(frozen=True)
class _Shown:
    measured: HeadMeasures
    verdict: HeadVerdict
    twice: TwiceTheWidth


def _refuse_unused(models: list[str], tensor: str | None, pairs: str, plot: Path | None, tokens: Path | None) -> None:
    if plot is None:
        refuse_unused("no --plot", overwrite="--plot FILE")
    if tensor is not None:
        refuse_unused(f"--tensor {tensor}", encoder="the tensor found by name")
    if tokens is not None:
        refuse_unused(f"--tokens {tokens}", ranks_by_id="ranks without counts")
    if pairs == "exact":
        refuse_unused("--pairs exact", seed="--pairs sampled")
    if not models:
        refuse_unused("--raw alone", tensor="a MODEL", encoder="a MODEL", follow_links="a folder")
    elif not any(Path(model).exists() for model in models):
        refuse_unused("hub ids alone", follow_links="a folder")


def _record(shown: list[_Shown], laws: list[OverlapLaw]) -> dict[str, Any]:
    from superlaw.findings.reference_heads import reference_heads

    plain = laws[0].slope if laws and laws[0].what == "as they are" else None
    return {
        "models": [
            {**one.measured.to_dict(), **one.verdict.to_dict(), "twice_the_width": one.twice.to_dict()} for one in shown
        ],
        "references": [head.to_dict() for head in reference_heads()],
        "slope": plain.exponent if plain else None, "slope_stderr": plain.stderr if plain else None,
        "overlap_laws": [law.to_dict() for law in laws],
    }  # fmt: skip


def _print_heads(shown: list[_Shown], laws: list[OverlapLaw], plot: Path | None) -> None:
    from superlaw.findings.reference_heads import reference_heads

    _print_table([one.measured for one in shown])
    for one in shown:
        print()
        _print_words(one)
    beside = ", ".join(f"{head.name} {head.excess:.3g} ({head.centred_excess:.3g})" for head in reference_heads())
    print(f"\nother heads, times random directions (mean row removed): {beside}")
    for law in laws:
        error = "" if law.slope.stderr == law.slope.stderr else " (two widths give no error)"
        print(f"mean squared overlap ~ 1/m^({law.slope}){error}, {law.what}; random directions: 1")
    if plot:
        print(f"Figure: {plot}")


def _print_table(heads: list[HeadMeasures]) -> None:
    from superlaw.cli.output import number, print_table
    from superlaw.files.numbers import in_short, with_error
    from superlaw.geometry.frames import random_mean_abs_overlap, welch

    header = ["model", "n", "m", "overlap^2", "1/m", "Welch", "|overlap|", "random", "PR", "norm", "min", "max"]
    rows = []
    for shown in heads:
        o, norms = shown.overlaps, shown.norms
        error = f" ± {o.mean_abs_stderr:.1g}" if o.pairs else ""
        rows.append([
            Path(shown.head.name).name, in_short(shown.n), str(shown.m), number(o.mean_square, 5),
            number(1 / shown.m, 5),
            number(welch(shown.n, shown.m), 5), number(o.mean_abs, 5) + error,
            number(random_mean_abs_overlap(shown.m), 5), number(o.participation_ratio, 4),
            with_error(norms.mean(), norms.std()), number(norms.min()), number(norms.max()),
        ])  # fmt: skip
        if shown.centred:
            c = shown.centred
            error = f" ± {c.mean_abs_stderr:.1g}" if c.pairs else ""
            square, absolute = number(c.mean_square, 5), number(c.mean_abs, 5) + error
            used = number(c.participation_ratio, 4)
            rows.append(["  mean row removed", "", "", square, "", "", absolute, "", used, "", "", ""])  # fmt: skip
    print_table(header, rows)


def _print_words(one: _Shown) -> None:
    from superlaw.files.columns import printable

    shown, verdict = one.measured, one.verdict
    print(f"{shown.head.name}: {printable(shown.head.tensor)} ({shown.head.why})")
    print(f"  {verdict.sentence}")
    for ground in verdict.grounds:
        print(f"  {ground}")
    told = [f"{count} {kind}" for kind, count in shown.hygiene.items() if count]
    unknown = [kind for kind, count in shown.hygiene.items() if count is None]
    words = ", ".join(told) or "none suspicious"
    words += f"; cannot tell {', '.join(unknown)}" if unknown else ""
    words += f"; left out: {', '.join(shown.left_out)}" if shown.left_out else ""
    print(f"  rows: {words}")
    for note in shown.head.notes:
        print(f"  note: {note}")
    _print_frequencies(shown)
    print(f"  a head alone cannot tell: {'; '.join(verdict.unknown)}")
    print(f"  {one.twice.sentence}")


def _print_frequencies(shown: HeadMeasures) -> None:
    from superlaw.cli.output import number
    from superlaw.files.numbers import with_error

    times = lambda square: number(None if square is None else square * shown.m, 3)  # noqa: E731
    for b in shown.buckets:
        print(f"  {b.name}, ranks {b.ranks[0]} to {b.ranks[1]}: norm {with_error(b.mean_norm, b.std_norm)}, overlap^2 "
              f"{times(b.mean_square)} times random ({times(b.centred)} with the mean row removed)")  # fmt: skip
    if weighted := shown.weighted:
        relation = weighted["norm_frequency_rank_correlation"]
        error = weighted["norm_frequency_rank_correlation_stderr"]
        shown_relation = "-" if relation is None else with_error(relation, error)
        print(f"  by frequency ({weighted['tokens_counted']} tokens): overlap^2 {weighted['mean_square_overlap']:.5g}; "
              f"rank correlation of norm with frequency {shown_relation}")  # fmt: skip
