import { afterAll, beforeAll, describe } from "vitest";
import { startServer } from "../../server/test/harness/server-process.ts";
import { testAlerts } from "./alerts.ts";
import { createFullCompany, type FullCompany } from "./full-company.ts";
import { describeConsole, SLOW_MS } from "./open-console.ts";
import { testFullOverview, testOverview } from "./overview.ts";
import { testRateLimits } from "./rate-limits.ts";
import { testSpendLimits } from "./spend-limits.ts";
import { testKeyboardTasks, testTouchTasks } from "./tasks.ts";

// The overview comes first, because the other subjects create alerts and change limits.

describeConsole("limits and alerts", (console) => {
  describe("the overview", () => testOverview(console));

  describe("alerts and requests", () => testAlerts(console));

  describe("rate limits", () => testRateLimits(console));

  describe("spend limits", () => testSpendLimits(console));

  describe("a company in which everything is wrong", () => {
    let company: FullCompany;
    beforeAll(async () => {
      company = await createFullCompany(await startServer());
    }, SLOW_MS);
    afterAll(() => company.server.stop());
    const full = () => company;

    testFullOverview(console, full);
    describe("tasks by keyboard alone", () => testKeyboardTasks(console, full));
    describe("tasks by touch, 390 px wide", () => testTouchTasks(console, full));
  });
});
