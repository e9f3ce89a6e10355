// A canvas as sharp as the screen and as wide as its place.

export interface Surface {
  pen: CanvasRenderingContext2D;
  width: number; // CSS pixels
  height: number;
}

export function surface(canvas: HTMLCanvasElement): Surface {
  const box = canvas.getBoundingClientRect();
  const ratio = Math.min(devicePixelRatio || 1, 2);
  const [width, height] = [Math.max(1, box.width), Math.max(1, box.height)];
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  return { pen, width, height };
}
