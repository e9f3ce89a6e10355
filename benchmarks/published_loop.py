"""The yardstick, frozen: the published training loop's step, in PyTorch (needs the extra torch).

Two torch.rand of B x n, float32, y = relu(x W W^T + b), AdamW by autograd, growth toward unit rows. It is
kept apart from the engine `dense`, so that a change there cannot move the yardstick.
"""

from __future__ import annotations

import numpy as np
import torch


class PublishedLoop:
    """One model of n features and width m; ``step()`` is what the published script does each step."""

    def __init__(self, n: int, m: int, batch: int, frequencies: np.ndarray, gamma: float = -1.0, seed: int = 0):
        torch.manual_seed(seed)
        self.p = torch.as_tensor(frequencies, dtype=torch.float32)
        self.batch, self.gamma, self.rate = batch, gamma, 1e-3
        self.W = torch.nn.Parameter(torch.randn(n, m) / m**0.5)
        self.b = torch.nn.Parameter(torch.randn(n))
        self.adam = torch.optim.AdamW([self.W, self.b], lr=self.rate, weight_decay=0.0)

    def step(self) -> None:
        present = (torch.rand(self.batch, self.p.numel()) < self.p).float()
        x = present * torch.rand(self.batch, self.p.numel()) * 2
        self.adam.zero_grad()
        y = torch.relu(x @ self.W @ self.W.T + self.b)
        ((y - x) ** 2).mean().backward()
        with torch.no_grad():
            norms = self.W.norm(dim=1, keepdim=True)
            self.W.add_(self.W * (1 - 1 / (norms + 1e-8)), alpha=self.rate * self.gamma)
        self.adam.step()
