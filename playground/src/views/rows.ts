// Rows of W as arrows from the origin, in two dimensions or three: their own, or their principal ones.
import { principal } from "../measures";
import { surface } from "./canvas";
import { ofRank, theme } from "./colours";

const TURN = 0.25; // radians a second, while nobody holds it
const STEP = 0.15; // radians a key

export class RowsView {
  dimensions: 2 | 3 = 2;
  #yaw = 0.6;
  #pitch = 0.35;
  #held = false;
  #touched = false;
  #axes: Float64Array[] = [];
  #last = 0;
  #still = matchMedia("(prefers-reduced-motion: reduce)");

  constructor(readonly canvas: HTMLCanvasElement) {
    canvas.addEventListener("pointerdown", (event) => {
      if (this.dimensions !== 3) return;
      this.#held = this.#touched = true;
      canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (this.#held) this.#turn(event.movementX / 120, event.movementY / 120);
    });
    for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (this.#held = false));
    canvas.addEventListener("keydown", (event) => {
      const turns: Record<string, [number, number]> = {
        ArrowLeft: [-STEP, 0], ArrowRight: [STEP, 0], ArrowUp: [0, -STEP], ArrowDown: [0, STEP],
      };
      const turn = turns[event.key];
      if (!turn || this.dimensions !== 3) return;
      event.preventDefault();
      this.#touched = true;
      this.#turn(...turn);
    });
  }

  #turn(yaw: number, pitch: number): void {
    this.#yaw += yaw;
    this.#pitch = Math.max(-1.5, Math.min(1.5, this.#pitch + pitch));
  }

  /** Whether the picture moves while nothing is trained. */
  get turns(): boolean {
    return this.dimensions === 3 && !this.#touched && !this.#still.matches;
  }

  draw(W: Float32Array, m: number): void {
    const place = surface(this.canvas);
    if (!place) return;
    const { pen, width, height } = place;
    const colours = theme();
    const now = performance.now();
    if (this.turns) this.#yaw += TURN * Math.min(0.1, (now - this.#last) / 1000);
    this.#last = now;
    const points = this.#places(W, m);
    const reach = Math.max(1.15, ...points.map(([x, y]) => Math.hypot(x, y)));
    const scale = (Math.min(width, height) / 2 - 10) / reach;
    pen.translate(width / 2, height / 2);
    this.#ground(pen, scale, colours.grid);
    const n = points.length;
    const order = points.map((_, i) => i).sort((a, b) => points[a][2] - points[b][2] || b - a); // the nearest last
    pen.lineCap = "round";
    for (const i of order) {
      const [x, y, depth] = points[i];
      pen.strokeStyle = pen.fillStyle = ofRank(n > 1 ? i / (n - 1) : 0, colours.dark);
      pen.globalAlpha = (n > 60 ? 0.55 : 0.9) * (this.dimensions === 3 ? 0.65 + 0.35 * Math.tanh(depth) : 1);
      pen.lineWidth = n > 60 ? 1 : 2;
      pen.beginPath();
      pen.moveTo(0, 0);
      pen.lineTo(x * scale, -y * scale);
      pen.stroke();
      pen.globalAlpha = Math.min(1, pen.globalAlpha + 0.25);
      pen.beginPath();
      pen.arc(x * scale, -y * scale, n > 60 ? 2 : 3.5, 0, 2 * Math.PI);
      pen.fill();
    }
    pen.globalAlpha = 1;
  }

  #ground(pen: CanvasRenderingContext2D, scale: number, colour: string): void {
    pen.strokeStyle = colour;
    pen.lineWidth = 1;
    for (const radius of [0.5, 1]) {
      pen.setLineDash(radius === 1 ? [] : [4, 4]);
      pen.beginPath();
      pen.arc(0, 0, radius * scale, 0, 2 * Math.PI);
      pen.stroke();
    }
    pen.setLineDash([]);
  }

  /** x, y and depth of each row on the screen. */
  #places(W: Float32Array, m: number): [number, number, number][] {
    const n = W.length / m;
    const kept = Math.min(this.dimensions, m);
    if (m > this.dimensions) this.#axes = principal(W, m, kept, this.#axes);
    const [cy, sy, cp, sp] = [Math.cos(this.#yaw), Math.sin(this.#yaw), Math.cos(this.#pitch), Math.sin(this.#pitch)];
    return Array.from({ length: n }, (_, i) => {
      const row = W.subarray(i * m, (i + 1) * m);
      const [x, y, z] = [0, 1, 2].map((k) => {
        if (k >= kept) return 0;
        if (m <= this.dimensions) return row[k];
        return row.reduce((sum, w, j) => sum + w * this.#axes[k][j], 0);
      });
      if (this.dimensions === 2) return [x, y, 0];
      const [a, c] = [cy * x + sy * z, cy * z - sy * x];
      return [a, cp * y - sp * c, sp * y + cp * c];
    });
  }
}
