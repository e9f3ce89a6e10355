# The compiled extension (bindings.cpp), as fused/__init__.py calls it: arrays are C-contiguous; it checks nothing.

import numpy as np

def variants() -> list[str]: ...
def exponentials(seed: int, out: np.ndarray, simd: str) -> None: ...
def sample(
    frequencies: np.ndarray, batch: int, seed: int, step: int, simd: str
) -> tuple[list[int], list[int], list[float]]: ...
def gradient(
    W: np.ndarray,
    b: np.ndarray,
    start: np.ndarray,
    which: np.ndarray,
    value: np.ndarray,
    batch: int,
    threads: int,
    simd: str,
    products: str,
    dW: np.ndarray,
    db: np.ndarray,
) -> float: ...
def peak_flops(simd: str, seconds: float) -> float: ...

class Training:
    def __init__(
        self,
        W: np.ndarray,
        b: np.ndarray,
        frequencies: np.ndarray,
        batch: int,
        seed: int,
        loss_scale: float,
        beta1: float,
        beta2: float,
        epsilon: float,
        weight_decay: float,
        threads: int,
        simd: str,
        products: str,
    ) -> None: ...
    def advance(self, learning_rates: np.ndarray, bias_learning_rates: np.ndarray, losses: np.ndarray) -> None: ...
    def sparse_steps(self) -> int: ...
    def state(self, W: np.ndarray, b: np.ndarray) -> None: ...
