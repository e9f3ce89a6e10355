"""A parent that has imported superlaw once and forks a child for each command line it reads.

One JSON object a line comes in (arguments, folder, environment, limits), one goes out (what became of the child).
The child is the command itself: the console script's own entry point, in its own session, with its own files as
stdout and stderr. The parent watches its memory and time, and kills the whole session at a limit.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import pkgutil
import resource
import select
import signal
import sys
import time
import traceback
import warnings
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

PAGE = resource.getpagesize()
LOOK = 20  # milliseconds between two looks at a child
FURTHER = (
    "pyarrow.parquet",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "tokenizers",
    "torch",
    "transformers",
    "rich.console",
    "pandas",
    "scipy.optimize",
    "scipy.stats",
    "openpyxl",
    "tensorboard.backend.event_processing.event_file_loader",
    "tensorboard.plugins.hparams.plugin_data_pb2",
    "tensorboard.util.tensor_util",
)


def preload() -> Any:
    """Every module of the package, and what its commands import where they use it; the entry point."""
    import superlaw

    for module in pkgutil.walk_packages(superlaw.__path__, "superlaw."):
        if not module.name.endswith("__main__"):
            with contextlib.suppress(ImportError):
                importlib.import_module(module.name)
    for name in FURTHER:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    (entry,) = entry_points(group="console_scripts", name="superlaw")
    main = entry.load()
    gc.freeze()  # pages of objects that live for ever stay shared with every child
    return main


def become(main: Any, case: dict[str, Any]) -> None:
    """The child: run the command and leave as the interpreter would."""
    os.setsid()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if case.get("file_size"):
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (case["file_size"],) * 2)
    for number, name, mode in (
        (0, os.devnull, os.O_RDONLY),
        (1, case["stdout"], os.O_WRONLY | os.O_CREAT),
        (2, case["stderr"], os.O_WRONLY | os.O_CREAT),
    ):
        handle = os.open(name, mode, 0o644)
        os.dup2(handle, number)
        os.close(handle)
    sys.stdin, sys.stdout, sys.stderr = (
        os.fdopen(number, mode, encoding="utf-8", errors="strict", closefd=False)
        for number, mode in ((0, "r"), (1, "w"), (2, "w"))
    )
    os.chdir(case["folder"])
    os.environ.update(case["environment"])
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["superlaw", *case["arguments"]]
    code: Any = 0
    try:
        main()
    except SystemExit as stop:
        code = stop.code
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
    except BaseException:
        traceback.print_exc()
        code = 1
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()  # pools and semaphores of the command, as at the end of an interpreter
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    with contextlib.suppress(Exception):
        sys.stderr.flush()
    os._exit(code or 0)


def resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_bytes().split()[1]) * PAGE
    except (OSError, IndexError):
        return 0


def processor(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, IndexError):
        return 0.0


def watch(pid: int, case: dict[str, Any]) -> dict[str, Any]:
    """Wait for the child; kill its session at a limit."""
    begin, peak, killed = time.monotonic(), 0, None
    handle = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    while not poll.poll(LOOK):
        peak = max(peak, resident(pid))
        if peak > case["bytes"]:
            killed = "memory"
        elif processor(pid) > case["seconds"] or time.monotonic() - begin > 3 * case["seconds"]:
            killed = "time"
        if killed:
            os.killpg(pid, signal.SIGKILL)
            break
    os.close(handle)
    _, status, used = os.wait4(pid, 0)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)  # whatever the command started must not outlive it
    return {
        "code": os.waitstatus_to_exitcode(status),
        "killed": killed,
        "peak": max(peak, used.ru_maxrss * 1024),
        "seconds": used.ru_utime + used.ru_stime,
        "wall": time.monotonic() - begin,
    }


def serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what is imported here and would not be there
        main = preload()
    print(json.dumps({"resident": resident(os.getpid())}), file=answers, flush=True)
    for line in sys.stdin:
        case = json.loads(line)
        pid = os.fork()
        if pid == 0:
            answers.close()
            become(main, case)
        print(json.dumps(watch(pid, case)), file=answers, flush=True)


if __name__ == "__main__":
    serve()
