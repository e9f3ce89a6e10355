// Runs as they go: their losses in windows evenly long in log, the last hundred, whether they diverged.
import type { Engine, Training } from "./engine";
import type { Spec } from "./setting";
import { silence } from "./theory";

const POINTS = 140; // windows of a curve
export const LAST = 100; // steps of which the loss of a run is the mean
const RUNAWAY = 1e3; // a loss so many times the first one, or that of silence, has diverged

/** Last steps of the windows of a curve of T steps, increasing, the last one T. */
export function edges(steps: number): number[] {
  const ends = Array.from({ length: POINTS }, (_, k) => Math.round(steps ** ((k + 1) / POINTS)));
  return [...new Set(ends)];
}

/** What a page is told of one run. */
export interface Progress {
  done: number;
  loss: number; // mean of the last steps, a hundred at most; NaN before the first
  loss_std: number;
  diverged: boolean;
  curve: (number | null)[]; // mean loss of each window, null where none of its steps is done
}

export class Run {
  readonly training: Training;
  readonly #edges: number[];
  readonly #sums: Float64Array;
  readonly #counts: Int32Array;
  #window = 0;
  #limit = Infinity;
  diverged = false;

  constructor(engine: Engine, readonly spec: Spec) {
    this.training = engine.start(spec);
    this.#edges = edges(spec.steps);
    this.#sums = new Float64Array(this.#edges.length);
    this.#counts = new Int32Array(this.#edges.length);
  }

  get over(): boolean {
    return this.diverged || this.training.done === this.spec.steps;
  }

  advance(steps: number): void {
    const before = this.training.done;
    this.training.advance(steps);
    const losses = this.training.losses(before);
    if (before === 0 && losses.length)
      this.#limit = RUNAWAY * Math.max(losses[0], silence(this.spec.activation_density));
    losses.forEach((loss, k) => {
      if (!(loss <= this.#limit)) this.diverged = true;
      while (before + k + 1 > this.#edges[this.#window]) this.#window++;
      this.#sums[this.#window] += loss;
      this.#counts[this.#window]++;
    });
  }

  progress(): Progress {
    const { done } = this.training;
    const last = this.training.losses(Math.max(0, done - LAST));
    const mean = last.reduce((a, b) => a + b, 0) / last.length;
    const square = last.reduce((a, b) => a + (b - mean) ** 2, 0) / last.length;
    const curve = Array.from(this.#sums, (sum, k) => (this.#counts[k] ? sum / this.#counts[k] : null));
    return { done, loss: mean, loss_std: Math.sqrt(square), diverged: this.diverged, curve };
  }
}
