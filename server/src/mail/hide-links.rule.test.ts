import { expect, test } from "vitest";
import { HIDDEN_LINK, hasAccessLinks, hideLinks } from "./hide-links.rule.ts";
import { layoutMessage } from "./layout.ts";

const url = "https://bursar.example.com:8443/reset#token=0aB_-9";

test("hides the link of the button and of the text, and keeps all other words", () => {
  const body = layoutMessage({
    title: "Set a new password",
    paragraphs: ["A new password was requested for ada@example.com."],
    action: { label: "Set a new password", url },
    notes: ["The link works once."],
  });
  expect(body.html.split(url)).toHaveLength(3);
  const hidden = hideLinks(body);
  expect(hidden.text).toBe(body.text.replace(url, HIDDEN_LINK));
  expect(hidden.html).not.toContain("token");
  expect(hidden.html).not.toContain("href");
  expect(hidden.html).toContain("A new password was requested for ada@example.com.");
});

test("only notices have links without access", () => {
  const kinds = ["invite", "password_reset", "notice", "a kind of a later version"];
  expect(kinds.filter((kind) => !hasAccessLinks(kind))).toEqual(["notice"]);
});
