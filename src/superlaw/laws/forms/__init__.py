"""The laws, one file each, named as the law is; a file that is put here is a law that can be fitted by name."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from superlaw.errors import InputError, closest

if TYPE_CHECKING:
    from superlaw.laws.law import Law


def law_names() -> tuple[str, ...]:
    """The names of all laws, without loading one.

    Examples
    --------
    >>> "chinchilla" in law_names()
    True
    """
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__)))


def law_class(name: str) -> type[Law]:
    """The law of a name.

    Raises
    ------
    InputError
        For a name that is no law's, with the nearest.
    """
    from superlaw.laws.law import Law

    if name not in law_names():
        raise InputError(f"the law {name!r}", f"one of {', '.join(law_names())}", closest(name, law_names()))
    members = vars(importlib.import_module(f"{__name__}.{name}")).values()
    return next(m for m in members if isinstance(m, type) and issubclass(m, Law) and vars(m).get("name") == name)


def law_from(name: str, columns: Mapping[str, Any], offset: bool = True) -> Law:
    """The law of a stored name with its columns, as :meth:`~superlaw.laws.law.Law.columns` gives them.

    Examples
    --------
    >>> law_from("power", {"x": "width"})
    PowerLaw(x='width', offset=True)
    """
    law = law_class(name)
    options = {key: value for key, value in columns.items() if key != "loss"}
    return law(**options, **({"offset": offset} if has_offset_option(law) else {}))


def has_offset_option(law: type[Law]) -> bool:
    """Whether a law is with or without an offset, as asked."""
    return "offset" in getattr(law, "__dataclass_fields__", {})


def law_of(law: Any, given: Mapping[str, Any] | None = None, offset: bool | None = None) -> Law:
    """A law from itself, or from text like ``"additive:width,depth"``.

    Parameters
    ----------
    law : Law or str
        A name, after a colon the columns in the order of the law's parts; a part without one has its default.
    given : mapping of option to column(s), optional
        Columns named by the command line's own options instead; those of other laws are passed over.
    offset : bool, optional
        False: without the offset, where the law leaves a choice.

    Raises
    ------
    InputError
        For anything that is no law, an unknown name, and columns that are missing, too many or named twice.

    Examples
    --------
    >>> law_of("additive:width*depth,tokens").terms
    ('width*depth', 'tokens')
    """
    from superlaw.laws.law import Law

    if isinstance(law, Law):
        return law
    if not isinstance(law, str):
        raise InputError(f"the law {law!r}", "a law, or a text like 'additive:width,depth'")
    name, _, text = law.partition(":")
    kind = law_class(name.strip())
    columns = [column.strip() for column in text.split(",") if column.strip()]
    own = {part.field: given[part.option] for part in kind.parts if given and given.get(part.option)}
    for part in kind.parts:
        if columns and part.size and part.field in own:
            raise InputError(f"columns of --law {law} and {part.option}", "columns named once")
    return law_from(kind.name, _filled(kind, columns, own, law), offset is not False)


def _filled(kind: type[Law], columns: Sequence[str], own: Mapping[str, Any], text: str) -> dict[str, Any]:
    """Columns, in order, to the law's parts; those of options, and defaults, where they end."""
    fields, rest, out = getattr(kind, "__dataclass_fields__", {}), list(columns), {}
    for part in kind.parts:
        take = rest if part.several else rest[:1]
        rest = [] if part.several else rest[1:]
        if take and part.field in own:
            raise InputError(f"columns of --law {text} and {part.option}", "columns named once")
        if take:
            out[part.field] = tuple(take) if part.several else take[0]
        elif part.field in own:
            out[part.field] = own[part.field]
        elif columns or own or not isinstance(fields[part.field].default, str):
            way = f"{part.option} COL or " if part.option else ""
            raise InputError(f"--law {text} without {part.option or part.field}", f"{way}{written(kind)}")
    if rest:
        raise InputError(f"--law {text}", f"{len(kind.parts)} column(s), {written(kind)}")
    return out


def written(kind: type[Law]) -> str:
    """How a law and its columns are written: ``chinchilla:PARAMS,TOKENS``."""
    parts = [f"{part.field.upper()}{',...' * part.several}" for part in kind.parts]
    return f"{kind.name}:{','.join(parts)}"
