import { describe } from "vitest";
import { testKeyboard, testRail } from "./journey.ts";
import { describeConsole } from "./open-console.ts";
import { testPlayground } from "./playground.ts";

// The playground's tests rename the company, so they come last.

describeConsole("the journey and the playground", (console) => {
  describe("by keyboard alone", () => testKeyboard(console));
  describe("the rail", () => testRail(console));

  describe("the playground and the system", () => testPlayground(console));
});
