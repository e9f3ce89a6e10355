// The setting: all that decides what is trained. One line of text in a link's fragment, a command, a spec, a plan.
import { largestDensity, warmup } from "./theory";

export interface Setting {
  n_features: number;
  width: number;
  data_exponent: number;
  activation_density: number;
  weight_decay: number;
  learning_rate: number;
  initial_bias_std: number;
  steps: number;
  batch: number;
  seed: number;
  law: number; // 1: eight widths, each with weight decay and with weight growth
  narrowest: number; // of the eight
  widest: number;
}

export type Name = keyof Setting;

interface Range {
  whole: boolean;
  low: number;
  high: number;
}

const whole = (low: number, high: number): Range => ({ whole: true, low, high });
const real = (low: number, high: number): Range => ({ whole: false, low, high });

export const RANGES: Record<Name, Range> = {
  n_features: whole(2, 500),
  width: whole(1, 100),
  data_exponent: real(0, 2.5),
  activation_density: real(0.01, 50),
  weight_decay: real(-1, 1),
  learning_rate: real(0.001, 0.1),
  initial_bias_std: real(0, 1),
  steps: whole(100, 20000),
  batch: whole(32, 2048),
  seed: whole(0, 2 ** 31 - 1),
  law: whole(0, 1),
  narrowest: whole(2, 100),
  widest: whole(2, 100),
};
export const NAMES = Object.keys(RANGES) as Name[];

const LONGEST = 1000; // characters of a fragment
const NUMBER = /^-?\d{1,12}(\.\d{1,20})?(e-?\d{1,2})?$/;

/** What is wrong with a setting, in a few words; "" where nothing is. */
export function problem(setting: Setting): string {
  for (const name of NAMES) {
    const { low, high, whole } = RANGES[name];
    const value = setting[name];
    if (!(value >= low && value <= high) || (whole && !Number.isInteger(value)))
      return `${name} needs a ${whole ? "whole " : ""}number from ${low} to ${high}`;
  }
  const most = largestDensity(setting.n_features, setting.data_exponent);
  if (setting.activation_density > most) return `activation_density needs ${most} at most, or a feature has a chance above 1`;
  if (setting.law && setting.widest < setting.narrowest + 8) return "widest needs 8 more than narrowest";
  return "";
}

export const toFragment = (setting: Setting): string => NAMES.map((name) => `${name}=${setting[name]}`).join("&");

/** The setting of a link's fragment, or what is wrong with it. What it leaves out is as in `base`. */
export function fromFragment(fragment: string, base: Setting): { setting: Setting; wrong: string } {
  const refuse = (wrong: string) => ({ setting: { ...base }, wrong });
  if (fragment.length > LONGEST) return refuse(`it has ${fragment.length} characters`);
  const setting = { ...base };
  const seen = new Set<string>();
  for (const part of fragment.split("&").filter(Boolean)) {
    const [name, value, ...more] = part.split("=");
    if (!(NAMES as string[]).includes(name)) return refuse("it has a name that is no setting");
    if (seen.has(name)) return refuse(`it has ${name} twice`);
    if (more.length || !NUMBER.test(value ?? "")) return refuse(`${name} is no number`);
    seen.add(name);
    setting[name as Name] = Number(value) + 0;
  }
  const wrong = problem(setting);
  return wrong ? refuse(wrong) : { setting, wrong: "" };
}

/** Eight widths, evenly in log, from narrowest to widest. */
export function lawWidths(setting: Setting): number[] {
  const ratio = setting.widest / setting.narrowest;
  const widths: number[] = [];
  for (let k = 0; k < 8; k++) {
    const even = Math.round(setting.narrowest * ratio ** (k / 7));
    widths.push(Math.max(even, (widths[k - 1] ?? 0) + 1));
  }
  return widths;
}

/** One run of the setting: fields of superlaw.RunSpec, whose others are at their defaults. */
export interface Spec {
  n_features: number;
  width: number;
  data_exponent: number;
  activation_density: number;
  weight_decay: number;
  steps: number;
  batch: number;
  learning_rate: number;
  warmup: number;
  initial_bias_std: number;
  seed: number;
}

/** The runs of a setting: the one model, or sixteen, strong before weak, narrow before wide. */
export function specs(setting: Setting): Spec[] {
  const { law, narrowest, widest, ...one } = setting;
  const base = { ...one, warmup: warmup(setting.steps) };
  if (!law) return [base];
  return decays(setting).flatMap((weight_decay) => lawWidths(setting).map((width) => ({ ...base, width, weight_decay })));
}

/** Weight decays of the law: growth, then decay, of the setting's size. */
export const decays = (setting: Setting): number[] => {
  const size = Math.abs(setting.weight_decay) || 1;
  return [-size, size];
};

/** The same run as a command, option by option. */
export const command = (spec: Spec): string[] =>
  ["superlaw train", ...Object.entries(spec).map(([name, value]) => `--${name.replaceAll("_", "-")} ${value}`)];

/** The same run as a file: superlaw train --spec FILE. */
export const specFile = (spec: Spec): string => JSON.stringify(spec, null, 2) + "\n";

/** The law's sixteen runs as a plan: superlaw sweep run FILE --store runs. */
export function planFile(setting: Setting): string {
  const { width, weight_decay, seed, ...base } = specs({ ...setting, law: 0 })[0];
  const lines = Object.entries(base).map(([name, value]) => `${name} = ${value}`);
  return [
    'about = "the law of the playground: eight widths, weak and strong"',
    `seeds = [${seed}]`,
    "",
    "[base]",
    ...lines,
    "",
    "[axes]",
    `weight_decay = [${decays(setting).join(", ")}]`,
    `width = [${lawWidths(setting).join(", ")}]`,
    "",
  ].join("\n");
}
