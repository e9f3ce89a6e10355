"""Where and how a run was made: recorded, never compared."""

from __future__ import annotations

import platform
import time
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import numpy as np


def record(engine: str, begin: float, **more: Any) -> dict[str, Any]:
    """Versions, engine, machine and wall time since ``begin`` (time.perf_counter())."""
    return {
        "engine": engine,
        **more,
        "superlaw": version("superlaw"),
        "numpy": np.__version__,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "wall_seconds": round(time.perf_counter() - begin, 6),
    }
