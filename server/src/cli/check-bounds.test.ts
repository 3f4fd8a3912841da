import { expect, test } from "vitest";
import { checkBounds } from "./check-bounds.ts";

const asServer = (data: object[]) => async (method: string, target: string) => {
  expect([method, target]).toEqual(["GET", "/v1/admin/exceeded_bounds"]);
  return { data, next_page: null };
};

test("an installation without exceeded bounds has no note", async () => {
  expect(await checkBounds(asServer([]))).toEqual({
    check: "holds",
    ok: true,
    detail: "no model or tool exceeded its bound",
  });
});

test("models and tools that are held whole are a note with the command that clears them", async () => {
  const data = [
    { kind: "model", name: "claude-opus-5" },
    { kind: "tool", name: "web_search_20250305" },
  ];
  expect(await checkBounds(asServer(data))).toEqual({
    check: "holds",
    ok: true,
    is_note: true,
    detail:
      "held whole, because they exceeded their bound: model claude-opus-5, tool web_search_20250305; `./bursar exceeded-bounds list` has the figures, and `delete` holds one in steps again",
  });
});
