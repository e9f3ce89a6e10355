"""Published tables for the tests: from SUPERLAW_DATA, or ../shared/data beside the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from superlaw.laws.tables import load_table


@pytest.fixture(scope="session")
def data_folder() -> Path:
    """The folder of published tables; skips, saying so, where there is none."""
    named = os.environ.get("SUPERLAW_DATA")
    folder = Path(named) if named else Path(__file__).parents[3] / "shared" / "data"
    if not (folder / "chinchilla_svg_extracted_data.csv").is_file():
        pytest.skip(f"published tables are not in {folder}: set SUPERLAW_DATA to their folder")
    return folder


@pytest.fixture(scope="session")
def chinchilla(data_folder):
    """245 runs read off Chinchilla's figure 4, with N and D."""
    return load_table(
        data_folder / "chinchilla_svg_extracted_data.csv",
        {"N": "`Model Size`", "D": "`Training FLOP` / (6 * `Model Size`)"},
    )


@pytest.fixture(scope="session")
def width_depth(data_folder):
    """The same runs with the width and depth of each architecture."""
    return load_table(data_folder / "chinchilla_width_depth.csv")


@pytest.fixture(scope="session")
def gemstones(data_folder):
    """199 cooled Gemstones points, with N = 12 m^2 l."""
    return load_table(data_folder / "gemstones_cool_end.jsonl", {"N": "12 * width**2 * depth"})
