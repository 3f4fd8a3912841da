import { expect, test } from "vitest";
import { describeSettingsChange } from "./settings-effects.ts";

test("a change names the laptops that get other settings, and those that get none", () => {
  const laptops = { active: 41, changed: 12, without_settings: 3 };
  expect(describeSettingsChange({ laptops, version: 7 })).toEqual([
    "12 of 41 laptops get other settings at the next start, or within an hour.",
    "3 laptops get no settings any more, and use those of their own machine.",
    "To undo it, restore version 7.",
  ]);
});

test("a first version without a laptop applies to later sign-ins", () => {
  const laptops = { active: 0, changed: 0, without_settings: 0 };
  expect(describeSettingsChange({ laptops, version: 0 })).toEqual([
    "No laptop is signed in. Later sign-ins get the settings at once.",
  ]);
});
