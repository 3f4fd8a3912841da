import { expect, test } from "vitest";
import { formatTags, tagLines, toTagChange, toTags } from "./tag-lines.ts";

test("tags are read as they are written, also with an equals sign in the value", () => {
  const tags = { cost_center: "4711", query: "a=b" };
  expect(toTags(formatTags(tags))).toEqual(tags);
  expect(toTags(" team = ads \n\n")).toEqual({ team: "ads" });
});

test("a removed line deletes its tag", () => {
  expect(toTagChange({ team: "ads", stage: "test" }, "team=search")).toEqual({
    team: "search",
    stage: null,
  });
});

test.each([
  ["team=ads", true],
  ["team", "Enter name=value on each line, such as cost_center=4711."],
  ["=ads", "Enter name=value on each line, such as cost_center=4711."],
  ["team=ads\nteam=search", "The name team is there twice."],
])("the text %j is checked", (text, result) => {
  expect(tagLines.validate(text)).toBe(result);
});
