import { expect, test } from "vitest";
import { describeRecentRequests, listNames } from "./sentences.ts";

test.each([
  [0, "No request in the last hour."],
  [1, "1 request in the last hour. Further ones are refused."],
  [1204, "1,204 requests in the last hour. Further ones are refused."],
])("%i requests of the last hour become a sentence", (requests, sentence) => {
  expect(describeRecentRequests(requests)).toBe(sentence);
});

test("a list of names has five at most, and the number of the others", () => {
  expect(listNames(["a", "b", "c", "d", "e"])).toBe("a, b, c, d, e");
  expect(listNames(["a", "b", "c", "d", "e", "f", "g"])).toBe("a, b, c, d, e and 2 more");
  expect(listNames([])).toBe("");
});
