"""Claims: one process trains a run, a claim dies with its process, and a system without locks still trains."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from superlaw import Store
from superlaw.errors import InputError

HOLDER = """
import sys, time
from superlaw import Store
with Store(sys.argv[1]).claim("a") as mine:
    print(mine, flush=True)
    time.sleep(60)
"""


def test_a_claim_is_one_holders_until_it_ends(tmp_path):
    store = Store(tmp_path)
    with store.claim("a") as first, Store(tmp_path).claim("a") as second, store.claim("b") as other:
        assert (first, second, other) == (True, False, True)
    with store.claim("a") as again:
        assert again
    assert not list((tmp_path / ".claims").iterdir())


def test_a_claim_dies_with_its_process_however_it_dies(tmp_path):
    store = Store(tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "True\n"
    with store.claim("a") as mine:
        assert not mine
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert list((tmp_path / ".claims").iterdir())
    with store.claim("a") as mine:
        assert mine


def test_a_claim_that_cannot_be_written_is_one_line(tmp_path):
    store = Store(tmp_path)
    (tmp_path / ".claims").rmdir()
    (tmp_path / ".claims").write_text("a file")
    with pytest.raises(InputError, match="can be written"), store.claim("a"):
        pytest.fail("claimed")


def test_a_system_without_fcntl_imports_and_trains(tmp_path):
    code = (
        "import sys; sys.modules['fcntl'] = None\n"
        "from superlaw import RunSpec, Store\n"
        "from superlaw.sweeps.worker import work\n"
        "spec = RunSpec(n_features=20, width=3, steps=5, batch=8)\n"
        f"assert work(spec.to_dict(), None, {str(tmp_path)!r}, 'fused', True)['outcome'] == 'trained'\n"
        f"assert Store({str(tmp_path)!r}).ids() == {{spec.id}}\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
