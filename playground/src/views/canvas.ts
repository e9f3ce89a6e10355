// A canvas as sharp as the screen and as wide as its place.

export interface Surface {
  pen: CanvasRenderingContext2D;
  width: number; // CSS pixels
  height: number;
}

/** Its pen, on cleared ground; null while the canvas has no room, as in a page being laid out. */
export function surface(canvas: HTMLCanvasElement): Surface | null {
  const box = canvas.getBoundingClientRect();
  if (Math.min(box.width, box.height) < 40) return null;
  const ratio = Math.min(devicePixelRatio || 1, 2);
  const { width, height } = box;
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}
