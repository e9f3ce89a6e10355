// Five stories: a setting and two sentences each. What they say is measured in docs/playground.md.
import type { Setting } from "./setting";

export interface Story {
  title: string;
  text: string;
  setting: Setting;
  dimensions: 2 | 3; // in which its rows are shown first
}

const SMALL = { narrowest: 4, widest: 30, law: 0, seed: 0 };

export const STORIES: Story[] = [
  {
    title: "No superposition",
    text:
      "Five features, two of them on at a time, want two dimensions: under weight decay the two most frequent take a " +
      "direction each, the other three are left at zero, and the loss settles on the sum over what is not learned. " +
      "This start was chosen, as most others keep an opposite row or two besides, which ReLU can tell apart (try another seed).",
    setting: {
      n_features: 5, width: 2, data_exponent: 1, activation_density: 2, weight_decay: 1, learning_rate: 0.02,
      initial_bias_std: 0.3, steps: 2000, batch: 256, ...SMALL, seed: 43,
    },
    dimensions: 2,
  },
  {
    title: "Sparsity",
    text:
      "The same five features, now equally frequent and each on in one sample of twenty, with no decay: all five fit, as " +
      "the corners of a pentagon, because two of them rarely meet. " +
      "Raise the density and watch corners fall away: what is always on cannot share.",
    setting: {
      n_features: 5, width: 2, data_exponent: 0, activation_density: 0.25, weight_decay: 0, learning_rate: 0.02,
      initial_bias_std: 0, steps: 2000, batch: 512, ...SMALL,
    },
    dimensions: 2,
  },
  {
    title: "Growth",
    text:
      "Two hundred features in twenty dimensions with weight growth (decay −1): every row grows to a length near 1, even of " +
      "features that hardly ever fire, and their squared overlaps average 1/m, as those of random directions do. " +
      "Move the decay to +1 and most rows shrink to nothing: strong superposition is a choice of the optimiser, not of the data.",
    setting: {
      n_features: 200, width: 20, data_exponent: 1, activation_density: 1, weight_decay: -1, learning_rate: 0.02,
      initial_bias_std: 0.3, steps: 2000, batch: 512, ...SMALL,
    },
    dimensions: 3,
  },
  {
    title: "One over m",
    text:
      "Eight widths at once, with decay (blue) and with growth (orange), and the law drawn as they train: weak " +
      "superposition falls as the data's tail does, about as 1/m^(α − 1), strong superposition about as 1/m. " +
      "Start the bias at 0 instead and both lines grow steeper, the orange one to about 1/m^1.5, with hardly a feature silent.",
    setting: {
      n_features: 300, width: 13, data_exponent: 1.5, activation_density: 1, weight_decay: -1, learning_rate: 0.02,
      initial_bias_std: 1, steps: 1000, batch: 512, narrowest: 4, widest: 30, law: 1, seed: 0,
    },
    dimensions: 3,
  },
  {
    title: "When it breaks",
    text:
      "A hundred features, four on at once, and widths up to ninety: as m nears n there is nothing left to share, and the " +
      "points (rings, left out of the fit beyond n/10) bend off the line. " +
      "In narrow models a third to two thirds of the features are silent, and three widths are all that is left for a " +
      "law: its error says how little they tell.",
    setting: {
      n_features: 100, width: 24, data_exponent: 1, activation_density: 4, weight_decay: -1, learning_rate: 0.02,
      initial_bias_std: 1, steps: 1000, batch: 512, narrowest: 4, widest: 90, law: 1, seed: 0,
    },
    dimensions: 3,
  },
];
