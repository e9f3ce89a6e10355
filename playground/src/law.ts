// The law of loss against width: the line through log losses, its exponent and its standard error.

export interface Slope {
  exponent: number;
  stderr: number; // NaN with two points
  coefficient: number;
}

/** y = C x^-a by least squares of log y on log x, as superlaw.fit_slope; null with fewer than three points. */
export function slope(x: number[], y: number[]): Slope | null {
  const n = x.length;
  if (n < 3) return null;
  const logs = (values: number[]) => values.map(Math.log);
  const mean = (values: number[]) => values.reduce((a, b) => a + b, 0) / n;
  const [lx, ly] = [logs(x), logs(y)];
  const [mx, my] = [mean(lx), mean(ly)];
  const sxx = lx.reduce((sum, value) => sum + (value - mx) ** 2, 0);
  const steep = lx.reduce((sum, value, k) => sum + (value - mx) * (ly[k] - my), 0) / sxx;
  const rest = ly.reduce((sum, value, k) => sum + (value - my - steep * (lx[k] - mx)) ** 2, 0);
  return {
    exponent: -steep,
    stderr: Math.sqrt(rest / (n - 2) / sxx),
    coefficient: Math.exp(my - steep * mx),
  };
}

const FEATURES_A_WIDTH = 10;

/** Which runs are on the line: no wider than n/10, and better than answering 0 (superlaw.findings.exponents). */
export const onLine = (width: number, loss: number, n: number, silence: number): boolean =>
  width <= n / FEATURES_A_WIDTH && loss > 0 && loss < silence;

/** The slope through the runs that are on the line. */
export function exponent(widths: number[], losses: number[], n: number, silence: number): Slope | null {
  const good = widths.map((_, k) => k).filter((k) => onLine(widths[k], losses[k], n, silence));
  return slope(good.map((k) => widths[k]), good.map((k) => losses[k])); // prettier-ignore
}
