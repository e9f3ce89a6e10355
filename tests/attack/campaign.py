"""Attack superlaw with spoilt inputs: ``python tests/attack/campaign.py --count 10000 --seed 0 --processes 2``.

Every case has a name, FORMAT:SEED, from which it can be made again: ``--repeat csv:123`` runs it, shows what was
seen and leaves its files in ``--folder``.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from random import Random

from formats import FORMATS
from harness import Case, Outcome, Warm, judge, noise


@dataclass
class Attack:
    """Examples, made once, and warm parents; cases by name."""

    folder: Path
    examples: dict[str, Path] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def example(self, name: str) -> Path:
        """The good example of a format."""
        with self.lock:
            if name not in self.examples:
                self.examples[name] = FORMATS[name].example(self.folder / "examples" / name)
            return self.examples[name]

    def case(self, name: str, seed: int) -> Case:
        """The case FORMAT:SEED in a folder of its own."""
        folder = self.folder / f"{name}-{seed}"
        shutil.rmtree(folder, ignore_errors=True)
        return FORMATS[name].case(self.example(name), folder, Random(f"{name}:{seed}"))

    def run(self, warm: Warm, name: str, seed: int, keep: bool = False) -> tuple[Case, Outcome, list[str]]:
        """Make, run and judge one case."""
        case = self.case(name, seed)
        found = warm.run(case)
        if not keep:
            shutil.rmtree(case.folder, ignore_errors=True)
        return case, found, judge(case, found)


def shares(count: int, only: list[str]) -> dict[str, int]:
    """How many cases of each format."""
    chosen = {name: FORMATS[name].weight for name in FORMATS if not only or name in only}
    return {name: max(1, round(count * weight / sum(chosen.values()))) for name, weight in chosen.items()}


def campaign(attack: Attack, todo: Queue, processes: int) -> Iterator[tuple[str, int, Case, Outcome, list[str]]]:
    """Outcomes of the cases in the queue, as they come."""
    done: Queue = Queue()

    def work() -> None:
        warm = Warm()
        try:
            while True:
                name, seed = todo.get_nowait()
                done.put((name, seed, *attack.run(warm, name, seed)))
        except Empty:
            pass
        except BaseException as error:
            done.put(error)
        finally:
            warm.close()
            done.put(None)

    for _ in range(processes):
        threading.Thread(target=work, daemon=True).start()
    left = processes
    while left:
        item = done.get()
        if item is None:
            left -= 1
        elif isinstance(item, BaseException):
            raise item
        else:
            yield item


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", action="append", default=[], choices=list(FORMATS))
    parser.add_argument("--repeat", action="append", default=[], metavar="FORMAT:SEED")
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--report", type=Path, help="JSON lines of every case with faults")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attack-", ignore_cleanup_errors=True) as temporary:
        attack = Attack(given.folder or Path(temporary))
        if given.repeat:
            return repeat(attack, given.repeat)
        return everything(attack, given)


def repeat(attack: Attack, names: list[str]) -> int:
    warm, bad = Warm(), 0
    for one in names:
        name, _, seed = one.rpartition(":")
        case, found, faults = attack.run(warm, name, int(seed), keep=True)
        print(f"{one}\n  in {case.folder}: superlaw {' '.join(a[:300] for a in case.arguments)}")
        print(f"  exit {found.code}, {found.seconds:.2f} s, {found.peak / 1e6:.0f} MB; faults: {faults or 'none'}")
        print("  out: " + found.out[:1500].replace("\n", "\n  "))
        print("  err: " + found.err[-6000:].replace("\n", "\n  "))
        bad += bool(faults)
    warm.close()
    return min(bad, 1)


def everything(attack: Attack, given: argparse.Namespace) -> int:
    todo: Queue = Queue()
    for name, count in shares(given.count, given.only).items():
        for i in range(count):
            todo.put((name, given.seed + i))
    begin, counts, kinds = time.time(), Counter(), defaultdict(Counter)
    first: dict[tuple[str, str], str] = {}
    slowest, largest, quiet = (0.0, ""), (0, ""), Counter()
    for name, seed, case, found, faults in campaign(attack, todo, given.processes):
        counts[name] += 1
        kinds[name][f"exit {found.code}"] += 1
        quiet[name] += bool(noise(found))
        slowest = max(slowest, (found.seconds, f"{name}:{seed}"))
        largest = max(largest, (found.peak, f"{name}:{seed}"))
        for fault in faults:
            kinds[name][fault.partition(":")[0].split()[0]] += 1
            first.setdefault((name, fault[:70]), f"{name}:{seed}")
        if faults and given.report:
            with given.report.open("a") as file:
                record = {
                    "case": f"{name}:{seed}",
                    "arguments": [a[:500] for a in case.arguments],
                    "faults": faults,
                    "err": found.err[-1500:],
                }
                file.write(json.dumps(record) + "\n")
    total = sum(counts.values())
    print(f"{total} cases in {time.time() - begin:.0f} s; seed {given.seed}")
    for name in counts:
        print(
            f"{name:<11} {counts[name]:>6}  "
            + ", ".join(f"{k} {v}" for k, v in sorted(kinds[name].items()))
            + (f"; noise {quiet[name]}" if quiet[name] else "")
        )
    print(f"slowest {slowest[0]:.1f} s ({slowest[1]}); largest {largest[0] / 1e6:.0f} MB ({largest[1]})")
    for (_, fault), where in sorted(first.items()):
        print(f"  {where:<18} {fault}")
    return int(bool(first))


if __name__ == "__main__":
    sys.exit(main())
