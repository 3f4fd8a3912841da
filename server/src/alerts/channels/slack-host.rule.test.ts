import { describe, expect, test } from "vitest";
import { findSlackMistake } from "./slack-host.rule.ts";

describe("a Slack channel sends to Slack only", () => {
  test.each([
    "https://hooks.slack.com/services/T0/B0/secret",
    "https://HOOKS.slack.com:443/services/T0/B0/secret",
    "https://hooks.slack-gov.com/services/T0/B0/secret",
  ])("accepts %s", (url) => {
    expect(findSlackMistake(url, false)).toBeNull();
  });

  test.each([
    "https://example.com/services/T0/B0/secret",
    "https://hooks.slack.com.example.com/services/T0",
    "https://evil-hooks.slack.com/services/T0",
    "https://slack.com/services/T0",
    "https://hooks.slack.com:8443/services/T0",
    "https://hooks.slack.com./services/T0",
    "http://hooks.slack.com/services/T0",
    "https://example.com/?https://hooks.slack.com/",
  ])("rejects %s", (url) => {
    expect(findSlackMistake(url, false)).toContain("hooks.slack.com");
  });

  test("accepts another host that the operator has listed", () => {
    expect(findSlackMistake("http://chat.internal/hooks/x", true)).toBeNull();
  });
});
