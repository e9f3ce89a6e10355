"""What counts as a parameter: rules by which N is made from a table's columns.

N = 12 m^2 l leaves embeddings out; a vocabulary V adds V m for each matrix that is counted. A budget of counted FLOPs C
is matched by the N of C = 6 N D. Where N is counted one way and FLOPs another, exponents move [Porian].
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from superlaw.errors import InputError
from superlaw.laws.law import Law
from superlaw.laws.tables import add_columns

if TYPE_CHECKING:
    import pandas as pd

RULES = {
    "body": "12 * width**2 * depth",
    "head": "12 * width**2 * depth + vocab * width",
    "embeddings": "12 * width**2 * depth + 2 * vocab * width",
    "attention": "12 * width**2 * depth + vocab * width + 2 * depth * width * context",
    "flops": "flops / (6 * tokens)",
}
SAID = {
    "body": "no embeddings",
    "head": "and the matrix of the head",
    "embeddings": "and both matrices, in and out",
    "attention": "head, and the products of attention, 12 l m context FLOPs a token, as if they were parameters",
    "flops": "what counted FLOPs make of C = 6 N D",
}


def counted(table: pd.DataFrame, rule: str, law: Law) -> pd.DataFrame:
    """A copy of a table whose column of the law's N is counted by a rule.

    Parameters
    ----------
    table : DataFrame
    rule : str
        One of ``RULES``, which read columns of these names (make them with ``--let`` where they have others), or an
        expression of your own.
    law : Law
        One with a column of N, which need not exist yet.

    Examples
    --------
    >>> import pandas as pd
    >>> from superlaw.laws.forms import law_of
    >>> table = pd.DataFrame({"width": [64], "depth": [2], "vocab": [1000]})
    >>> counted(table, "head", law_of("chinchilla"))["N"].tolist()
    [162304.0]
    """
    column = getattr(law, "params", None) or getattr(getattr(law, "inner", None), "params", None)
    if column is None:
        raise InputError(f"--count {rule} for the law {law.name}", "a law with a column of parameters, like chinchilla")
    expression = RULES.get(rule, rule)
    if rule.isidentifier() and rule not in RULES and rule not in table.columns:
        raise InputError(f"--count {rule}", f"{', '.join(RULES)}, or an expression of columns")
    return add_columns(table, {column: expression})
