import { expect, test } from "vitest";
import { consolePages, findMovedPath, movedConsolePages } from "./console-pages.ts";

test.each([
  ["/limits/requests/slir_1", "/increase-requests/slir_1"],
  ["/limits/requests", "/increase-requests"],
  ["/limits/request", "/increase-requests/new"],
  ["/limits/rates", "/rate-limits"],
  ["/limits", "/spend-limits"],
  ["/limits/", "/spend-limits/"],
  ["/team/invites", "/invites"],
  ["/team/roles", "/members/roles"],
  ["/team/access", "/access"],
  ["/team", "/members"],
  ["/logs", "/requests"],
  ["/keys/apikey_1", "/api-keys/apikey_1"],
  ["/keys", "/api-keys"],
  ["/reviews/review_1/decide", "/access-reviews/review_1/decide"],
  ["/models", "/model-prices"],
  ["/upstream", "/upstreams"],
  ["/audit", "/audit-log"],
  ["/security", "/security-settings"],
])("redirects the earlier path %s to %s", (before, now) => {
  expect(findMovedPath(before)).toBe(now);
});

test.each(["/", "/usage", "/workspaces/wksp_1/limits", "/keysafe", "/upstreams", "/audit-log"])(
  "does not redirect %s",
  (path) => {
    expect(findMovedPath(path)).toBeNull();
  },
);

test("redirects each earlier path to a console page in one step", () => {
  for (const [before, now] of movedConsolePages) {
    expect([before, consolePages.some((page) => page === now.split("/")[1])]).toEqual([
      before,
      true,
    ]);
    expect([now, findMovedPath(now)]).toEqual([now, null]);
  }
});
