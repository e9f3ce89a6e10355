"""Published tables of training runs, fetched or derived; and points of published figures.

Of the tables of runs those that are tables where they were published are fetched once by address and checksum. With
``SUPERLAW_DATA`` set to a folder that holds them under the names below (there or in its folder ``tables``), they are
read from there (the checksum is verified all the same); otherwise pooch fetches them into the user's cache. Derived
ones, numbers taken out of notebooks, pickles and folders of records, come with the package, as do points of figures.
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
DERIVED = Path(__file__).parent / "derived"


@dataclass(frozen=True)
class PublishedTable:
    """One table: what it is, where it was published, and its SHA-256.

    ``let`` are columns that the table lacks and its laws need. ``derived`` says what was done to an original that is no
    table; the result is part of the package, and the checksum is that of the result.
    """

    name: str
    what: str
    file: str
    repository: str
    commit: str
    path: str
    sha256: str
    let: tuple[str, ...] = ()
    derived: str = ""

    @property
    def address(self) -> str:
        """Where the original stands."""
        return f"{HOST}/{self.repository}/{self.commit}/{self.path}"

    @property
    def origin(self) -> str:
        """Where it comes from, for a list of tables."""
        return f"{self.repository} (derived)" if self.derived else self.repository


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
        PublishedTable(
            "xlstm-llama",
            "317 Llama-like models of the xLSTM study, widths 512 to 2304, three contexts, iso-FLOP sweeps",
            "xlstm2025_llama.csv",
            "NX-AI/xlstm_scaling_laws",
            "604bb3062d3a7681bb33e467108cb0a6f81267fc",
            "data",
            "b7070170b453a67bb6bd32ed501dfb0af71fbc05b85874c1b3e720ac19ab1e24",
            derived="configuration and last losses of the runs in isoflop_llama_*_wandb_data.pkl",
        ),
        PublishedTable(
            "olmo-ladder",
            "30 runs of the OLMo ladder, widths 768 to 3328, 0.5 to 10 times Chinchilla's tokens, 11 validation losses",
            "olmo_ladder_final.csv",
            "allenai/OLMo-ladder",
            "67a3f440f787d020da35e3ca8eeae475fae754f5",
            "src/scripts/paper/data/ladder-runs",
            "22d26e05fd8d24a10ecbe554f0104968830a95072b283bd0ae23d1386a362741",
            derived="the last row of each run's history (Apache-2.0)",
        ),
        PublishedTable(
            "gadre-models",
            "104 runs of the over-training study, three corpora, eight losses with intervals (arXiv:2403.08540)",
            "gadre2024_models.csv",
            "mlfoundations/scaling",
            "a003c4913793ac2ae7ef87b28ecb562955d026d5",
            "exp_data/models",
            "c51e13089081af0a90558c12f0d54d7d7f5ef59d44aaf3c335c08e40aa71962f",
            derived="one row of each model's JSON record (MIT)",
        ),
        PublishedTable(
            "datablations",
            "296 data-constrained runs: parameters, tokens, unique tokens (arXiv:2305.16264)",
            "datablations2023_c4_val_losses.csv",
            "huggingface/datablations",
            "13701315b163f1c54642b94ad237b2699187c3ee",
            "utils/parametric_fit.ipynb",
            "42dcffc9413013fbd0bc3e41ab42f5a7bada817f0d665671b32bd1bc87bb2965",
            derived="the lists of runs in the notebook's cells (Apache-2.0)",
        ),
        PublishedTable(
            "porian-isoflop",
            "1,264 points of FLOP budgets by recipe, 16 shapes, two corpora (arXiv:2406.19146)",
            "porian2024_isoflop_points.csv",
            "formll/resolving-scaling-law-discrepancies",
            "0dc60d91b8a525858a3067fc9e4a46ff5374cc6f",
            "data",
            "26b8ce5bc648f7cf39cd7c9836abfef9806208d44bf3723df7f97b59d59fce1f",
            derived="the points of summary_df*.pickle.xz (MIT)",
        ),
        PublishedTable(
            "marin-isoflop",
            "96 runs of Marin's iso-FLOP sweeps on Nemotron, a W&B table export",
            "marin2026_isoflop_nemotron.csv",
            "Open-Athena/scaling-law-analysis",
            "3e0656ee3dce1a2c89aa67691920f5eb9d30f0fc",
            "data/isoflops/extract/marin_202603/raw/isoflop-nemotron.csv",
            "5e615183ba71083721a5bc169adf7c9c997c4820fd69f383f108e0a4ca3ea375",
        ),
        PublishedTable(
            "isoflops",
            "947 iso-FLOP points of Chinchilla (two readings), Llama 3, Marin and others",
            "isoflops2026.csv",
            "Open-Athena/scaling-law-analysis",
            "3e0656ee3dce1a2c89aa67691920f5eb9d30f0fc",
            "data/isoflops/extract/isoflops.csv",
            "cf343ffda3106862e0e73bfc10ed017f683a03e46f4540896a213276fd180651",
        ),
        PublishedTable(
            "step-law",
            "1,911 runs: learning rate and batch at 17 sizes N, D (arXiv:2503.04715)",
            "steplaw_dense_lr_bs_loss.csv",
            "step-law/steplaw",
            "32a8f4cc50247695fb56cc6c9117abdf67c97763",
            "data/dense_lr_bs_loss.csv",
            "9e46181076c04d450294d75dfe6f72adc416e231e154a07b337e378f9410002c",
            ("batch = 2048 * bs",),
        ),
        PublishedTable(
            "vocabulary",
            "1,200 points: ten vocabularies by six models (arXiv:2407.13623)",
            "vocab2024_exp_data.csv",
            "sail-sg/scaling-with-vocab",
            "6701cc202af8b075a46eef8e9d263b3f2ebe012c",
            "exp_data.csv",
            "6571e877469a44cb50b2d05e1fa485587369ee1c47941a4b3b2bfef80496f1b2",
            ("N_nv = Non_vocab_parameters", "N_v = vocab_size * embed_dim", "D = FLOPs / (6 * (N_nv + N_v))"),
        ),
        PublishedTable(
            "gadre-grid",
            "435 runs of the over-training study's grid: ten widths by five depths at 20 tokens a parameter",
            "gadre2024_grid.json",
            "mlfoundations/scaling",
            "a003c4913793ac2ae7ef87b28ecb562955d026d5",
            "exp_data/grid.json",
            "ca332946e0f359950c47a115662e8fdea40e33807fc6bb8ebb0adc4a17521050",
            ("width = d", "depth = l", "tokens = name_5"),
        ),
        PublishedTable(
            "routing-curves",
            "5,799 points of loss curves of dense and routed models (arXiv:2202.01169)",
            "routing2022_curves.csv.gz",
            "google-deepmind/scaling_laws_for_routing",
            "42da0c392b127df2c01fa7b705f72396050d05e5",
            "data/curves.csv.gz",
            "c03e7531add85e594f368d33bac4a0220280be858a7ed12d147cf73af6a3819f",
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
    if table.derived:
        path = DERIVED / table.file
    else:
        path = _in_folder(Path(folder), table.file) if folder else _fetched(table)
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


def _in_folder(folder: Path, file: str) -> Path:
    beside = folder / file
    return beside if beside.is_file() else folder / "tables" / file


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
