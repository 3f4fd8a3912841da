import { describe } from "vitest";
import { testAccessReviews } from "./access-reviews.ts";
import { testLaptops } from "./laptops.ts";
import { describeConsole } from "./open-console.ts";
import { testPersonalKeys } from "./personal-keys.ts";

// Subjects whose files would each need a server and a browser for half a minute of tests: 3 s of CPU time each.

describeConsole("people", (console) => {
  describe("personal keys", () => testPersonalKeys(console));

  describe("laptops", () => testLaptops(console));

  describe("access reviews", () => testAccessReviews(console));
});
