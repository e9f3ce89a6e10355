// Colours of the theme, and how a number becomes one.

export interface Theme {
  text: string;
  soft: string;
  grid: string;
  back: string;
  weak: string;
  strong: string;
  dark: boolean;
}

export function theme(): Theme {
  const style = getComputedStyle(document.documentElement);
  const get = (name: string) => style.getPropertyValue(name).trim();
  return {
    text: get("--text"), soft: get("--soft"), grid: get("--grid"), back: get("--back"),
    weak: get("--weak"), strong: get("--strong"), dark: style.colorScheme === "dark",
  };
}

// viridis, at five places
const EVEN = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];

/** The colour of a rank, most frequent first: from dark to light, or the other way on a dark page. */
export function ofRank(share: number, dark: boolean): string {
  const at = (dark ? 1 - 0.85 * share : 0.9 * share) * (EVEN.length - 1);
  const k = Math.min(Math.floor(at), EVEN.length - 2);
  const mix = EVEN[k].map((from, c) => Math.round(from + (at - k) * (EVEN[k + 1][c] - from)));
  return `rgb(${mix.join(",")})`;
}

/** RGBA of the 256 bytes of W W^T: blue below 0, the page's ground at 0, orange above. */
export function diverging(dark: boolean, unit: number): Uint32Array {
  const ground = dark ? [24, 29, 35] : [255, 255, 255];
  const ends = dark ? [[86, 180, 233], [255, 140, 40]] : [[0, 90, 170], [200, 70, 0]];
  return Uint32Array.from({ length: 256 }, (_, byte) => {
    const value = (byte - 128) / unit;
    const share = Math.min(1, Math.abs(value)) ** 0.8; // small overlaps are the story: they must be seen
    const [r, g, b] = ground.map((from, c) => Math.round(from + share * (ends[value < 0 ? 0 : 1][c] - from)));
    return (255 << 24) | (b << 16) | (g << 8) | r;
  });
}
