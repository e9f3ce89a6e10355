// What a model shows: how long its rows are, what they share, which features are silent, where its rows lie.

export const GRAM_UNIT = 100; // bytes of W W^T from 0 to 1, where 128 is 0

export interface Measures {
  norms: Float64Array; // (n)
  represented: number; // share of rows longer than 1/2
  strong: number; // longer than 1
  overlap: number; // mean squared cosine between different rows; NaN with fewer than two
  silent: number; // share of features that never answer their own input alone
}

/** Of W (n, m) by rows and b (n), as superlaw.toy.measures has them. */
export function measures(W: Float32Array, b: Float32Array, m: number): Measures {
  const n = b.length;
  const norms = new Float64Array(n);
  const moment = new Float64Array(m * m); // of the unit rows: sum_i w_i w_i^T
  let directions = 0;
  let silent = 0;
  for (let i = 0; i < n; i++) {
    const row = W.subarray(i * m, (i + 1) * m);
    let square = 0;
    for (const w of row) square += w * w;
    norms[i] = Math.sqrt(square);
    if (b[i] <= 0 && 2 * square + b[i] <= 0) silent++; // at both ends of v, 0 and 2
    if (!(square > 0)) continue;
    directions++;
    for (let j = 0; j < m; j++) for (let k = 0; k < m; k++) moment[j * m + k] += (row[j] * row[k]) / square;
  }
  let potential = 0;
  for (const x of moment) potential += x * x;
  const longer = (than: number) => norms.filter((x) => x > than).length / n;
  return {
    norms,
    represented: longer(0.5),
    strong: longer(1),
    overlap: directions > 1 ? (potential - directions) / (directions * (directions - 1)) : NaN,
    silent: silent / n,
  };
}

/**
 * Principal directions of the rows, (count, m), the largest first: a few steps of the power method from the
 * directions of the picture before, so that the picture turns slowly instead of jumping.
 */
export function principal(W: Float32Array, m: number, count: number, before: Float64Array[]): Float64Array[] {
  const n = W.length / m;
  const C = new Float64Array(m * m);
  for (let i = 0; i < n; i++)
    for (let j = 0; j < m; j++) for (let k = 0; k <= j; k++) C[j * m + k] += W[i * m + j] * W[i * m + k];
  for (let j = 0; j < m; j++) for (let k = 0; k < j; k++) C[k * m + j] = C[j * m + k];
  const fresh = before.length !== count || before[0].length !== m || !before.every((axis) => axis.every(Number.isFinite));
  let axes = fresh ? Array.from({ length: count }, (_, a) => start(m, a)) : before;
  for (let round = 0; round < (fresh ? 60 : 4); round++) axes = orthonormal(axes.map((axis) => multiply(C, axis, m)));
  return axes;
}

const start = (m: number, a: number) => Float64Array.from({ length: m }, (_, j) => Math.cos(1 + a * 2.1 + j * (1.3 + a)));

const multiply = (C: Float64Array, x: Float64Array, m: number) =>
  x.map((_, j) => {
    let sum = 0;
    for (let k = 0; k < m; k++) sum += C[j * m + k] * x[k];
    return sum;
  });

function orthonormal(axes: Float64Array[]): Float64Array[] {
  const out: Float64Array[] = [];
  for (const axis of axes) {
    for (const one of out) {
      const along = dot(one, axis);
      for (let k = 0; k < axis.length; k++) axis[k] -= along * one[k];
    }
    const length = Math.sqrt(dot(axis, axis)) || 1;
    out.push(axis.map((x) => x / length));
  }
  return out;
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, k) => sum + x * b[k], 0);
