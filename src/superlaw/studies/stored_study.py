"""A language-model study read back from its folder, for figures; nothing is measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from superlaw.errors import DamagedFileError, InputError
from superlaw.files.shapes import misfit
from superlaw.laws.result import Fit
from superlaw.studies.kept import HEAD, STUDY, TOKENS, kept


@dataclass(frozen=True, eq=False)
class StoredStudy:
    """What figures need of a study's folder: its table, head records by model, token records by tokenizer, its fit.

    ``tokenizers`` are named by the families that share one. ``notes`` says what the folder lacks.
    """

    folder: Path
    rows: tuple[dict[str, Any], ...]
    heads: dict[str, dict[str, Any]]
    tokenizers: dict[str, dict[str, dict[str, Any]]]
    fit: Fit | None
    no_fit: str
    notes: tuple[str, ...]
    failures: dict[str, str] = field(default_factory=dict)


def load_study(folder: str | Path) -> StoredStudy:
    """Read a study's folder back; nothing is measured.

    Raises
    ------
    InputError
        Where it holds no study.
    DamagedFileError
        Where its study.json is not whole.
    """
    folder, do = Path(folder), "superlaw lm study FAMILY --corpus NAME=FILE -o DIR makes one"
    path = folder / "study.json"
    if not path.is_file():
        raise InputError(f"{folder} without study.json", "the folder of a language-model study", do)
    record: Any = kept(path, {})
    wrong = misfit(record, STUDY)
    if not wrong and set(record.get("token_files") or ()) - {row["model"] for row in record["table"]}:
        wrong = "token_files of a model that is not in the table"
    if wrong:
        raise DamagedFileError(f"{path}, not a whole study ({wrong})", "a whole one",
                               "the same superlaw lm study again resumes from what is kept")  # fmt: skip
    rows = tuple(record["table"])
    families = {row["model"]: row["family"] for row in rows}
    fit = Fit.from_dict(record["fit"]) if record["fit"] else None
    no_fit, files = record["no_fit"] or "", record.get("token_files")
    found = {name: kept(folder / "heads" / f"{name}.json", HEAD) for name in families}
    # A model of a failed head may have a file of another source: the table says whose overlap is known.
    known = {row["model"] for row in rows if row["head_width"] is not None}
    heads = {name: one["head"] for name, one in found.items() if one and name in known}
    names = [path.name for path in sorted((folder / "tokens").glob("*.json"))] if files is None else files.values()
    counted = {name: kept(folder / "tokens" / name, TOKENS) for name in dict.fromkeys(names)}
    notes = [f"{folder.name}/heads lacks {name}.json." for name in known if name not in heads]
    notes += [f"{folder.name}/tokens lacks {name}." for name, one in counted.items() if one is None]
    if files is None:
        notes.append("The study was made by an older version: token counts are named by their tokenizer's source.")
    return StoredStudy(folder, rows, heads, _tokenizers(counted, families, files), fit, no_fit, tuple(notes),
                       record.get("failures", {}))  # fmt: skip


def _tokenizers(
    counted: dict[str, dict[str, Any] | None], families: dict[str, str], files: dict[str, str] | None
) -> dict[str, dict[str, dict[str, Any]]]:
    """Token records by the families that share a tokenizer; by its source where the study does not say."""
    found = {}
    for file, record in counted.items():
        if record is None:
            continue
        if files is None:
            found[Path(record["tokenizer"]).name] = record["corpora"]
            continue
        sharing = [name for name, other in files.items() if other == file]
        label = ", ".join(dict.fromkeys(families[name] for name in sharing))
        found[f"{label} ({sharing[0]})" if label in found else label] = record["corpora"]
    return found
