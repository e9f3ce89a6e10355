"""Engine ``dense``: the textbook model in PyTorch with autograd. The reference for every other engine.

Needs the extra ``torch``. Readable before fast: this is the model of docs/science.md#the-toy-model line by line,
with every variant of docs/science.md#variants.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np

from superlaw.errors import InputError, MissingExtraError
from superlaw.toy import provenance
from superlaw.toy.protocol import BETAS, EPSILON, State, Watch, diverged_at, initial_state, runaway_loss, schedule
from superlaw.toy.run import Run
from superlaw.toy.spec import RunSpec

try:
    import torch
except ImportError:
    raise MissingExtraError("the engine dense", "torch") from None

Tensor = torch.Tensor
WATCH_STEPS = 10

ACTIVATIONS = {"relu": torch.relu, "linear": lambda z: z, "gelu": torch.nn.functional.gelu}  # gelu(z) = z Phi(z)

VALUES = {  # v from uniform numbers u of [0, 1), mean 1
    "uniform": lambda u: 2 * u,
    "exponential": lambda u: -torch.log1p(-u),
    "half-normal": lambda u: (torch.pi / 2) ** 0.5 * 2**0.5 * torch.erfinv(u),
    "constant": torch.ones_like,
}


def squared_error(z: Tensor, x: Tensor, activation: str) -> Tensor:
    """L = < ||f(z) - x||^2 >: the sum over features, mean over samples."""
    return ((ACTIVATIONS[activation](z) - x) ** 2).sum(dim=1).mean()


def cross_entropy(z: Tensor, x: Tensor, activation: str) -> Tensor:
    """L = < -sum_i t_i log softmax(z)_i >, t = x / sum x: nats, mean over the samples that have an active feature."""
    total = x.sum(dim=1, keepdim=True)  # (B, 1)
    active = total[:, 0] > 0
    t = x[active] / total[active]
    return -(t * torch.log_softmax(z[active], dim=1)).sum(dim=1).mean()


LOSSES = {"squared-error": squared_error, "cross-entropy": cross_entropy}


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

    def lacks(self, spec: RunSpec) -> str:
        """Nothing: this is the reference."""
        return ""

    def check(self, spec: RunSpec) -> None:
        """Every choice of RunSpec is trained."""

    def train(self, specs: Sequence[RunSpec], watch: Watch | None = None) -> Iterator[Run]:
        """Train the specs one after another; see Engine.train."""
        for spec in specs:
            yield self._train_one(spec, watch)

    def _train_one(self, spec: RunSpec, watch: Watch | None) -> Run:
        begin = time.perf_counter()
        draw = Batches(spec, self.device)
        model = Model(spec, self.device)
        losses = np.empty(spec.steps, dtype=np.float32)
        status, limit, done, empty = "ok", np.inf, 0, 0
        for done, rate in enumerate(schedule(spec), start=1):
            x = draw()  # (B, n)
            empty += int((x.sum(dim=1) == 0).sum()) if spec.loss_function == "cross-entropy" else 0
            losses[done - 1] = model.step(x, rate)
            if done == 1:
                limit = runaway_loss(spec, float(losses[0]))
            if diverged_at(losses[done - 1 : done], limit) is not None:
                status = "diverged"
                break
            if watch and done % WATCH_STEPS == 0 and watch(spec, done, float(losses[done - 1])) and done < spec.steps:
                status = "stopped"
                break
        end = model.state()
        if status == "ok" and not end.finite:
            status = "diverged"
        more = {"samples_left_out": empty} if spec.loss_function == "cross-entropy" else {}
        made = provenance.record(self.name, begin, torch=torch.__version__, device=str(self.device), **more)
        return Run(spec, status, losses[:done].copy(), end.W, end.b, made, encoder=end.encoder)


class Batches:
    """Fresh batches x (B, n): x_i = u_i v_i, P(u_i = 1) = p_i, v_i of mean 1, groups fired together or not."""

    def __init__(self, spec: RunSpec, device: torch.device):
        self.spec, self.device, self.dtype = spec, device, getattr(torch, spec.dtype)
        self.p = torch.as_tensor(spec.probabilities, dtype=self.dtype, device=device)  # (n,)
        self.random = torch.Generator(device).manual_seed(spec.seed % 2**63)
        self.groups = None if spec.groups is None else torch.as_tensor(spec.groups, device=device)  # (n,)

    def _uniform(self, columns: int) -> Tensor:
        return torch.rand(self.spec.batch, columns, generator=self.random, device=self.device, dtype=self.dtype)

    def __call__(self) -> Tensor:
        u = self._uniform(self.p.numel())  # (B, n)
        if self.groups is not None:  # with probability c all members of a group share one uniform number
            count = int(self.groups.max()) + 1
            together, shared = self._uniform(count) < self.spec.correlation, self._uniform(count)  # (B, groups)
            u = torch.where(together[:, self.groups], shared[:, self.groups], u)
        return (u < self.p) * VALUES[self.spec.values](self._uniform(self.p.numel()))


class Model:
    """W, b (and V), and one step of the optimiser."""

    def __init__(self, spec: RunSpec, device: torch.device):
        self.spec = spec
        start = initial_state(spec)
        parameter = lambda a: torch.nn.Parameter(torch.as_tensor(a, device=device))  # noqa: E731
        self.W, self.b = parameter(start.W), parameter(start.b)  # (n, m), (n,)
        self.matrices = [self.W] if start.encoder is None else [self.W, parameter(start.encoder)]
        self.peaks = spec.peak_learning_rates
        groups = [{"params": self.matrices}, {"params": [self.b] if spec.learn_bias else []}]
        if spec.optimizer == "sgd":
            assert spec.momentum is not None, "a spec with sgd has its momentum"
            self.optimizer = torch.optim.SGD(groups, lr=0.0, momentum=spec.momentum)
        else:
            assert spec.adam_epsilon is not None, "a spec with adam has its epsilon"
            self.optimizer = torch.optim.Adam(groups, betas=BETAS, eps=spec.adam_epsilon)

    def loss(self, x: Tensor) -> Tensor:
        """L on a batch x (B, n)."""
        spec = self.spec
        return model_loss(self.W, self.b, x, spec.activation, spec.loss_function, self.matrices[-1])

    def step(self, x: Tensor, rate: float) -> float:
        """One step at a share of the peak learning rates; returns L before it."""
        spec = self.spec
        loss = self.loss(x)
        self.optimizer.zero_grad()
        seen = spec.loss_scale if spec.loss_function == "cross-entropy" else spec.loss_scale / spec.n_features
        (seen * loss).backward()
        for group, peak in zip(self.optimizer.param_groups, self.peaks, strict=True):
            group["lr"] = peak * rate
        for A in self.matrices:
            decay(A, self.peaks[0] * rate, spec.weight_decay)
        self.optimizer.step()
        if spec.rows == "unit":
            with torch.no_grad():
                for A in self.matrices:
                    A.div_(A.norm(dim=1, keepdim=True) + EPSILON)
        return loss.item()

    def state(self) -> State:
        """A copy of what is trained, as arrays."""
        W, b, *encoder = (a.detach().cpu().numpy().copy() for a in (self.W, self.b, *self.matrices[1:]))
        return State(W, b, encoder[0] if encoder else None)


def model_loss(
    W: Tensor,
    b: Tensor,
    x: Tensor,
    activation: str = "relu",
    loss_function: str = "squared-error",
    encoder: Tensor | None = None,
) -> Tensor:
    """L of y = f(W h + b), h = V^T x, on a batch x (B, n); V is W where no encoder is given."""
    h = x @ (W if encoder is None else encoder)  # (B, m)
    z = h @ W.T + b  # (B, n)
    return LOSSES[loss_function](z, x, activation)


@torch.no_grad()
def decay(W: Tensor, eta: float, gamma: float) -> None:
    """Decoupled decay of W before the optimiser's step: shrink for gamma >= 0, else grow toward unit rows."""
    if gamma >= 0:
        W.mul_(1 - eta * gamma)
    else:
        norms = W.norm(dim=1, keepdim=True)  # (n, 1)
        W.add_(W * (1 - 1 / (norms + EPSILON)), alpha=eta * gamma)
