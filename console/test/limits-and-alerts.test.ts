import { describe } from "vitest";
import { testAlerts } from "./alerts.ts";
import { describeConsole } from "./open-console.ts";
import { testOverview } from "./overview.ts";
import { testRateLimits } from "./rate-limits.ts";
import { testSpendLimits } from "./spend-limits.ts";

// The overview comes first, because the other subjects create alerts and change limits.

describeConsole("limits and alerts", (console) => {
  describe("the overview", () => testOverview(console));

  describe("alerts and requests", () => testAlerts(console));

  describe("rate limits", () => testRateLimits(console));

  describe("spend limits", () => testSpendLimits(console));
});
