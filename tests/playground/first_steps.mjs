// node first_steps.mjs ENGINE.wasm < a spec with its frequencies and learning rates: its start and its losses, as JSON.
import { readFileSync } from "node:fs";

const none = () => 8;
const wasi = { wasi_snapshot_preview1: { fd_close: none, fd_seek: none, fd_write: none } };
const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]), wasi);
const c = instance.exports;
c._initialize();
const spec = JSON.parse(readFileSync(0, "utf8"));
const { n, m, frequencies, rates } = spec;
const p = c.make_doubles(n);
new Float64Array(c.memory.buffer, p, n).set(frequencies);
const training = c.start(n, m, rates.length, spec.batch, spec.seed, spec.weight_decay, spec.initial_bias_std, p);
c.free_doubles(p);
new Float64Array(c.memory.buffer, c.rates_of(training), rates.length).set(rates);
const floats = (at, count) => Array.from(new Float32Array(c.memory.buffer, at, count));
const W = floats(c.W_of(training), n * m);
const b = floats(c.b_of(training), n);
const begin = performance.now();
c.advance(training, rates.length);
const seconds = (performance.now() - begin) / 1000;
const gram = c.gram_of(training, 100);
const bytes = Array.from(new Uint8Array(c.memory.buffer, gram, n * n));
console.log(JSON.stringify({ W, b, losses: floats(c.losses_of(training), rates.length), bytes, seconds }));
