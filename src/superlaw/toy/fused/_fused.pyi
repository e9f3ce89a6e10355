# The compiled extension (bindings.cpp), as fused/__init__.py calls it: arrays are C-contiguous; it checks nothing.

import numpy as np

def variants() -> list[str]: ...
def exponentials(seed: int, out: np.ndarray, simd: str) -> None: ...
def sample(data: Distribution, step: int, simd: str) -> tuple[list[int], list[int], list[float]]: ...
def gradient(
    W: np.ndarray,
    b: np.ndarray,
    V: np.ndarray | None,
    entries: tuple[np.ndarray, ...],
    batch: int,
    settings: Settings,
    dW: np.ndarray,
    db: np.ndarray,
    dV: np.ndarray | None,
) -> float: ...
def peak_flops(simd: str, seconds: float) -> float: ...

class Distribution:
    def __init__(
        self,
        frequencies: np.ndarray,
        batch: int,
        seed: int,
        values: str = "uniform",
        correlation: float = 0.0,
        groups: np.ndarray | None = None,
    ) -> None: ...

class Settings:
    output: str
    tied: bool
    optimizer: str
    beta1: float  # of adam; the momentum of sgd
    beta2: float
    epsilon: float
    norm_epsilon: float
    weight_decay: float
    loss_scale: float
    unit_rows: bool
    learn_bias: bool
    threads: int
    simd: str
    products: str
    def __init__(self) -> None: ...

class Training:
    def __init__(
        self, W: np.ndarray, b: np.ndarray, V: np.ndarray | None, data: Distribution, settings: Settings
    ) -> None: ...
    def advance(self, learning_rates: np.ndarray, bias_learning_rates: np.ndarray, losses: np.ndarray) -> None: ...
    def sparse_steps(self) -> int: ...
    def samples_left_out(self) -> int: ...
    def state(self, W: np.ndarray, b: np.ndarray, V: np.ndarray | None) -> None: ...
