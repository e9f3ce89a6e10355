// Sliders: one for each number of the setting, in the units a person moves it by.
import { RANGES, type Name, type Setting } from "./setting";
import { largestDensity } from "./theory";

interface Slider {
  name: Name;
  label: string;
  values: number[]; // the places of the slider
  law?: boolean; // shown with the law alone, or (false) without it alone
}

const evenly = (low: number, high: number, step: number) =>
  Array.from({ length: Math.round((high - low) / step) + 1 }, (_, k) => Number((low + k * step).toFixed(6)));
const inLog = (low: number, high: number, count: number, digits: number) =>
  Array.from({ length: count }, (_, k) => Number((low * (high / low) ** (k / (count - 1))).toPrecision(digits)));
const whole = (values: number[]) => [...new Set(values.map(Math.round))];

const WIDTHS = whole([...evenly(1, 20, 1), ...inLog(20, 100, 24, 3)]);
const SLIDERS: Slider[] = [
  { name: "n_features", label: "features n", values: whole([...evenly(2, 20, 1), ...inLog(20, 500, 40, 2)]) },
  { name: "width", label: "width m", values: WIDTHS, law: false },
  { name: "narrowest", label: "narrowest of eight widths", values: WIDTHS.filter((m) => m >= 2 && m <= 40), law: true },
  { name: "widest", label: "widest", values: WIDTHS.filter((m) => m >= 10), law: true },
  { name: "data_exponent", label: "data exponent α", values: evenly(0, 2.5, 0.05) },
  { name: "activation_density", label: "features on at once E", values: inLog(0.05, 50, 100, 2) },
  { name: "weight_decay", label: "weight decay γ (below 0: growth)", values: evenly(-1, 1, 0.05) },
  { name: "initial_bias_std", label: "spread of the bias at the start", values: evenly(0, 1, 0.05) },
  { name: "learning_rate", label: "learning rate", values: inLog(0.001, 0.1, 41, 2) },
  { name: "steps", label: "steps", values: whole(inLog(200, 20000, 41, 2)) },
  { name: "batch", label: "samples in a batch", values: [32, 64, 128, 256, 512, 1024, 2048] },
  { name: "seed", label: "seed", values: evenly(0, 99, 1) },
];

/** The sliders in `place`; `moved` is told of the setting as it becomes, mended where two numbers cannot go together. */
export class Controls {
  #rows = new Map<Name, { box: HTMLElement; input: HTMLInputElement; output: HTMLOutputElement; slider: Slider; values: number[] }>();
  #setting!: Setting;

  constructor(place: HTMLElement, moved: (setting: Setting) => void) {
    for (const slider of SLIDERS) {
      const box = document.createElement("div");
      box.className = "slider";
      const label = document.createElement("label");
      const input = document.createElement("input");
      const output = document.createElement("output");
      input.type = "range";
      input.id = `slider-${slider.name}`;
      label.htmlFor = input.id;
      label.append(slider.label, " ", output);
      box.append(label, input);
      place.append(box);
      const row = { box, input, output, slider, values: slider.values };
      this.#rows.set(slider.name, row);
      input.addEventListener("input", () => moved(mended({ ...this.#setting, [slider.name]: row.values[Number(input.value)] }, slider.name)));
    }
  }

  show(setting: Setting): void {
    this.#setting = setting;
    for (const [name, row] of this.#rows) {
      const value = setting[name];
      const { values } = row.slider; // and the value itself, where a link has one between
      row.values = values.includes(value) ? values : [...values, value].sort((a, b) => a - b);
      row.input.max = String(row.values.length - 1);
      row.input.value = String(row.values.indexOf(value));
      row.input.setAttribute("aria-valuetext", String(value));
      row.output.textContent = String(value);
      row.box.hidden = row.slider.law !== undefined && row.slider.law !== Boolean(setting.law);
    }
  }
}

/** A setting whose numbers go together: the one that was moved stays, the others give way. */
export function mended(setting: Setting, moved?: Name): Setting {
  const out = { ...setting };
  const most = Math.min(RANGES.activation_density.high, largestDensity(out.n_features, out.data_exponent));
  out.activation_density = Math.min(out.activation_density, most);
  if (out.widest < out.narrowest + 8) {
    if (moved === "widest") out.narrowest = Math.max(2, out.widest - 8);
    else out.widest = out.narrowest + 8;
  }
  return out;
}
