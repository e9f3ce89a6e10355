"""Published tables: of training runs, fetched once by address and checksum; and points of figures, in this package.

No table of runs is part of this package. With ``SUPERLAW_DATA`` set to a folder that holds them under the names
below, they are read from there (the checksum is verified all the same); otherwise pooch fetches them
into the user's cache. Points of figures are small and need no network (see figure_points).
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from superlaw.errors import DamagedFileError, InputError, nearest
from superlaw.laws.figure_points import POINTS, FigurePoints
from superlaw.laws.tables import load_table

if TYPE_CHECKING:
    import pandas as pd

HOST = "https://raw.githubusercontent.com"


@dataclass(frozen=True)
class PublishedTable:
    """One table: what it is, where it was published, and its SHA-256.

    ``let`` are columns that the table lacks and its laws need.
    """

    name: str
    what: str
    file: str
    repository: str
    commit: str
    path: str
    sha256: str
    let: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        """Where it is fetched from."""
        return f"{HOST}/{self.repository}/{self.commit}/{self.path}"

    @property
    def origin(self) -> str:
        """Where it comes from, for a list of tables."""
        return self.repository


TABLES: dict[str, PublishedTable | FigurePoints] = {
    table.name: table
    for table in (
        PublishedTable(
            "chinchilla",
            "245 training runs read off Chinchilla's figure 4 by Epoch AI (arXiv:2404.10102)",
            "chinchilla_svg_extracted_data.csv",
            "epoch-research/analyzing-chinchilla",
            "92258837425e1b5f2851d624287f0120583a3d0e",
            "data/svg_extracted_data.csv",
            "193478df4e90f040016431996c45682659306840ecdadf83cfb9cd5ca0aa1b30",
            ("N = `Model Size`", "D = `Training FLOP` / (6 * `Model Size`)"),
        ),
        PublishedTable(
            "chinchilla-width-depth",
            "the same runs with the width and depth of each architecture (arXiv:2602.05970)",
            "chinchilla_width_depth.csv",
            "liuyz0/DepthScaling",
            "07360e3decddf64d0e6b6322f5f82b79d0dd4596",
            "Scaling/get_fitting_data_chinchilla.csv",
            "cb474e8f5fc87be4132190a0c782d1521c4f06b9c041395b3a78ff2ffc34f83e",
        ),
        PublishedTable(
            "gemstones",
            "199 cooled points of 20 models, width and depth varied independently (arXiv:2502.06857)",
            "gemstones_cool_end.jsonl",
            "mcleish7/gemstone-scaling-laws",
            "5f420478f6057b0cbb4d13405fb10ca64675bccb",
            "wandb_dfs/wandb_df_for_fitting_cool_end.jsonl",
            "bdf01b6b21bafc414218124a6f9e195cee07f3d69ceacbfae2fcf069d34f4e61",
        ),
        PublishedTable(
            "gemstones-hot",
            "220 points of 22 Gemstones models without a cool-down",
            "gemstones_hot.jsonl",
            "mcleish7/gemstone-scaling-laws",
            "5f420478f6057b0cbb4d13405fb10ca64675bccb",
            "wandb_dfs/wandb_df_for_fitting_hot.jsonl",
            "655467b59c99383403d6f73f5b7f23c02aea3f12935dc110382d8a8b43a0ff5d",
        ),
    )
} | POINTS


def fetch_table(name: str) -> Path:
    """The path of a published table, fetched if need be; the checksum of what was fetched is always verified.

    Parameters
    ----------
    name : str
        One of ``TABLES``.

    Raises
    ------
    InputError
        For an unknown name, or when the table cannot be fetched.
    DamagedFileError
        When its checksum is another.
    """
    if name not in TABLES:
        raise InputError(f"the published table {name!r}", "one of the known", nearest(name, TABLES))
    table = TABLES[name]
    if isinstance(table, FigurePoints):
        return table.path
    folder = os.environ.get("SUPERLAW_DATA")
    path = Path(folder) / table.file if folder else _fetched(table)
    if not path.is_file():
        raise InputError(
            f"SUPERLAW_DATA = {folder}, without {table.file}",
            "a folder that holds it",
            "unset SUPERLAW_DATA to fetch it",
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != table.sha256:
        raise DamagedFileError(
            f"{path} with SHA-256 {found[:16]}...", f"{table.sha256[:16]}...", "delete the file and fetch it again"
        )
    return path


def _fetched(table: PublishedTable) -> Path:
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")  # a line on stderr is an error's
    try:
        return Path(
            pooch.retrieve(
                table.address,
                known_hash=f"sha256:{table.sha256}",
                fname=table.file,
                path=pooch.os_cache("superlaw"),
                progressbar=False,
            )
        )
    except ValueError as error:  # pooch refuses a file whose hash differs
        raise DamagedFileError(
            f"{table.address} ({str(error).splitlines()[0]})", f"SHA-256 {table.sha256[:16]}..."
        ) from None
    except (OSError, requests.RequestException) as error:
        raise InputError(
            f"no answer from {table.address} ({type(error).__name__})",
            "the network",
            "or set SUPERLAW_DATA to a folder that holds the tables",
        ) from None


def load_published(name: str) -> pd.DataFrame:
    """A published table with the columns that its laws need (``N`` and ``D`` for ``chinchilla``).

    Examples
    --------
    >>> load_published("llg-fig4b").iloc[0].to_dict()
    {'data_exponent': 0.0, 'weight_decay': -1.0, 'exponent': 0.8291, 'half_quantum': 0.0047}
    """
    return load_table(fetch_table(name), TABLES[name].let)
