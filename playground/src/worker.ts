// The worker trains. Between slices of a few milliseconds it hears the page, and it says what it has when it is asked.
import { Engine } from "./engine";
import { Run, type Progress } from "./runs";
import type { Spec } from "./setting";

export type ToWorker =
  | { kind: "train"; generation: number; specs: Spec[]; running: boolean }
  | { kind: "run"; running: boolean }
  | { kind: "speed"; perSecond: number } // Infinity: as fast as it goes
  | { kind: "look"; shown: number; gram: boolean };

export interface Look {
  kind: "look";
  generation: number;
  runs: Progress[];
  over: boolean;
  trained: number; // steps of all runs since the start
  seconds: number; // of training alone
  shown: number;
  W: Float32Array;
  b: Float32Array;
  gram: Uint8Array | null;
}

export type FromWorker = { kind: "ready" } | { kind: "failed"; what: string } | Look;

const SLICE = 12; // ms
const post = (message: FromWorker, moved: Transferable[] = []) =>
  (self as unknown as Worker).postMessage(message, moved);

let engine: Engine;
let runs: Run[] = [];
let generation = 0;
let running = false;
let perSecond = Infinity;
let allowance = 0; // steps that the chosen speed allows now
let since = 0;
let trained = 0;
let seconds = 0;
let awake = false;

const next = new MessageChannel(); // a turn of the event loop without a timer's 4 ms
next.port1.onmessage = () => slice();

function wake(): void {
  if (awake || !running || runs.every((run) => run.over)) return;
  awake = true;
  since = performance.now();
  next.port2.postMessage(0);
}

function slice(): void {
  awake = false;
  if (!running) return;
  const begin = performance.now();
  // of a tenth of a second at most; never 0 times Infinity
  allowance = perSecond < Infinity ? Math.min(allowance + ((begin - since) / 1000) * perSecond, 1 + perSecond / 10) : Infinity;
  since = begin;
  while (performance.now() - begin < SLICE && allowance >= 1) {
    const going = runs.filter((run) => !run.over);
    if (!going.length) break;
    const least = Math.min(...going.map((run) => run.training.done));
    // the runs that are behind, one after another, so that all stay side by side
    const run = going.find((one) => one.training.done === least) as Run;
    const before = run.training.done;
    const chunk = runs.length > 1 ? Math.min(5, allowance) : 1;
    run.advance(chunk);
    trained += run.training.done - before;
    allowance -= (run.training.done - before) / runs.length;
  }
  const end = performance.now();
  seconds += (end - begin) / 1000;
  if (runs.every((run) => run.over)) return;
  awake = true;
  if (allowance < 1) setTimeout(slice, 4);
  else next.port2.postMessage(0);
}

function look(shown: number, gram: boolean): void {
  const run = runs[shown] ?? runs[0];
  if (!run) return;
  const { W, b } = run.training.state();
  const bytes = gram ? run.training.gram() : null;
  const message: Look = {
    kind: "look", generation, trained, seconds, W, b, gram: bytes,
    runs: runs.map((one) => one.progress()),
    over: runs.every((one) => one.over),
    shown: runs.indexOf(run),
  };
  post(message, [W.buffer, b.buffer, ...(bytes ? [bytes.buffer] : [])]);
}

function hear(message: ToWorker): void {
  if (message.kind === "train") {
    for (const run of runs) run.training.end();
    runs = [];
    runs = message.specs.map((spec) => new Run(engine, spec));
    ({ generation, running } = message);
    trained = seconds = 0;
    allowance = 1;
  } else if (message.kind === "run") running = message.running;
  else if (message.kind === "speed") {
    perSecond = message.perSecond;
    allowance = 1;
  } else look(message.shown, message.gram);
  wake();
}

Engine.load().then(
  (loaded) => {
    engine = loaded;
    self.onmessage = (event: MessageEvent<ToWorker>) => {
      try {
        hear(event.data);
      } catch (error) {
        running = false;
        post({ kind: "failed", what: String(error) });
      }
    };
    post({ kind: "ready" });
  },
  (error) => post({ kind: "failed", what: String(error) }),
);
