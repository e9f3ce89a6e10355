// A plot by uPlot in the page's colours: made anew when its theme or its series change, else given new data.
import uPlot from "uplot";
import { theme, type Theme } from "./colours";

export interface Series {
  name: string;
  kind: "line" | "dashed" | "points" | "rings";
  colour: (theme: Theme) => string;
  width?: number;
}

export interface Axes {
  x: string;
  y: string;
  logX: boolean;
  logY: boolean;
  rangeY?: (low: number, high: number) => [number, number];
}

export type Column = (number | null)[];

// Logarithmic axes are linear ones of log10: ticks are then ours, and no data can send uPlot looking for them forever.
const DECADES = 9; // shown at most, from the largest down

/** Places of ticks between two powers of ten: 1 to 9, fewer where there are many powers. */
function ticks(low: number, high: number): number[] {
  const places: number[] = [];
  const span = high - low;
  const leads = span < 1.6 ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : span < 4 ? [1, 2, 5] : [1];
  for (let power = Math.floor(low); power <= Math.ceil(high); power++)
    for (const lead of leads) places.push(power + Math.log10(lead));
  return places.filter((place) => place >= low - 1e-9 && place <= high + 1e-9);
}

/** 1, 0.01, 1e-5: powers of ten, and 2 and 5 (or all) where there are few of these. */
function tickText(place: number, span: number): string {
  const lead = Math.round(10 ** (place - Math.floor(place + 1e-9)));
  const shown = span < 0.8 ? [1, 2, 3, 4, 5, 6, 8] : span < 2.2 ? [1, 2, 5] : [1];
  if (!shown.includes(lead)) return "";
  const value = 10 ** place;
  return value > 0.9e-3 && value < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(0);
}

const logs = (column: Column): Column => column.map((value) => (value !== null && value > 0 ? Math.log10(value) : null));

export class Plot {
  #plot: uPlot | null = null;
  #series: Series[] = [];

  constructor(readonly box: HTMLElement, readonly axes: Axes) {
    new ResizeObserver(() => this.#plot?.setSize(this.#size())).observe(box);
  }

  /** Forgets the colours. */
  repaint(): void {
    this.#plot?.destroy();
    this.#plot = null;
  }

  draw(x: number[], series: Series[], columns: Column[]): void {
    const same = series.length === this.#series.length && series.every((one, k) => one.name === this.#series[k].name && one.width === this.#series[k].width);
    if (!same) this.repaint();
    this.#series = series;
    const { logX, logY } = this.axes;
    const data = [logX ? logs(x) : x, ...(logY ? columns.map(logs) : columns)] as uPlot.AlignedData;
    if (this.#plot) this.#plot.setData(data);
    else this.#plot = new uPlot(this.#options(series), data, this.box);
  }

  #size(): { width: number; height: number } {
    return { width: Math.max(120, this.box.clientWidth), height: Math.max(120, this.box.clientHeight) };
  }

  #options(series: Series[]): uPlot.Options {
    const colours = theme();
    const scale = (log: boolean, range?: Axes["rangeY"]): uPlot.Scale => ({
      time: false,
      range: (_, low, high) => {
        const [a, b] = Number.isFinite(low) && Number.isFinite(high) ? [low, high] : [0, 1]; // nothing to show yet
        if (range) return range(a, b);
        return log ? [Math.max(a, b - DECADES) - 0.05, b + 0.05] : [a, b];
      },
    });
    const axis = (label: string, log: boolean, size: number): uPlot.Axis => ({
      label, size, labelSize: 18, gap: 3, labelGap: 0,
      stroke: colours.soft,
      font: "11px system-ui, sans-serif",
      labelFont: "11px system-ui, sans-serif",
      grid: { stroke: colours.grid, width: 1 },
      ticks: { stroke: colours.grid, width: 1, size: 4 },
      ...(log
        ? {
            splits: (_: uPlot, __: number, low: number, high: number) => ticks(low, high),
            values: (_: uPlot, splits: number[]) => splits.map((place) => tickText(place, splits[splits.length - 1] - splits[0])),
          }
        : {}),
    });
    return {
      ...this.#size(),
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 10, 0, 0],
      scales: { x: scale(this.axes.logX), y: scale(this.axes.logY, this.axes.rangeY) },
      axes: [axis(this.axes.x, this.axes.logX, 28), axis(this.axes.y, this.axes.logY, 44)],
      series: [{}, ...series.map((one) => drawn(one, colours))],
    };
  }
}

function drawn(one: Series, colours: Theme): uPlot.Series {
  const stroke = one.colour(colours);
  if (one.kind === "points" || one.kind === "rings") {
    const fill = one.kind === "rings" ? colours.back : stroke;
    return { label: one.name, stroke, paths: () => null, points: { show: true, size: one.width ?? 7, fill, stroke } };
  }
  const dash = one.kind === "dashed" ? [5, 4] : undefined;
  return { label: one.name, stroke, width: one.width ?? 1.5, dash, spanGaps: true, points: { show: false } };
}
