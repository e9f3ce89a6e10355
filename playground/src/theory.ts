// Closed forms, as superlaw.theory and superlaw.toy have them (docs/science.md of the repository).

export const SECOND_MOMENT = 4 / 3; // <v^2>, v uniform on (0, 2)
const FLOOR = 0.05; // eta_min / eta_max

/** p_i proportional to i^-alpha with sum E, decreasing. */
export function frequencies(n: number, dataExponent: number, density: number): Float64Array {
  const p = Float64Array.from({ length: n }, (_, i) => Math.exp(-dataExponent * Math.log(i + 1)));
  const scale = density / p.reduce((a, b) => a + b, 0);
  return p.map((x) => Math.min(x * scale, 1));
}

/** The largest E at which no probability is above 1, in whole hundredths. */
export function largestDensity(n: number, dataExponent: number): number {
  let sum = 0;
  for (let i = 1; i <= n; i++) sum += i ** -dataExponent;
  return Math.max(0.01, Math.floor(sum * 100) / 100);
}

/** The loss of answering 0 to everything: <v^2> E. */
export const silence = (density: number): number => SECOND_MOMENT * density;

/** sum over i > k of <v^2> p_i - p_i^2, for k = 0 .. n: the k most frequent features perfect, the others ignored. */
export function unlearned(p: Float64Array): Float64Array {
  const sums = new Float64Array(p.length + 1);
  for (let k = p.length - 1; k >= 0; k--) sums[k] = sums[k + 1] + SECOND_MOMENT * p[k] - p[k] ** 2;
  return sums;
}

/** Steps of warm-up: a tenth, as in the published protocol. */
export const warmup = (steps: number): number => Math.round(steps / 10);

/** Learning rates of steps 1 .. T: linear warm-up, then a cosine to a twentieth. */
export function learningRates(steps: number, peak: number): Float64Array {
  const start = warmup(steps) < steps ? warmup(steps) : 0;
  return Float64Array.from({ length: steps }, (_, k) => {
    const t = k + 1;
    if (t < start) return (peak * t) / start;
    return peak * (((1 - FLOOR) * (1 + Math.cos((Math.PI * (t - start)) / (steps - start)))) / 2 + FLOOR);
  });
}
