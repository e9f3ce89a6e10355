"""Change one thing and see what happens to the exponent: here, the batch size.

    python examples/own_sweep.py [STORE] [STEPS]

Run it again and it goes on where it was; raise STEPS for a picture worth reading (the study: 20,000).
"""

import sys

import superlaw


def main() -> None:
    store = sys.argv[1] if len(sys.argv) > 1 else "own-sweep"
    steps = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
    plan = superlaw.Plan(
        name="batch-size",
        base={"n_features": 500, "weight_decay": -1, "steps": steps, "warmup": steps // 10},
        axes={"batch": (512, 2048), "width": (10, 20, 40)},
        seeds=(0, 1),
    )
    sweep = superlaw.sweep(plan, store)
    print(superlaw.exponents(sweep)[["batch", "exponent", "stderr", "n", "regime", "theory"]].to_string(index=False))


if __name__ == "__main__":  # workers import this file
    main()
