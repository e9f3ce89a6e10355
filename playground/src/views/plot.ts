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

/** 1, 0.01, 1e-5: a tick of a logarithmic axis, at powers of ten and, where there are few of these, at 2 and 5. */
function tickText(value: number, few: boolean): string {
  const power = Math.log10(value);
  const lead = value / 10 ** Math.floor(power + 1e-9);
  const shown = few ? [1, 2, 5] : [1];
  if (!shown.some((one) => Math.abs(lead - one) < 1e-6)) return "";
  return value >= 1e-3 && value < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(0);
}

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
    const data = [x, ...columns] as uPlot.AlignedData;
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
      ...(log ? { distr: 3, log: 10 } : {}),
      range: (_, low, high) => {
        const [a, b] = [low ?? 1, high ?? 10];
        if (range) return range(a, b);
        return log ? [a / 1.12, b * 1.12] : [a, b];
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
            filter: (_: uPlot, splits: number[]) => splits,
            values: (_: uPlot, splits: number[]) => {
              const few = splits[splits.length - 1] / splits[0] < 200;
              return splits.map((value) => tickText(value, few));
            },
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
