// W W^T as a heat map: a pixel a pair of features.
import { GRAM_UNIT } from "../measures";
import { diverging, theme } from "./colours";

export class GramView {
  constructor(readonly canvas: HTMLCanvasElement) {}

  draw(bytes: Uint8Array, n: number): void {
    if (this.canvas.width !== n) this.canvas.width = this.canvas.height = n;
    this.canvas.style.imageRendering = n > 120 ? "auto" : "pixelated"; // many small ones would make patterns of their own
    const pen = this.canvas.getContext("2d") as CanvasRenderingContext2D;
    const image = pen.createImageData(n, n);
    const colours = diverging(theme().dark, GRAM_UNIT);
    const pixels = new Uint32Array(image.data.buffer);
    for (let k = 0; k < pixels.length; k++) pixels[k] = colours[bytes[k]];
    pen.putImageData(image, 0, 0);
  }
}
