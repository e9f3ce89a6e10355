"""Two examples for each command, with which its --help ends; tests/cli/test_examples.py runs them all."""

from __future__ import annotations

WIDEST = 76  # characters, so that they stand on one line of a terminal of 80

EXAMPLES: dict[str, tuple[str, str]] = {
    "demo": ("demo", "demo --text my.txt -o demo-my"),
    "train": (
        "train --width 25 --weight-decay -1 --steps 3000 -o run.safetensors",
        "train --spec run.safetensors --seed 1 --json",
    ),
    "show": ("show run.safetensors", "show run.safetensors --groups"),
    "evaluate": (
        "evaluate run.safetensors",
        "evaluate run.safetensors --samples 200k --per-feature features.csv",
    ),
    "exponents": ("exponents runs", "exponents runs --where 'weight_decay < 0'"),
    "figure": ("figure list", "figure weight-decay --store runs -o weight-decay.html"),
    "reproduce": ("reproduce strong --budget 10m", "reproduce exponents --from runs"),
    "report": ("report runs -o report.html", "report fit.json runs -o both.html"),
    "sweep run": (
        "sweep run weight-decay-grid-small --store runs --dry-run",
        "sweep run weight-decay-grid-small --store runs --only width=10,25",
    ),
    "sweep status": (
        "sweep status weight-decay-grid-small --store runs",
        "sweep status weight-decay-grid-small --store runs --json",
    ),
    "sweep table": (
        "sweep table weight-decay-grid-small --store runs -o table.csv",
        "sweep table weight-decay-grid-small --store runs -o table.parquet",
    ),
    "sweep gather": ("sweep gather runs -o gathered.csv", "sweep gather runs --along-steps -o steps.csv"),
    "sweep grid": (
        "sweep grid weight-decay-grid-small --store runs -o grid.nc",
        "sweep grid weight-decay-grid-small --store runs --seeds 0 -o one.nc",
    ),
    "sweep verify": ("sweep verify --store runs", "sweep verify --store runs --keep --json"),
    "sweep list": ("sweep list", "sweep list --json"),
    "law look": ("law look runs.csv", "law look runs.csv --let 'N = 12 * width**2 * depth'"),
    "law fit": (
        "law fit runs.csv --law additive:width,tokens -o fit.json",
        "law fit runs.csv --law chinchilla:params,tokens --report fit.html",
    ),
    "law compare": (
        "law compare runs.csv --law power:width --law additive:width,tokens",
        "law compare runs.csv --law power:width --law power:params --folds 5",
    ),
    "law sensitivity": (
        "law sensitivity runs.csv --law additive:width,tokens",
        "law sensitivity runs.csv --law power:params --drop-highest 3",
    ),
    "law saving": (
        "law saving recipes.json --loss 3 --of params --at tokens=10B",
        "law saving recipes.json --flops 1e19",
    ),
    "law optimum": (
        "law optimum fit.json --loss 2.9 --of width --at tokens=10B",
        "law optimum chinchilla.json --flops 1e18:1e22 --plot frontier.png",
    ),
    "law predict": (
        "law predict fit.json --at width=512,tokens=1T",
        "law predict fit.json --points sizes.csv --table md",
    ),
    "law backtest": (
        "law backtest fit.json --cost '6 * width * tokens'",
        "law backtest chinchilla.json --plot backtest.png",
    ),
    "law next": (
        "law next fit.json --budget 1T --cost '6 * width * tokens' --runs 3",
        "law next chinchilla.json --budget 1e19 --target alpha",
    ),
    "law gain": (
        "law gain old.csv new.csv --law chinchilla:params,tokens",
        "law gain old.csv new.csv --law power:flops --at-loss 2.9,3.1",
    ),
    "law isoflop": (
        "law isoflop isoflop.csv --params params --tokens tokens",
        "law isoflop isoflop.csv --params params --tokens tokens --json",
    ),
    "law replicates": (
        "law replicates runs.csv --law additive:width,tokens",
        "law replicates runs.csv --law chinchilla:params,tokens --json",
    ),
    "law plot": ("law plot fit.json residuals -o residuals.png", "law plot fit.json profile -o profile.html"),
    "data list": ("data list", "data list --json"),
    "data fetch": ("data fetch chinchilla", "data fetch gemstones --json"),
    "lm head": ("lm head head.npy", "lm head head.npy --centre --plot head.png"),
    "lm tokens": (
        "lm tokens --tokenizer model --corpus wiki=wiki.txt -o counts.json",
        "lm tokens --tokenizer model --corpus a=a.txt --json -o a.json",
    ),
    "lm loss": (
        "lm loss model --corpus wiki=wiki.txt -o losses.csv",
        "lm loss model --corpus wiki=wiki.txt --document line -o lines.csv",
    ),
    "lm study": (
        "lm study family.toml --corpus wiki=wiki.txt -o study",
        "lm study family.toml --corpus wiki=wiki.txt --documents 50 -o quick",
    ),
    "shape compare": (
        "shape compare --a width=1600,depth=48 --b width=3200,depth=12",
        "shape compare --a width=2k,depth=8 --b width=1k,depth=32 --json",
    ),
    "shape best": ("shape best --params 1B", "shape best --params 1B --tokens 20B --plot best.png"),
    "shape capacity": ("shape capacity --store capacity", "shape capacity --widths 8 --seeds 0 --store one-width"),
    "data sample": ("data sample", "data sample -o try"),
    "playground": ("playground", "playground --port 8000 --browser"),
    "study width-law": ("study width-law runs.csv", "study width-law -o width-law"),
}


def epilog(*path: str) -> str | None:
    """What the help of a command ends with; None where it has no examples."""
    lines = EXAMPLES.get(" ".join(path))
    return None if lines is None else "\n".join(["Examples:", "", "\b", *(f"superlaw {line}" for line in lines)])
