import { expect, test } from "vitest";
import { describeTagChange } from "./tag-effects.ts";

test("another tag replaces the value that people choose", () => {
  expect(describeTagChange({ before: "team", after: "cost_center", laptops: 12 })).toEqual([
    "Requests of 12 laptops have the chosen value of cost_center within an hour.",
    "Their value of team is then that of the workspace or key. Earlier requests stay as they are.",
  ]);
});

test("a first tag replaces none, and no tag ends the choice", () => {
  expect(describeTagChange({ before: null, after: "team", laptops: undefined })).toEqual([
    "Requests of laptops have the chosen value of team within an hour.",
  ]);
  expect(describeTagChange({ before: "team", after: null, laptops: 1 })[0]).toBe(
    "Requests of 1 laptop have no chosen value within an hour.",
  );
  expect(describeTagChange({ before: "team", after: "team", laptops: 1 })).toEqual([]);
});
