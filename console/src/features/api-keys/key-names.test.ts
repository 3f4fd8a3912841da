import { expect, test } from "vitest";
import { readNames } from "./key-names.ts";
import { toSecretsCsv } from "./secrets-csv.ts";

test("reads one name of each line, and numbers ranges with equal digits", () => {
  expect(readNames(" deploy \n\nci-[8-10]")).toEqual(["deploy", "ci-08", "ci-09", "ci-10"]);
  expect(readNames("shard [1-3] of 3")).toEqual(["shard 1 of 3", "shard 2 of 3", "shard 3 of 3"]);
});

test("says why text names no keys", () => {
  expect(readNames(" \n")).toBe("Enter at least one name.");
  expect(readNames("a\nb\na")).toBe("The name a is twice in the list.");
  expect(readNames("ci-[5-1]")).toBe("[5-1]: the first number is larger than the last one.");
  expect(readNames("ci-[1-501]")).toBe("At most 500 keys are created at once.");
  expect(readNames("a\nci-[1-500]")).toBe("At most 500 keys are created at once.");
  expect(readNames("ci-[1-500]")).toHaveLength(500);
});

test("writes secrets as CSV, in which no name is a formula or a second cell", () => {
  const key = "sk-ant-api03-x";
  const rows = [
    { id: "apikey_1", name: '=HYPERLINK("x")', key },
    { id: "apikey_2", name: "a, b", key },
  ];
  expect(toSecretsCsv(rows, "Research")).toBe(
    [
      "name,id,workspace,key",
      `"'=HYPERLINK(""x"")",apikey_1,Research,${key}`,
      `"a, b",apikey_2,Research,${key}`,
      "",
    ].join("\r\n"),
  );
});
