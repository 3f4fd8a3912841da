import { describe, expect, test } from "vitest";
import { checkPolicies } from "./check-policies.rule.ts";
import type { SettingsPolicy } from "./effective-settings.rule.ts";

const groups = { existing: new Set(["g1", "g2"]), deleted: new Set(["g8"]) };
const policy = (name: string, group_ids: string[], settings = {}): SettingsPolicy => ({
  ...{ name, group_ids, settings },
});
const check = (...policies: SettingsPolicy[]) => checkPolicies(policies, groups);
const checkOne = (settings: object) => check(policy("Everyone", [], settings));
const pathsOf = (settings: object) =>
  checkOne(settings).faults.map(({ path }) => path.replace("policies.0.settings.", ""));

describe("accepts", () => {
  test("the keys that companies use", () => {
    const { faults, warnings } = checkOne({
      model: "sonnet",
      availableModels: ["sonnet", "haiku"],
      enforceAvailableModels: true,
      modelOverrides: { opus: "claude-opus-5-5" },
      modelPricing: { multiplier: 1.2, overrides: { "claude-opus-5-5": {} } },
      cleanupPeriodDays: 20,
      attributionProject: "apollo",
      permissions: {
        allow: ["Bash(npm run test:*)", "mcp__github__search_repositories"],
        ask: ["WebFetch(domain:example.com)"],
        deny: ["Read(./.env)", "WebSearch"],
        disableBypassPermissionsMode: "disable",
        additionalDirectories: ["../docs"],
      },
      env: { CLAUDE_CODE_ENABLE_TELEMETRY: "1" },
      hooks: {
        PreToolUse: [
          { matcher: "Bash", hooks: [{ type: "command", command: "/bin/check", timeout: 5 }] },
        ],
        Stop: [{ hooks: [{ type: "http", url: "https://hooks.example.com" }] }],
      },
      sandbox: { enabled: true, network: { allowedDomains: ["example.com"], httpProxyPort: 8080 } },
    });
    expect(faults).toEqual([]);
    expect(warnings.map(({ code, path }) => [code, path])).toEqual([
      ["needs_approval", "policies.0.settings.env"],
      ["needs_approval", "policies.0.settings.hooks"],
    ]);
  });

  test("unknown keys with a warning, which names a similar key", () => {
    expect(checkOne({ later: { deep: [1] }, availablemodels: [] })).toEqual({
      faults: [],
      warnings: [
        expect.objectContaining({ code: "unknown_key", path: "policies.0.settings.later" }),
        expect.objectContaining({
          code: "unknown_key",
          message: expect.stringContaining("availableModels"),
        }),
      ],
    });
  });

  test("names of the object's prototype as unknown keys", () => {
    const settings = JSON.parse('{"constructor": 1, "hasOwnProperty": 1, "toString": 1}');
    expect(checkOne(settings).warnings).toHaveLength(3);
  });
});

describe("refuses", () => {
  for (const [name, settings, paths] of [
    ["a rule that is no text", { permissions: { deny: ["Read", 7] } }, ["permissions.deny.1"]],
    [
      "a rule with an open bracket",
      { permissions: { allow: ["Bash(ls"] } },
      ["permissions.allow.0"],
    ],
    ["a value of env that is no text", { env: { A: 1 } }, ["env.A"]],
    [
      "a hook without its command",
      { hooks: { Stop: [{ hooks: [{ type: "command" }] }] } },
      ["hooks.Stop.0.hooks.0.command"],
    ],
    [
      "a hook outside of a matcher",
      { hooks: { Stop: [{ type: "command", command: "x" }] } },
      ["hooks.Stop.0.hooks"],
    ],
    ["models that are no list", { availableModels: "opus" }, ["availableModels"]],
    ["no whole number of days", { cleanupPeriodDays: 0 }, ["cleanupPeriodDays"]],
    ["null", { model: null }, ["model"]],
    [
      "a wrong type in the sandbox",
      { sandbox: { network: { allowedDomains: [1] } } },
      ["sandbox.network.allowedDomains.0"],
    ],
    ["servers of MCP", { mcpServers: {} }, ["mcpServers"]],
    [
      "keys of the sign-in",
      { forceLoginMethod: "gateway", forceLoginGatewayUrl: "https://x" },
      ["forceLoginMethod", "forceLoginGatewayUrl"],
    ],
  ] as const) {
    test(name, () => expect(pathsOf(settings)).toEqual(paths));
  }

  test("equal names, a second base and unknown groups", () => {
    const { faults } = check(policy("A", ["g1", "g9"]), policy("B", []), policy("A", []));
    expect(faults.map(({ path }) => path)).toEqual([
      "policies.2.name",
      "policies.2.group_ids",
      "policies.0.group_ids.1",
    ]);
  });

  test("settings of a person beyond 64 KB, together with the base", () => {
    const half = { later: "x".repeat(40 * 1024) };
    expect(check(policy("A", ["g1"], { other: half.later }), policy("B", [], half)).faults).toEqual(
      [expect.objectContaining({ path: "policies.0.settings" })],
    );
    expect(check(policy("A", ["g1"], half), policy("B", [], half)).faults).toEqual([]);
  });

  test("policies beyond 512 KB", () => {
    const many = Array.from({ length: 10 }, (_, index) =>
      policy(String(index), ["g1"], { later: "x".repeat(60 * 1024) }),
    );
    expect(check(...many).faults).toEqual([expect.objectContaining({ path: "policies" })]);
  });

  test("values that nest deeply", () => {
    const deep = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`);
    expect(pathsOf({ later: deep })).toEqual(["later"]);
  });
});

describe("warns of", () => {
  const codesOf = (...policies: SettingsPolicy[]) =>
    check(...policies).warnings.map(({ code, path }) => [code, path]);

  test("a policy that never applies", () => {
    expect(codesOf(policy("A", ["g1", "g2"]), policy("B", ["g2"]), policy("C", []))).toEqual([
      ["never_matches", "policies.1.group_ids"],
    ]);
  });

  test("a deleted group", () => {
    expect(codesOf(policy("A", ["g8"]), policy("B", []))).toEqual([
      ["unknown_group", "policies.0.group_ids.0"],
    ]);
  });

  test("no policy for everyone", () => {
    expect(codesOf(policy("A", ["g1"]))).toEqual([["no_base", "policies"]]);
    expect(codesOf()).toEqual([]);
  });

  test("credentials that signed-in clients ignore", () => {
    expect(checkOne({ apiKeyHelper: "/bin/key" }).warnings).toEqual([
      expect.objectContaining({ code: "no_effect" }),
    ]);
  });
});
