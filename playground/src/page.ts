// The page: holds the setting, asks the worker what it has, paints it.
import worker from "inlined:worker";
import { Controls, mended } from "./controls";
import { exponent } from "./law";
import { measures } from "./measures";
import { Numbers } from "./numbers";
import { copy, find, notice, save, unbroken } from "./said";
import { command, fromFragment, planFile, specFile, specs, toFragment, type Setting, type Spec } from "./setting";
import { STORIES } from "./stories";
import { silence } from "./theory";
import { theme } from "./views/colours";
import { GramView } from "./views/gram";
import { LawView, LossView, NormsView, weak, type Side } from "./views/plots";
import { RowsView } from "./views/rows";
import type { FromWorker, Look, ToWorker } from "./worker";

const FIRST = "first picture"; // a mark of when it was painted
const SETTLED = 180; // ms without a move of a slider, before the training begins anew

class Page {
  setting: Setting;
  training: Spec[] = [];
  running = true;
  generation = 0;
  shown = 0;
  last: Look | null = null;
  readonly #script = URL.createObjectURL(new Blob([worker], { type: "text/javascript" }));
  #ready = false;
  #broken = false;
  #asked = false;
  #next = 0; // no look before this time
  #worker!: Worker;
  #timer = 0;
  #rows = new RowsView(find("rows"));
  #gram = new GramView(find("gram"));
  #norms = new NormsView(find("norms"));
  #losses = new LossView(find("losses"));
  #law = new LawView(find("law"));
  #controls = new Controls(find("sliders"), (setting) => this.change(setting));
  #numbers = new Numbers(find("numbers"));

  constructor() {
    const { setting, wrong } = fromFragment(location.hash.slice(1), STORIES[0].setting);
    this.setting = setting;
    if (wrong) notice(`The link’s setting cannot be used, ${wrong}: this is the first story instead.`);
    this.#employ();
    this.#stories();
    this.#buttons();
    this.#keys();
    this.#theme();
    this.#describe();
    addEventListener("hashchange", () => {
      const found = fromFragment(location.hash.slice(1), STORIES[0].setting);
      if (toFragment(found.setting) === toFragment(this.setting) && !found.wrong) return;
      notice(found.wrong && `The link’s setting cannot be used, ${found.wrong}: this is the first story instead.`);
      this.change(found.setting);
    });
    const frame = () => {
      requestAnimationFrame(frame);
      this.#ask();
      if (this.#rows.turns && this.last?.generation === this.generation) this.#drawRows(this.last);
    };
    requestAnimationFrame(frame);
  }

  /** A worker; one that failed has lost its engine, and the next one waits for a setting. */
  #employ(): void {
    this.#ready = false;
    this.#worker?.terminate();
    this.#worker = new Worker(this.#script);
    this.#worker.onmessage = (event: MessageEvent<FromWorker>) => this.#hear(event.data);
    this.#worker.onerror = (event) => this.#failed(event.message);
  }

  /** A new setting: shown at once, trained when it has settled. */
  change(setting: Setting, soon = false): void {
    this.setting = setting;
    this.#describe();
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => this.begin(), soon ? 0 : SETTLED);
  }

  begin(): void {
    if (!this.#ready) return;
    this.generation++;
    this.training = specs(this.setting);
    this.shown = Math.min(this.shown, this.training.length - 1);
    document.documentElement.dataset.state = "training";
    this.#tell({ kind: "train", generation: this.generation, specs: this.training, running: this.running });
    this.#asked = false;
  }

  #tell(message: ToWorker): void {
    this.#worker.postMessage(message);
  }

  #ask(): void {
    if (this.#asked || !this.generation || performance.now() < this.#next || (this.last?.over && this.last.generation === this.generation && this.last.shown === this.shown)) return;
    this.#asked = true;
    this.#tell({ kind: "look", shown: this.shown, gram: true });
  }

  #hear(message: FromWorker): void {
    if (message.kind === "ready") {
      this.#ready = true;
      for (const id of ["run", "restart"]) find<HTMLButtonElement>(id).disabled = false;
      this.#tell({ kind: "speed", perSecond: Number(find<HTMLSelectElement>("speed").value) });
      if (!this.#broken) this.begin();
      this.#broken = false;
    } else if (message.kind === "failed") this.#failed(message.what);
    else if (message.generation === this.generation) {
      this.#asked = false;
      this.last = message;
      const begin = performance.now();
      this.#paint(message);
      this.#next = begin + 3 * (performance.now() - begin); // two thirds of a slow machine's time are left to the rest
    }
  }

  #failed(what: string): void {
    const memory = /unreachable|memory/i.test(what) ? "memory ran out, choose a smaller model" : what;
    notice(`The engine stopped: ${memory}.`);
    document.documentElement.dataset.state = "failed";
    if (!this.#broken) this.#employ(); // once: an engine that does not even load will not load again
    this.#broken = true;
  }

  #paint(look: Look): void {
    const spec = this.training[look.shown];
    const found = measures(look.W, look.b, spec.width);
    this.#drawRows(look);
    if (look.gram) this.#gram.draw(look.gram, spec.n_features);
    this.#norms.draw(found.norms, spec);
    this.#losses.draw(this.training, look.runs, look.shown);
    const sides = this.setting.law ? this.#sides(look) : null;
    if (sides) this.#law.draw(spec, sides);
    this.#numbers.show(spec, look, found, sides);
    const least = Math.min(...look.runs.map((run) => (run.diverged ? spec.steps : run.done)));
    find<HTMLProgressElement>("progress").value = least / spec.steps;
    document.documentElement.dataset.state = look.over ? "over" : this.running ? "training" : "paused";
    this.#runText(look.over);
    if (!performance.getEntriesByName(FIRST).length) performance.mark(FIRST);
    if (look.runs.some((run) => run.diverged)) notice("A run diverged, as the engine would say too: lower the learning rate.");
  }

  #drawRows(look: Look): void {
    const spec = this.training[look.shown];
    this.#rows.draw(look.W, spec.width);
    const { dimensions } = this.#rows;
    find("rows-what").textContent = spec.width > dimensions ? `${dimensions} principal components of ${spec.width}` : "";
    find("rows-key").textContent =
      `circles: lengths 1/2 and 1; the most frequent ${theme().dark ? "brightest" : "darkest"}` + (dimensions === 3 ? "; drag to turn" : "");
  }

  #sides(look: Look): Record<"weak" | "strong", Side> {
    const spec = this.training[0];
    const side = (decays: boolean): Side => {
      const mine = this.training.map((_, k) => k).filter((k) => weak(this.training[k]) === decays);
      const widths = mine.map((k) => this.training[k].width);
      const losses = mine.map((k) => (look.runs[k].diverged ? NaN : look.runs[k].loss));
      return { widths, losses, slope: exponent(widths, losses, spec.n_features, silence(spec.activation_density)) };
    };
    return { weak: side(true), strong: side(false) };
  }

  /** All that follows from the setting and not from its training. */
  #describe(): void {
    const { setting } = this;
    this.#controls.show(setting);
    const same = (one: Setting) => toFragment({ ...one, seed: 0 }) === toFragment({ ...setting, seed: 0 });
    const story = STORIES.findIndex((one) => same(one.setting));
    find("telling").textContent = story < 0 ? "A setting of your own." : STORIES[story].text;
    document.querySelectorAll("#stories button").forEach((button, k) => button.setAttribute("aria-current", String(k === story)));
    find<HTMLInputElement>("law-on").checked = Boolean(setting.law);
    find("law-figure").hidden = !setting.law;
    find("shown-label").hidden = !setting.law;
    find("save-plan").hidden = !setting.law;
    this.#choose(specs(setting));
    history.replaceState(null, "", `#${toFragment(setting)}`);
  }

  /** The models that can be shown, and the command of the one that is. */
  #choose(all: Spec[]): void {
    const select = find<HTMLSelectElement>("shown");
    const names = all.map((spec) => `${weak(spec) ? "weak" : "strong"}, m = ${spec.width}`);
    const wanted = all.findIndex((spec) => spec.width >= this.setting.width);
    if (names.join() !== [...select.options].map((option) => option.text).join()) {
      select.replaceChildren(...names.map((name, k) => new Option(name, String(k))));
      this.shown = this.setting.law ? Math.max(0, wanted) : 0;
    }
    select.value = String(this.shown);
    const spec = all[this.shown];
    find("command").replaceChildren(...command(spec).flatMap((words) => [unbroken(words), " "]).slice(0, -1));
    find("read-by").textContent =
      "A seed gives the same start and the same batches here and there. The spec is read by superlaw train --spec FILE" +
      (this.setting.law ? "; the plan by superlaw sweep run FILE --store runs, then superlaw exponents runs." : ".");
  }

  #stories(): void {
    STORIES.forEach((story, k) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${k + 1}. ${story.title}`;
      button.addEventListener("click", () => this.tellStory(k));
      find("stories").append(button);
    });
    const first = STORIES.find((one) => toFragment(one.setting) === toFragment(this.setting));
    this.#dimensions(first?.dimensions ?? (this.setting.width > 2 ? 3 : 2));
  }

  tellStory(k: number): void {
    notice("");
    this.running = true;
    this.#dimensions(STORIES[k].dimensions);
    this.change({ ...STORIES[k].setting }, true);
  }

  #dimensions(dimensions: 2 | 3): void {
    this.#rows.dimensions = dimensions;
    find("rows").classList.toggle("turning", dimensions === 3);
    document.querySelectorAll<HTMLElement>("[data-dimensions]").forEach((button) => {
      button.setAttribute("aria-pressed", String(Number(button.dataset.dimensions) === dimensions));
    });
    if (this.last && this.last.generation === this.generation) this.#drawRows(this.last);
  }

  #runText(over: boolean): void {
    find("run").textContent = over ? "Again" : this.running ? "Pause" : "Run";
  }

  #toggle(): void {
    if (this.last?.over && this.last.generation === this.generation) return this.#again();
    this.running = !this.running;
    this.#runText(false);
    this.#tell({ kind: "run", running: this.running });
  }

  #again(): void {
    this.running = true;
    notice("");
    this.begin();
  }

  #buttons(): void {
    const on = (id: string, done: () => void) => find(id).addEventListener("click", done);
    on("run", () => this.#toggle());
    on("restart", () => this.#again());
    on("copy-command", () => copy(find("command").textContent ?? ""));
    on("copy-link", () => copy(location.href));
    on("save-spec", () => save("spec.json", specFile(specs(this.setting)[this.shown])));
    on("save-plan", () => save("law.toml", planFile(this.setting)));
    find("speed").addEventListener("change", (event) => {
      this.#tell({ kind: "speed", perSecond: Number((event.target as HTMLSelectElement).value) });
    });
    find("shown").addEventListener("change", (event) => {
      this.shown = Number((event.target as HTMLSelectElement).value);
      this.#choose(specs(this.setting));
    });
    find("law-on").addEventListener("change", (event) => {
      this.change(mended({ ...this.setting, law: Number((event.target as HTMLInputElement).checked) }), true);
    });
    document.querySelectorAll<HTMLElement>("[data-dimensions]").forEach((button) => {
      button.addEventListener("click", () => this.#dimensions(Number(button.dataset.dimensions) as 2 | 3));
    });
  }

  #keys(): void {
    addEventListener("keydown", (event) => {
      const at = event.target as HTMLElement;
      if (event.ctrlKey || event.metaKey || event.altKey || at.closest("input, select, button, summary, a")) return;
      if (event.key === " ") this.#toggle();
      else if (event.key.toLowerCase() === "r") this.#again();
      else if (STORIES[Number(event.key) - 1]) this.tellStory(Number(event.key) - 1);
      else return;
      event.preventDefault();
    });
  }

  #theme(): void {
    const names = ["", "light", "dark"];
    const repaint = () => {
      for (const view of [this.#norms, this.#losses, this.#law]) view.plot.repaint();
      if (this.last && this.last.generation === this.generation) this.#paint(this.last);
    };
    find("theme").addEventListener("click", () => {
      const root = document.documentElement;
      const name = names[(names.indexOf(root.dataset.theme ?? "") + 1) % names.length];
      if (name) root.dataset.theme = name;
      else delete root.dataset.theme;
      find("theme").setAttribute("aria-label", `Colours: ${name || "as the system"}`);
      repaint();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  }
}

new Page();
