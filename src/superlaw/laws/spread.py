"""How the spread of errors changes with size."""

from __future__ import annotations

import numpy as np

PRIOR = 1.0  # variance of the trend of log variance by one standard deviation of a log size
STEEPEST = 3.0  # of the log of the standard deviation, over the whole range


def standard_sizes(sizes: np.ndarray) -> np.ndarray:
    """Logs of sizes (columns, n) (sizes themselves where some are not positive), of mean 0 and deviation 1; (n, K).

    A column that does not vary is 0.
    """
    logs = np.array([np.log(row) if (row > 0).all() else row for row in sizes])
    centred = logs - logs.mean(axis=1, keepdims=True)
    scale = centred.std(axis=1)
    return (centred / np.where(scale > 0, scale, 1.0)[:, None]).T


def spread_trend(errors: np.ndarray, rest: np.ndarray, z: np.ndarray) -> np.ndarray:
    """The errors' standard deviation (n,), of mean square 1, by the likeliest log-linear trend in z (n, K).

    ``rest`` is 1 - leverage of each point: its residual is that much smaller.
    """
    n, K = z.shape
    squares = errors**2 / np.maximum(rest, 0.05)
    if K == 0 or not squares.mean() > 0:
        return np.ones(n)
    A = np.column_stack([np.ones(n), z])
    prior = np.diag([0.0] + [1 / PRIOR] * K)
    coefficients = np.zeros(K + 1)
    coefficients[0] = np.log(squares.mean())
    for _ in range(30):  # scoring of the normal likelihood
        slope = A.T @ (squares * np.exp(-A @ coefficients) - 1) / 2 - prior @ coefficients * (np.arange(K + 1) > 0)
        step = np.clip(np.linalg.solve(A.T @ A / 2 + prior, slope), -1, 1)
        coefficients += step
        if np.abs(step).max() < 1e-8:
            break
    deviation = np.exp(np.clip(z @ coefficients[1:] / 2, -STEEPEST, STEEPEST))
    return deviation / np.sqrt((deviation**2).mean())
