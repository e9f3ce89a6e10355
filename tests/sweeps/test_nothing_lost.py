"""Nothing is lost: killed coordinators and workers, Ctrl-C, full disks, two sweeps at once, Dask."""

from __future__ import annotations

import json
import os
import platform
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from superlaw import Plan, RunSpec, Store, load_plan, sweep
from superlaw.sweeps.execute import execute

PLAN_TEXT = """
seeds = [0, 1]
[base]
n_features = 200
steps = 300
warmup = 30
batch = 512
[axes]
weight_decay = [-1, 0, 1]
width = [4, 6, 8, 10]
"""


@pytest.fixture
def plan_file(tmp_path):
    path = tmp_path / "plan.toml"
    path.write_text(PLAN_TEXT)
    return path


def start(plan_file: Path, store: Path, *more: object, **options) -> subprocess.Popen:
    arguments = ["sweep", "run", str(plan_file), "--store", str(store), *map(str, more)]
    return subprocess.Popen(
        [sys.executable, "-m", "superlaw", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def finish(plan_file: Path, store: Path, *more: object) -> dict:
    process = start(plan_file, store, "--json", *more)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return json.loads(out)


def whole(plan: Plan, folder: Path) -> bool:
    """Every planned run is there once, good, and nothing else is."""
    store = Store(folder)
    assert store.verify() == []
    assert not list(folder.glob(".*.tmp")) and not list((folder / ".claims").iterdir())
    return store.ids() == {spec.id for spec in plan.specs}


def stamps(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.glob("*.safetensors")}


def children(pid: int) -> list[int]:
    """Worker processes (not the resource tracker) of a coordinator."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rsplit(")", 1)[1].split()
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if int(fields[1]) == pid and b"spawn_main" in line:
                found.append(int(entry.name))
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_ten_killed_coordinators_and_then_a_resume(plan_file, tmp_path):
    store, plan, chance = tmp_path / "store", load_plan(plan_file), random.Random(0)
    kills = 0
    while kills < 10:
        process = start(plan_file, store, "--workers", 2)
        # let it get past its start, then strike at a random moment
        time.sleep(1.0 + 0.7 * chance.random())
        workers = children(process.pid)
        before = stamps(store)
        process.kill()
        process.wait()
        kills += 1
        deadline = time.time() + 5
        while any(map(alive, workers)) and time.time() < deadline:
            time.sleep(0.02)
        assert not any(map(alive, workers))  # no orphan goes on
        after = stamps(store)
        assert before.items() <= after.items()
        assert {spec.id for spec in plan.specs} >= Store(store).ids()
    before = stamps(store)
    finish(plan_file, store)
    assert whole(plan, store)
    assert before.items() <= stamps(store).items()  # what was finished was not trained again


def test_ten_killed_workers_and_the_sweep_goes_on(plan_file, tmp_path):
    store, chance, seed = tmp_path / "store", random.Random(1), 0
    options = ("--set", "steps=5000", "--seeds", "0,1")
    process = start(plan_file, store, "--workers", 2, *options)
    kills = 0
    while kills < 10:
        time.sleep(0.4 + 0.4 * chance.random())
        workers = children(process.pid)
        if workers:
            os.kill(chance.choice(workers), signal.SIGKILL)
            kills += 1
        elif process.poll() is not None:  # a quick machine: more to do
            process.communicate()
            finish(plan_file, store, *options)
            seed += 2
            options = (*options[:3], f"{seed},{seed + 1}")
            process = start(plan_file, store, "--workers", 2, *options)
    process.communicate(timeout=120)
    finish(plan_file, store, *options)  # a run whose worker was killed four times is left to a resume
    assert whole(load_plan(plan_file).change({"steps": 5000}, seeds=range(seed + 2)), store)


def die_or_mark(record, frequencies, store, engine, keep_weights, token):
    """A worker's work that kills its process on one run, and only marks the others."""
    if (record["width"], record["seed"], record["weight_decay"]) == (6, 1, 0):
        os.kill(os.getpid(), signal.SIGKILL)
    (Path(store) / f"done-{RunSpec.from_dict(record).id}").write_text(token)
    return {"outcome": "trained", "status": "ok", "loss": 1.0}


def test_a_run_that_kills_its_worker_is_recorded_as_failed_and_no_other_is(plan_file, tmp_path):
    plan = load_plan(plan_file)
    guilty = next(s for s in plan.specs if (s.width, s.seed, s.weight_decay) == (6, 1, 0))

    class Pretending(Store):
        """A store of marks in place of runs."""

        def ids(self):
            return {path.name.removeprefix("done-") for path in self.path.glob("done-*")}

        def header(self, run_id):
            return {"provenance": {"sweep": (self.path / f"done-{run_id}").read_text()}, "status": "ok"}

    tally = execute(plan.specs, Pretending(tmp_path / "store"), workers=2, work=die_or_mark)
    assert list(tally.failed) == [guilty.id] and "the last time alone" in tally.failed[guilty.id]
    assert tally.trained == 23


def test_ctrl_c_stops_soon_exits_130_and_says_how_to_resume(plan_file, tmp_path):
    store = tmp_path / "store"
    process = start(plan_file, store, "--workers", 2, "--set", "steps=20000")
    while not children(process.pid) and process.poll() is None:
        time.sleep(0.05)
    time.sleep(1.5)
    process.send_signal(signal.SIGINT)
    begin = time.time()
    _, err = process.communicate(timeout=20)
    assert time.time() - begin < 2
    assert process.returncode == 130
    assert err.count("\n") == 1 and "run the same command to resume" in err
    assert not list(store.glob(".*.tmp"))


def test_ctrl_c_in_a_terminal_reaches_the_workers_too(plan_file, tmp_path):
    process = start(plan_file, tmp_path / "store", "--workers", 2, "--set", "steps=20000", start_new_session=True)
    while not children(process.pid) and process.poll() is None:
        time.sleep(0.05)
    time.sleep(1.5)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130 and err.count("\n") == 1


def test_two_sweeps_on_one_store_share_the_work(plan_file, tmp_path):
    store, plan = tmp_path / "store", load_plan(plan_file)
    pair = [start(plan_file, store, "--workers", 1, "--json") for _ in range(2)]
    results = [process.communicate(timeout=120) for process in pair]
    assert [process.returncode for process in pair] == [0, 0], results
    assert whole(plan, store)
    trained = sum(json.loads(out)["trained"] for out, _ in results)
    assert trained == len(plan.specs)  # claims: each run once


def test_a_full_disk_is_one_line_and_the_store_stays_valid(plan_file, tmp_path):
    """A file-size limit stands for the full disk: a write fails in the middle."""
    store, plan = tmp_path / "store", load_plan(plan_file)
    train = f"{sys.executable} -m superlaw sweep run {plan_file} --store {store} --workers 1"
    limited = ["bash", "-c", f"ulimit -f 8; trap '' XFSZ; exec {train}"]
    done = subprocess.run(limited, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert "File too large" in done.stderr
    assert Store(store).verify() == [] and not list(store.glob(".*.tmp"))
    finish(plan_file, store)
    assert whole(plan, store)


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small tmpfs needs root")
def test_a_full_file_system_is_one_line_and_resumes_when_there_is_room(plan_file, tmp_path):
    mount = tmp_path / "small"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(mount)], capture_output=True).returncode:
        pytest.skip("this container may not mount")
    try:
        process = start(plan_file, mount / "store", "--workers", 1)
        _, err = process.communicate(timeout=60)
        assert process.returncode == 2 and err.count("\n") == 1 and "No space left" in err
        kept = stamps(mount / "store")
        assert kept and Store(mount / "store").verify() == []
        subprocess.run(["mount", "-o", "remount,size=64m", str(mount)], check=True)
        finish(plan_file, mount / "store")
        assert whole(load_plan(plan_file), mount / "store")
        assert kept.items() <= stamps(mount / "store").items()
    finally:
        subprocess.run(["umount", str(mount)], check=False)


def test_a_killed_process_that_nobody_has_waited_for_is_dead(tmp_path):
    store = Store(tmp_path)
    zombie = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    host = platform.node().rsplit(".", 1)[-1]
    left = tmp_path / f".0123456789abcdef.safetensors.{host}.{zombie.pid}.00000000.tmp"
    left.touch()
    assert store.clean() == 0 and left.exists()
    zombie.kill()
    deadline = time.time() + 10
    while not store.clean() and time.time() < deadline:
        time.sleep(0.01)
    assert not left.exists()
    zombie.wait()


def test_a_dask_cluster_survives_a_killed_worker_and_gives_the_same_bits(plan_file, tmp_path):
    pytest.importorskip("distributed")
    local = sweep(plan_file, tmp_path / "local", workers=2)
    processes = []
    try:
        address_file = tmp_path / "scheduler.json"
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        dask = [sys.executable, "-m", "distributed.cli.dask_scheduler"]
        options = ["--scheduler-file", str(address_file), "--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
        processes.append(subprocess.Popen([*dask, *options], **quiet))
        worker = [sys.executable, "-m", "distributed.cli.dask_worker", "--scheduler-file", str(address_file)]
        options = [
            "--nthreads",
            "1",
            "--no-nanny",
            "--no-dashboard",
            "--host",
            "127.0.0.1",
            "--local-directory",
            str(tmp_path),
        ]
        deadline = time.time() + 30
        while not address_file.exists() and time.time() < deadline:
            time.sleep(0.1)
        workers = [subprocess.Popen([*worker, *options], **quiet) for _ in range(2)]
        processes += workers
        address = json.loads(address_file.read_text())["address"]
        process = start(plan_file, tmp_path / "dask", "--scheduler", address, "--json")
        deadline = time.time() + 60
        while len(stamps(tmp_path / "dask")) < 3 and time.time() < deadline and process.poll() is None:
            time.sleep(0.02)
        workers[0].kill()
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert whole(load_plan(plan_file), tmp_path / "dask"), out
        for spec in local.plan.specs:
            a, b = local.store.load(spec.id), Store(tmp_path / "dask").load(spec.id)
            assert a.W.tobytes() == b.W.tobytes() and a.losses.tobytes() == b.losses.tobytes()
    finally:
        for process in processes:
            process.kill()
            process.wait()
