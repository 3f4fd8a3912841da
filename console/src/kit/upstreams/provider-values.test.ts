import type { ProviderSettings } from "@bursar/contract/admin/provider-settings.ts";
import { expect, test } from "vitest";
import {
  findNameFault,
  parseModelNames,
  toCredential,
  toProviderSettings,
  toProviderValues,
} from "./provider-values.ts";

test("settings of each platform stay the same through the form", () => {
  const model_names = { "claude-opus-5": "arn:aws:bedrock:us-east-1:1:profile/a=b" };
  const stored: ProviderSettings[] = [
    {
      ...{ provider: "bedrock", region: "eu-west-1", api: "messages", inference_profile: "eu" },
      ...{ authentication: "api_key", model_names, betas: ["context-1m-2025-08-07"] },
    },
    { provider: "bedrock", region: "us-east-1", authentication: "access_key" },
    {
      ...{ provider: "vertex", region: "global", project_id: "claude-prod" },
      authentication: "machine",
    },
    {
      ...{ provider: "foundry", resource: "northwind", authentication: "client_secret" },
      is_us_data_zone: true,
    },
  ];
  for (const settings of stored) {
    const values = toProviderValues(settings.provider, settings);
    expect(toProviderSettings(values)).toEqual(settings);
  }
});

test("Anthropic itself has no settings", () => {
  expect(toProviderSettings(toProviderValues("anthropic", null))).toBeNull();
});

test("a new platform starts with its first kind of credential", () => {
  expect(toProviderValues("bedrock", null).authentication).toBe("access_key");
  expect(toProviderValues("vertex", null).authentication).toBe("service_account");
  expect(toProviderValues("foundry", null).authentication).toBe("api_key");
});

test("a credential has the form of its kind, and is empty without input", () => {
  const bedrock = toProviderValues("bedrock", null);
  expect(toCredential(bedrock, "unused")).toBe("");
  const filled = { ...bedrock, access_key_id: " AKIA1 ", secret_access_key: "secret" };
  expect(JSON.parse(toCredential(filled, ""))).toEqual({
    access_key_id: "AKIA1",
    secret_access_key: "secret",
  });
  expect(toCredential({ ...filled, authentication: "api_key" }, " key ")).toBe("key");
  expect(toCredential({ ...filled, authentication: "machine" }, "key")).toBe("");
  const entra = { tenant_id: "t", client_id: "c", client_secret: "s" };
  const foundry = toProviderValues("foundry", null);
  expect(
    JSON.parse(toCredential({ ...foundry, ...entra, authentication: "client_secret" }, "")),
  ).toEqual(entra);
  const vertex = { ...toProviderValues("vertex", null), service_account: '{"type": "x"}\n' };
  expect(toCredential(vertex, "")).toBe('{"type": "x"}');
});

test("a line without both names of a model is a fault", () => {
  expect([...parseModelNames("a = b\n c=d=e ")]).toEqual([
    ["a", "b"],
    ["c", "d=e"],
  ]);
  expect(findNameFault("a = b\nus.claude")).toBe("Write both names: claude-opus-5 = us.claude");
  expect(findNameFault("a = ")).toBe("Write both names: claude-opus-5 = a =");
  expect(findNameFault("")).toBeNull();
});
