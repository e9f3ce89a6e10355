"""Engine ``dense``: the textbook model in PyTorch with autograd. The reference for every other engine.

Needs the extra ``torch``. Readable before fast: this is the model of docs/science.md#the-toy-model line by line.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from superlaw.errors import InputError, MissingExtraError
from superlaw.toy import provenance
from superlaw.toy.protocol import BETAS, EPSILON, Watch, diverged_at, initial_state, runaway_loss, schedule
from superlaw.toy.run import Run
from superlaw.toy.spec import RunSpec

try:
    import torch
except ImportError:
    raise MissingExtraError("the engine dense", "torch") from None

ACTIVATIONS = {"relu": torch.relu, "linear": lambda z: z}
WATCH_STEPS = 10


class Dense:
    """The engine, on any PyTorch device."""

    name = "dense"

    def __init__(self, threads: int = 1, device: str = "cpu"):
        try:
            self.device = torch.device(device)
            torch.empty(1, device=self.device)
        except (RuntimeError, AssertionError) as error:
            raise InputError(f"device {device!r}: {str(error).splitlines()[0]}", "a PyTorch device here") from None
        if self.device.type == "cpu":
            torch.set_num_threads(threads)

    def check(self, spec: RunSpec) -> None:
        """Every choice of RunSpec is trained."""

    def train(self, specs: Sequence[RunSpec], watch: Watch | None = None) -> Iterator[Run]:
        """Train the specs one after another; see Engine.train."""
        for spec in specs:
            yield self._train_one(spec, watch)

    def _train_one(self, spec: RunSpec, watch: Watch | None) -> Run:
        begin = time.perf_counter()
        p = torch.as_tensor(spec.probabilities, dtype=getattr(torch, spec.dtype), device=self.device)
        random = torch.Generator(self.device).manual_seed(spec.seed % 2**63)
        W, b = (torch.nn.Parameter(torch.as_tensor(a, device=self.device)) for a in initial_state(spec))
        eta_W, eta_b = spec.peak_learning_rates
        adam = torch.optim.Adam([{"params": [W]}, {"params": [b]}], betas=BETAS, eps=EPSILON)
        losses = np.empty(spec.steps, dtype=np.float32)
        status, limit, done = "ok", np.inf, 0
        for done, rate in enumerate(schedule(spec.steps, spec.warmup), start=1):
            x = draw_batch(p, spec.batch, random)  # (B, n)
            loss = model_loss(W, b, x, spec.activation)
            adam.zero_grad()
            (spec.loss_scale / spec.n_features * loss).backward()
            adam.param_groups[0]["lr"], adam.param_groups[1]["lr"] = eta_W * rate, eta_b * rate
            decay(W, eta_W * rate, spec.weight_decay)
            adam.step()
            losses[done - 1] = loss.item()
            if done == 1:
                limit = runaway_loss(spec, float(losses[0]))
            if diverged_at(losses[done - 1 : done], limit) is not None:
                status = "diverged"
                break
            if watch and done % WATCH_STEPS == 0 and watch(spec, done, float(losses[done - 1])) and done < spec.steps:
                status = "stopped"
                break
        W_end, b_end = (a.detach().cpu().numpy().copy() for a in (W, b))
        if status == "ok" and not (np.isfinite(W_end).all() and np.isfinite(b_end).all()):
            status = "diverged"
        made = provenance.record(self.name, begin, torch=torch.__version__, device=str(self.device))
        return Run(spec, status, losses[:done].copy(), W_end, b_end, made)


def draw_batch(p: torch.Tensor, batch: int, random: torch.Generator) -> torch.Tensor:
    """x_i = u_i v_i, u_i ~ Bernoulli(p_i), v_i ~ Uniform(0, 2), shape (B, n)."""
    u = torch.rand(batch, p.numel(), generator=random, device=p.device, dtype=p.dtype) < p
    v = 2 * torch.rand(batch, p.numel(), generator=random, device=p.device, dtype=p.dtype)
    return u * v


def model_loss(W: torch.Tensor, b: torch.Tensor, x: torch.Tensor, activation: str = "relu") -> torch.Tensor:
    """L = < ||y - x||^2 >, y = f(x W W^T + b): the sum over features, mean over samples."""
    h = x @ W  # (B, m)
    y = ACTIVATIONS[activation](h @ W.T + b)  # (B, n)
    return ((y - x) ** 2).sum(dim=1).mean()


@torch.no_grad()
def decay(W: torch.Tensor, eta: float, gamma: float) -> None:
    """Decoupled decay of W before the Adam step: shrink for gamma >= 0, else grow toward unit rows."""
    if gamma >= 0:
        W.mul_(1 - eta * gamma)
    else:
        norms = W.norm(dim=1, keepdim=True)  # (n, 1)
        W.add_(W * (1 - 1 / (norms + EPSILON)), alpha=eta * gamma)
