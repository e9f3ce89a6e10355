// Numbers in words: of the model shown, and of the law.
import type { Slope } from "./law";
import type { Measures } from "./measures";
import { LAST } from "./runs";
import { find } from "./said";
import type { Spec } from "./setting";
import type { Side } from "./views/plots";
import type { Look } from "./worker";

type Sides = Record<"weak" | "strong", Side>;

/** The numbers below the buttons; each also whole, in data-value, for who reads the page by program. */
export class Numbers {
  #shown = new Map<string, HTMLElement>();
  constructor(readonly place: HTMLElement) {}

  #put(name: string, label: string, text: string, value: number): void {
    let at = this.#shown.get(name);
    if (!at) {
      const box = document.createElement("div");
      const term = document.createElement("dt");
      at = document.createElement("dd");
      at.id = `number-${name}`;
      term.textContent = label;
      box.append(term, at);
      (name === "step" ? find("steps-done") : this.place).append(box);
      this.#shown.set(name, at);
    }
    at.textContent = text;
    at.dataset.value = String(value);
  }

  show(spec: Spec, look: Look, found: Measures, sides: Sides | null): void {
    const run = look.runs[look.shown];
    const fixed = (value: number, digits = 3) => (Number.isFinite(value) ? value.toPrecision(digits) : "–");
    this.#put("step", "step", `${run.done} of ${spec.steps}`, run.done);
    this.#put("loss", `loss (last ${LAST})`, `${fixed(run.loss)} ± ${fixed(run.loss_std, 2)}`, run.loss);
    this.#put("represented", "represented (φ½)", `${(100 * found.represented).toFixed(0)} %`, found.represented);
    this.#put("strong", "longer than 1 (φ₁)", `${(100 * found.strong).toFixed(0)} %`, found.strong);
    this.#put("overlap", "overlap² × m", fixed(found.overlap * spec.width), found.overlap);
    this.#put("silent", "silent features", `${(100 * found.silent).toFixed(0)} %`, found.silent);
    const speed = look.trained / look.seconds;
    this.#put("speed", "steps a second", Number.isFinite(speed) ? speed.toFixed(0) : "–", speed);
    find("law-text").replaceChildren(...(sides ? [of("weak", sides.weak.slope), " ", of("strong", sides.strong.slope)] : []));
    if (sides) find("law").dataset.losses = JSON.stringify({ weak: sides.weak.losses, strong: sides.strong.losses });
    describe(run.loss, found.represented, spec, sides);
  }
}

function of(name: "weak" | "strong", slope: Slope | null): HTMLElement {
  const text = document.createElement("span");
  text.className = name;
  text.id = `exponent-${name}`;
  text.textContent = slope ? `${name}: 1/m^(${slope.exponent.toFixed(2)} ± ${slope.stderr.toFixed(2)})` : `${name}: fewer than three widths on a line`;
  text.dataset.value = String(slope?.exponent ?? NaN);
  text.dataset.stderr = String(slope?.stderr ?? NaN);
  return text;
}

/** What the pictures show, for those who cannot see them. */
function describe(loss: number, represented: number, spec: Spec, sides: Sides | null): void {
  const share = `${Math.round(100 * represented)} % of ${spec.n_features} rows are longer than 1/2`;
  const say = (id: string, text: string) => find(id).setAttribute("aria-label", text);
  say("rows", `Rows of W in ${spec.width} dimensions: ${share}`);
  say("gram", `W W transposed, ${spec.n_features} by ${spec.n_features}`);
  say("norms", `Row lengths by rank: ${share}`);
  say("losses", `Loss by step, now ${loss.toPrecision(3)}`);
  if (sides) say("law", `Loss against width: exponents ${sides.weak.slope?.exponent.toFixed(2) ?? "none"} weak, ${sides.strong.slope?.exponent.toFixed(2) ?? "none"} strong`);
}
