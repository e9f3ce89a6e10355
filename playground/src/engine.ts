// The C++ engine in WebAssembly: the other side of engine/playground.cpp.
import base64 from "inlined:engine";
import { GRAM_UNIT } from "./measures";
import type { Spec } from "./setting";
import { frequencies, learningRates } from "./theory";

interface Exports {
  memory: WebAssembly.Memory;
  _initialize(): void;
  make_doubles(count: number): number;
  free_doubles(at: number): void;
  start(n: number, m: number, steps: number, batch: number, seed: number, decay: number, bias: number, p: number): number;
  end(training: number): void;
  rates_of(training: number): number;
  losses_of(training: number): number;
  W_of(training: number): number;
  b_of(training: number): number;
  advance(training: number, steps: number): number;
  look(training: number): void;
  gram_of(training: number, unit: number): number;
}

export class Engine {
  private constructor(private readonly c: Exports) {}

  static async load(): Promise<Engine> {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    // The C library could write to a terminal; there is none, and nothing of ours does.
    const none = () => 8; // EBADF
    const wasi = { fd_close: none, fd_seek: none, fd_write: none };
    const { instance } = await WebAssembly.instantiate(bytes, { wasi_snapshot_preview1: wasi });
    const c = instance.exports as unknown as Exports;
    c._initialize();
    return new Engine(c);
  }

  start(spec: Spec): Training {
    return new Training(this.c, spec);
  }
}

/** One model in training. Its memory is the engine's: `end` gives it back. */
export class Training {
  readonly #c: Exports;
  readonly #at: number;
  done = 0;

  constructor(c: Exports, readonly spec: Spec) {
    const { n_features: n, width: m, steps, batch, seed, weight_decay, initial_bias_std } = spec;
    this.#c = c;
    const p = c.make_doubles(n);
    new Float64Array(c.memory.buffer, p, n).set(frequencies(n, spec.data_exponent, spec.activation_density));
    this.#at = c.start(n, m, steps, batch, seed, weight_decay, initial_bias_std, p);
    c.free_doubles(p);
    new Float64Array(c.memory.buffer, c.rates_of(this.#at), steps).set(learningRates(steps, spec.learning_rate));
  }

  advance(steps: number): void {
    this.done = this.#c.advance(this.#at, steps);
  }

  /** Losses of the steps from `from` on, until the next call. */
  losses(from: number): Float32Array {
    return new Float32Array(this.#c.memory.buffer, this.#c.losses_of(this.#at), this.done).subarray(from);
  }

  /** A copy of W (n, m) by rows and of b (n). */
  state(): { W: Float32Array; b: Float32Array } {
    const { n_features: n, width: m } = this.spec;
    this.#c.look(this.#at);
    const copy = (at: number, count: number) => new Float32Array(this.#c.memory.buffer, at, count).slice();
    return { W: copy(this.#c.W_of(this.#at), n * m), b: copy(this.#c.b_of(this.#at), n) };
  }

  /** W W^T (n, n) of the state last copied, in bytes: 128 is 0, 128 + GRAM_UNIT is 1. */
  gram(): Uint8Array {
    const n = this.spec.n_features;
    const at = this.#c.gram_of(this.#at, GRAM_UNIT); // first: it may make the memory grow, and so move
    return new Uint8Array(this.#c.memory.buffer, at, n * n).slice();
  }

  end(): void {
    this.#c.end(this.#at);
  }
}
