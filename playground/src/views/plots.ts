// The three plots: row norms against rank, loss against step, loss against width.
import { onLine, type Slope } from "../law";
import type { Progress } from "../runs";
import { edges } from "../runs";
import type { Spec } from "../setting";
import { frequencies, silence, SECOND_MOMENT, unlearned } from "../theory";
import { Plot, type Column, type Series } from "./plot";

const text = (name: string): Series => ({ name, kind: "dashed", colour: (c) => c.soft, width: 1 });
const finite = (value: number): number | null => (Number.isFinite(value) && value > 0 ? value : null);
export const weak = (spec: Spec): boolean => spec.weight_decay > 0;

export class NormsView {
  readonly plot: Plot;
  constructor(box: HTMLElement) {
    this.plot = new Plot(box, {
      x: "rank of the feature", y: "length of its row", logX: true, logY: false,
      rangeY: (_, high) => [0, Math.max(1.25, high * 1.08)],
    });
  }

  draw(norms: Float64Array, spec: Spec): void {
    const ranks = Array.from(norms, (_, i) => i + 1);
    const rows: Series = { name: `rows ${weak(spec)}`, kind: "points", colour: (c) => (weak(spec) ? c.weak : c.strong), width: norms.length > 60 ? 3.5 : 6 };
    const level = (y: number) => ranks.map(() => y);
    this.plot.draw(ranks, [text("1/2"), text("1"), rows], [level(0.5), level(1), Array.from(norms)]);
  }
}

export class LossView {
  readonly plot: Plot;
  constructor(box: HTMLElement) {
    this.plot = new Plot(box, { x: "step", y: "loss L", logX: true, logY: true });
  }

  draw(specs: Spec[], runs: Progress[], shown: number): void {
    const steps = edges(specs[0].steps);
    const spec = specs[shown];
    const p = frequencies(spec.n_features, spec.data_exponent, spec.activation_density);
    const level = (y: number): Column => steps.map(() => finite(y));
    const tail = unlearned(p)[Math.min(spec.width, spec.n_features)];
    const theory: [Series, Column][] = [
      [text("silence"), level(silence(spec.activation_density))],
      [{ ...text("unlearned"), colour: (c) => c.weak }, level(tail)],
      [{ ...text("1/m"), colour: (c) => c.strong }, level((SECOND_MOMENT * spec.activation_density) / spec.width)],
    ];
    const curves = specs.map((one, k): [Series, Column] => [
      { name: `${k} ${weak(one)}`, kind: "line", colour: (c) => (weak(one) ? c.weak : c.strong), width: k === shown ? 2.5 : 0.6 },
      runs[k].curve.map((y) => (y === null ? null : finite(y))),
    ]);
    const all = [...theory, ...curves];
    this.plot.draw(steps, all.map(([series]) => series), all.map(([, column]) => column));
  }
}

/** One side of the law, weak or strong. */
export interface Side {
  widths: number[];
  losses: number[];
  slope: Slope | null;
}

export class LawView {
  readonly plot: Plot;
  constructor(box: HTMLElement) {
    this.plot = new Plot(box, { x: "width m", y: "loss L", logX: true, logY: true });
  }

  draw(spec: Spec, sides: Record<"weak" | "strong", Side>): void {
    const { widths } = sides.strong;
    const [low, high] = [widths[0], widths[widths.length - 1]];
    const fine = Array.from({ length: 40 }, (_, k) => low * (high / low) ** (k / 39));
    const x = [...new Set([...fine, ...widths])].sort((a, b) => a - b);
    const n = spec.n_features;
    const sums = unlearned(frequencies(n, spec.data_exponent, spec.activation_density));
    const quiet = silence(spec.activation_density);
    const on = (side: Side, good: boolean): Column =>
      x.map((m) => {
        const k = side.widths.indexOf(m);
        return k >= 0 && onLine(m, side.losses[k], n, quiet) === good ? finite(side.losses[k]) : null;
      });
    const line = (side: Side): Column =>
      x.map((m) => (side.slope && m <= Math.max(n / 10, low) ? finite(side.slope.coefficient * m ** -side.slope.exponent) : null));
    // 1/m through the middle of what strong superposition has
    const good = sides.strong.losses.map((loss, k) => Math.log(loss * widths[k])).filter(Number.isFinite);
    const guide = good.length ? Math.exp(good.reduce((a, b) => a + b, 0) / good.length) : NaN;
    const colour = (name: "weak" | "strong") => (c: { weak: string; strong: string }) => c[name];
    const series: [Series, Column][] = [
      [{ ...text("sum over i > m"), colour: colour("weak") }, x.map((m) => (Number.isInteger(m) ? finite(sums[Math.min(m, n)]) : null))],
      [text("1/m"), x.map((m) => finite(guide / m))],
      [{ name: "weak line", kind: "line", colour: colour("weak") }, line(sides.weak)],
      [{ name: "strong line", kind: "line", colour: colour("strong") }, line(sides.strong)],
      [{ name: "weak", kind: "points", colour: colour("weak"), width: 8 }, on(sides.weak, true)],
      [{ name: "strong", kind: "points", colour: colour("strong"), width: 8 }, on(sides.strong, true)],
      [{ name: "weak, off", kind: "rings", colour: colour("weak"), width: 8 }, on(sides.weak, false)],
      [{ name: "strong, off", kind: "rings", colour: colour("strong"), width: 8 }, on(sides.strong, false)],
    ];
    this.plot.draw(x, series.map(([one]) => one), series.map(([, column]) => column));
  }
}
