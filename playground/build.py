"""Build the playground: one HTML file of the engine (WebAssembly), the page and all it needs.

    python playground/build.py

It needs the package ziglang (a C++ compiler for WebAssembly; pip install 'superlaw[playground]'), Node.js and npm. The
page goes to playground/dist/index.html, and beside the package's own pages, where `superlaw playground` finds it and
a wheel that is built afterwards takes it along.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FUSED = HERE.parent / "src" / "superlaw" / "toy" / "fused"
ENGINE = ("trainer", "arrays", "sampler", "groups", "grouped_batch", "kernels")
OUT = HERE / "dist" / "index.html"
IN_PACKAGE = HERE.parent / "src" / "superlaw" / "report" / "static" / "playground.html"
FLAGS = [
    "-target", "wasm32-wasi", "-mexec-model=reactor", "-std=c++17", "-O3", "-msimd128",
    "-ffp-contract=fast", "-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros",  # as in CMakeLists.txt
    "-fvisibility=hidden", "-fno-rtti", "-DSUPERLAW_ONE_THREAD", "-DSUPERLAW_ISA=baseline", f"-I{FUSED}",
    "-rdynamic", "-Wl,--strip-all,-z,stack-size=262144",
]  # fmt: skip


def compile_engine(out: Path) -> None:
    """The engine's C++ files and the C interface to them as one WebAssembly module."""
    out.parent.mkdir(parents=True, exist_ok=True)
    sources = [HERE / "engine" / "playground.cpp", *(FUSED / f"{name}.cpp" for name in ENGINE)]
    run(sys.executable, "-m", "ziglang", "c++", *FLAGS, *sources, "-o", out)


def licences() -> str:
    """What the page holds of others that asks to be named: of the C library, and of uPlot.

    LLVM's parts ask for nothing in compiled form (the exception of their licence).
    """
    import ziglang

    lib = Path(ziglang.__file__).parent / "lib" / "libc"
    texts = {
        "superlaw": HERE.parent / "LICENSE",
        "uPlot": HERE / "node_modules" / "uplot" / "LICENSE",
        "wasi-libc": lib / "wasi" / "LICENSE-MIT",
        "wasi-libc, cloudlibc": lib / "wasi" / "libc-bottom-half" / "cloudlibc" / "LICENSE",
        "musl": lib / "wasi" / "libc-top-half" / "musl" / "COPYRIGHT",
    }
    return "\n\n".join(f"{name}\n\n{path.read_text().strip()}" for name, path in texts.items())


def bundle(engine: Path, out: Path) -> None:
    """The page with the engine inside, its types checked first."""
    installed, wanted = HERE / "node_modules" / ".package-lock.json", HERE / "package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < wanted.stat().st_mtime:
        run("npm", "ci", "--no-audit", "--no-fund")
    run("npm", "run", "--silent", "check")
    out.parent.mkdir(exist_ok=True)
    notices = engine.with_name("licences.txt")
    notices.write_text(licences())
    run("node", "bundle.mjs", engine, notices, out, digest())


def digest() -> str:
    """Of all that the page is made from; the page says it, so that one that is out of date is known."""
    files = [*FUSED.glob("*.[ch]pp"), *(HERE / "engine").iterdir(), *(HERE / "src").rglob("*"), HERE / "build.py",
             HERE / "bundle.mjs", HERE / "package-lock.json"]  # fmt: skip
    whole = hashlib.sha256()
    for path in sorted(path for path in files if path.is_file() and path.stem != "bindings"):
        whole.update(path.name.encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:16]


def build() -> Path:
    """Everything; returns the page."""
    engine = HERE / "build" / "engine.wasm"
    compile_engine(engine)
    bundle(engine, OUT)
    shutil.copyfile(OUT, IN_PACKAGE)
    return OUT


def lacking() -> str:
    """What the build needs and this machine lacks, with what to do; "" where nothing."""
    from importlib.util import find_spec

    if find_spec("ziglang") is None:
        return "no ziglang: pip install 'superlaw[playground]'"
    return next((f"no {name}: install Node.js" for name in ("node", "npm") if shutil.which(name) is None), "")


def run(*command: str | Path) -> None:
    """One command, in this folder."""
    subprocess.run([str(part) for part in command], check=True, cwd=HERE)


if __name__ == "__main__":
    if lacking():
        sys.exit(f"playground: {lacking()}")
    try:
        page = build()
    except subprocess.CalledProcessError as failed:  # what failed has said why
        sys.exit(f"playground: {failed.cmd[0]} ended with {failed.returncode}")
    print(f"{page}: {page.stat().st_size / 1000:.0f} kB")
