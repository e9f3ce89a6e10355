"""The engine's C++ under the sanitizers, over 2,000 random trainings: `pytest -m slow tests/toy/test_sanitizers.py`."""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

FUSED = Path(__file__).parents[2] / "src/superlaw/toy/fused"
PROGRAM = Path(__file__).parent / "sanitize/random_trainings.cpp"
KERNELS = {
    "baseline": [],
    "avx2": ["-mavx2", "-mfma"],
    "avx512": [
        "-mavx512f",
        "-mavx512bw",
        "-mavx512dq",
        "-mavx512vl",
        "-mavx512cd",
        "-mfma",
        "-mprefer-vector-width=512",
    ],
}  # as in CMakeLists.txt


def build(sanitizers: str, into: Path) -> Path:
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("needs g++")
    x86 = platform.machine() in ("x86_64", "AMD64")
    flags = [
        compiler, "-std=c++17", "-O1", "-g", "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math",
        "-fno-signed-zeros", f"-fsanitize={sanitizers}", "-fno-sanitize-recover=all", f"-I{FUSED}",
    ]  # fmt: skip
    objects = []
    for isa, more in KERNELS.items() if x86 else [("baseline", [])]:
        objects.append(str(into / f"{isa}.o"))
        compile_ = [*flags, *more, f"-DSUPERLAW_ISA={isa}", "-c", str(FUSED / "kernels.cpp"), "-o", objects[-1]]
        subprocess.run(compile_, check=True)
    program = into / "random_trainings"
    engine = sorted(str(path) for path in FUSED.glob("*.cpp") if path.stem not in ("bindings", "kernels"))
    sources = [str(PROGRAM), *engine, *objects]
    define = ["-DSUPERLAW_X86"] if x86 else []
    subprocess.run([*flags, *define, *sources, "-o", str(program), "-lpthread"], check=True)
    return program


@pytest.mark.slow
@pytest.mark.parametrize(("sanitizers", "threads"), [("address,undefined", 1), ("address,undefined", 2), ("thread", 2)])
def test_two_thousand_random_trainings_are_clean(sanitizers, threads, tmp_path):
    program = build(sanitizers, tmp_path)
    done = subprocess.run([program, "2000", str(threads)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:] + done.stdout
    assert "2000 trainings" in done.stdout
    assert int(done.stdout.split()[4]) > 1000  # sparse steps were among them
