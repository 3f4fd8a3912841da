import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  choosePolicies,
  formatSorted,
  listDecidedKeys,
  mergeSettings,
  type SettingsPolicy,
  toEffectiveSettings,
} from "./effective-settings.rule.ts";
import { addAllowedModels, explainServedSettings } from "./served-settings.rule.ts";

const policy = (name: string, group_ids: string[], settings = {}): SettingsPolicy => ({
  ...{ name, group_ids, settings },
});

const json = fc.jsonValue({ maxDepth: 3 });
const name = fc.string({ minLength: 1 });
const words = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 4 });
const settings = fc.record(
  {
    env: fc.dictionary(fc.constantFrom("A", "B", "C"), fc.string()),
    permissions: fc.record({ allow: words, ask: words, deny: words }, { requiredKeys: [] }),
    hooks: fc.dictionary(fc.constantFrom("Stop", "PreToolUse"), words),
    deniedModels: words,
    availableModels: words,
    model: fc.string(),
    sandbox: json,
    later: json,
  },
  { requiredKeys: [] },
);

describe("the policies of a person", () => {
  const base = policy("Everyone", []);
  const first = policy("Research", ["g1", "g2"]);
  const second = policy("Interns", ["g2", "g3"]);

  test("are the first one with a group, and the base wherever it is", () => {
    for (const list of [
      [base, first, second],
      [first, second, base],
    ]) {
      expect(choosePolicies(list, ["g2"])).toEqual({ base, matching: first });
      expect(choosePolicies(list, ["g3", "other"])).toEqual({ base, matching: second });
      expect(choosePolicies(list, [])).toEqual({ base, matching: null });
    }
  });

  test("are none without a group and a base", () => {
    expect(choosePolicies([first], ["g9"])).toBeNull();
    expect(choosePolicies([], ["g1"])).toBeNull();
  });

  test("do not depend on policies after the first match", () => {
    const groups = fc.uniqueArray(fc.constantFrom("g1", "g2", "g3"), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(groups), groups, (lists, held) => {
        const policies = lists.map((ids, index) => policy(String(index), ids));
        const chosen = choosePolicies(policies, held)?.matching ?? null;
        const until = chosen === null ? policies : policies.slice(0, policies.indexOf(chosen) + 1);
        expect(choosePolicies(until, held)?.matching ?? null).toBe(chosen);
      }),
    );
  });
});

describe("settings laid over the base", () => {
  test("replace allow lists and scalars, unite deny lists and hooks, and merge records", () => {
    const hook = (command: string) => ({ hooks: [{ type: "command", command }] });
    const base = {
      model: "opus",
      cleanupPeriodDays: 30,
      availableModels: ["opus", "haiku"],
      deniedModels: ["fable"],
      env: { A: "1", B: "1" },
      modelOverrides: { opus: "claude-opus-4-7" },
      sandbox: { enabled: true, network: {} },
      permissions: {
        allow: ["Bash"],
        ask: ["WebFetch"],
        deny: ["Read(./.env)"],
        defaultMode: "plan",
      },
      hooks: { Stop: [hook("a")], PreToolUse: [hook("b")] },
    };
    const over = {
      model: "sonnet",
      availableModels: ["haiku"],
      deniedModels: ["opus", "fable"],
      env: { B: "2" },
      modelOverrides: { haiku: "claude-haiku-4-5" },
      sandbox: { enabled: false },
      permissions: { allow: ["Read"], ask: ["Bash"], deny: ["WebFetch"] },
      hooks: { Stop: [hook("c"), hook("a")] },
    };
    expect(mergeSettings(base, over)).toEqual({
      model: "sonnet",
      cleanupPeriodDays: 30,
      availableModels: ["haiku"],
      deniedModels: ["fable", "opus"],
      env: { A: "1", B: "2" },
      modelOverrides: { opus: "claude-opus-4-7", haiku: "claude-haiku-4-5" },
      sandbox: { enabled: false },
      permissions: {
        allow: ["Read"],
        ask: ["WebFetch", "Bash"],
        deny: ["Read(./.env)", "WebFetch"],
        defaultMode: "plan",
      },
      hooks: { Stop: [hook("a"), hook("c")], PreToolUse: [hook("b")] },
    });
  });

  test("are the base over nothing, and themselves without a base", () => {
    fc.assert(
      fc.property(settings, (each) => {
        expect(mergeSettings(each, {})).toEqual(each);
        expect(mergeSettings({}, each)).toEqual(each);
      }),
    );
  });

  test("forbid all that the base and the policy forbid", () => {
    fc.assert(
      fc.property(settings, settings, (base, over) => {
        const merged = mergeSettings(base, over) as typeof base;
        for (const each of [base, over]) {
          expect(merged.permissions?.deny ?? []).toEqual(
            expect.arrayContaining(each.permissions?.deny ?? []),
          );
          expect(merged.deniedModels ?? []).toEqual(
            expect.arrayContaining(each.deniedModels ?? []),
          );
          for (const [event, hooks] of Object.entries(each.hooks ?? {})) {
            expect(merged.hooks?.[event]).toEqual(expect.arrayContaining(hooks));
          }
        }
        if (over.permissions?.allow) {
          expect(merged.permissions?.allow).toEqual(over.permissions.allow);
        }
      }),
    );
  });

  test("keep the value of each key that one of both has", () => {
    fc.assert(
      fc.property(fc.dictionary(name, json), fc.dictionary(name, json), (base, over) => {
        const merged = mergeSettings({ ...base, later: 1 }, over);
        expect(new Set(Object.keys(merged))).toEqual(
          new Set([...Object.keys(base), ...Object.keys(over), "later"]),
        );
      }),
    );
  });

  test("name the policies that decided each key", () => {
    const chosen = {
      base: policy("Everyone", [], {
        model: "opus",
        env: { A: "1", B: "1" },
        permissions: { deny: ["WebFetch"], allow: ["Read"] },
      }),
      matching: policy("Interns", ["g1"], {
        env: { B: "2" },
        permissions: { deny: ["Bash"], allow: [] },
        deniedModels: ["fable"],
      }),
    };
    expect(listDecidedKeys(chosen)).toEqual([
      { path: "deniedModels", policies: ["Interns"] },
      { path: "env.A", policies: ["Everyone"] },
      { path: "env.B", policies: ["Interns"] },
      { path: "model", policies: ["Everyone"] },
      { path: "permissions.allow", policies: ["Interns"] },
      { path: "permissions.deny", policies: ["Everyone", "Interns"] },
    ]);
  });

  test("have a policy for every key", () => {
    fc.assert(
      fc.property(settings, settings, (base, over) => {
        const chosen = { base: policy("Base", [], base), matching: policy("Own", ["g"], over) };
        const keys = listDecidedKeys(chosen);
        for (const key of Object.keys(toEffectiveSettings(chosen))) {
          const value = toEffectiveSettings(chosen)[key];
          const isEmpty =
            typeof value === "object" && value !== null && Object.keys(value).length === 0;
          const found = keys.filter(({ path }) => path === key || path.startsWith(`${key}.`));
          if (!isEmpty) expect(found.length).toBeGreaterThan(0);
          for (const { policies } of found) expect(policies.length).toBeGreaterThan(0);
        }
      }),
    );
  });
});

test("the text for the checksum does not depend on the order of names, and is the same JSON", () => {
  fc.assert(
    fc.property(fc.dictionary(name, json), (value) => {
      const reversed = Object.fromEntries(Object.entries(value).reverse());
      expect(formatSorted(reversed)).toBe(formatSorted(value));
      expect(JSON.parse(formatSorted(value))).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
  expect(formatSorted({ b: [1, { z: null, a: "x" }], a: true })).toBe(
    '{"a":true,"b":[1,{"a":"x","z":null}]}',
  );
});

describe("the models that groups allow", () => {
  test("are added if no policy lists models", () => {
    expect(addAllowedModels({ model: "haiku" }, ["claude-haiku-4-5", "claude-later-1"])).toEqual({
      model: "haiku",
      enforceAvailableModels: true,
      availableModelsMatch: "exact",
      availableModels: ["claude-haiku-4-5", "claude-haiku-4-5-20251001", "claude-later-1"],
    });
    expect(addAllowedModels({ model: "haiku" }, null)).toEqual({ model: "haiku" });
    expect(addAllowedModels({}, [])).toMatchObject({ availableModels: [] });
  });

  test("do not replace the list of a policy", () => {
    const own = { availableModels: ["opus"] };
    expect(addAllowedModels(own, ["claude-haiku-*"])).toBe(own);
  });

  test("are explained without a policy", () => {
    const chosen = { base: policy("Everyone", [], { model: "haiku" }), matching: null };
    expect(explainServedSettings(chosen, ["claude-later-1"]).keys).toEqual([
      { path: "model", policies: ["Everyone"] },
      { path: "enforceAvailableModels", policies: [] },
      { path: "availableModelsMatch", policies: [] },
      { path: "availableModels", policies: [] },
    ]);
  });
});
