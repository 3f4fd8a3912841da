import { expect, test } from "vitest";
import type { Upstream } from "./queries.ts";
import {
  hasOtherKind,
  hasOtherPlace,
  listChangedParts,
  toNewUpstream,
  toUpstreamChange,
  toValues,
} from "./upstream-values.ts";

const upstream: Upstream = {
  id: "upst_1",
  type: "upstream",
  name: "Claude API",
  base_url: "https://api.anthropic.com",
  provider: "anthropic",
  provider_settings: null,
  has_credential: true,
  credential_hint: "sk-…abcd",
  extra_header_names: ["x-team"],
  proxy_url: "http://proxy.example.com:3128",
  has_proxy_credential: true,
  upstream_workspace_id: null,
  default_position: 0,
  created_at: "2026-11-01T00:00:00.000Z",
  updated_at: "2026-11-01T00:00:00.000Z",
  health: null,
};

test("a new upstream has the filled fields only", () => {
  const values = toValues(null);
  expect(toNewUpstream({ ...values, credential: " sk-ant-1 " })).toEqual({
    name: "Claude API",
    base_url: "https://api.anthropic.com",
    credential: "sk-ant-1",
  });
  const headers = [
    { name: "x-team ", value: " a" },
    { name: "", value: "lost" },
  ];
  const proxy_url = "http://proxy.example.com:3128";
  expect(
    toNewUpstream({ ...values, headers, proxy_url, upstream_workspace_id: "wrkspc_1" }),
  ).toEqual({
    name: "Claude API",
    base_url: "https://api.anthropic.com",
    extra_headers: { "x-team": "a" },
    proxy_url,
    upstream_workspace_id: "wrkspc_1",
  });
});

test("an unchanged form sends nothing", () => {
  expect(toUpstreamChange(upstream, toValues(upstream))).toEqual({});
});

test("a new key and new headers are sent with their address", () => {
  const values = toValues(upstream);
  expect(toUpstreamChange(upstream, { ...values, credential: "sk-ant-2" })).toEqual({
    base_url: "https://api.anthropic.com",
    credential: "sk-ant-2",
  });
  const headers = [{ name: "x-zone", value: "b" }];
  expect(toUpstreamChange(upstream, { ...values, headers, isWithoutHeaders: true })).toEqual({
    base_url: "https://api.anthropic.com",
    extra_headers: { "x-zone": "b" },
  });
});

test("empty fields remove what is stored", () => {
  const values = toValues(upstream);
  const change = toUpstreamChange(upstream, { ...values, isWithoutHeaders: true, proxy_url: " " });
  expect(change).toEqual({ extra_headers: null, proxy_url: null });
  expect(listChangedParts(change)).toEqual(["proxy"]);
  expect(listChangedParts({ upstream_workspace_id: "wrkspc_1" })).toEqual(["workspace id"]);
});

const bedrock: Upstream = {
  ...upstream,
  provider: "bedrock",
  base_url: "https://bedrock-runtime.us-east-1.amazonaws.com",
  provider_settings: { provider: "bedrock", region: "us-east-1", authentication: "access_key" },
};

test("a new upstream of a platform has its settings and its kind of credential", () => {
  const values = toValues(null, "bedrock");
  const entered = { access_key_id: "AKIA1", secret_access_key: "secret", region: "us-east-1" };
  expect(toNewUpstream({ ...values, ...entered, upstream_workspace_id: "wrkspc_1" })).toEqual({
    name: "Amazon Bedrock",
    provider_settings: { provider: "bedrock", region: "us-east-1", authentication: "access_key" },
    credential: '{"access_key_id":"AKIA1","secret_access_key":"secret"}',
  });
});

test("an unchanged form of a platform sends nothing, and an emptied address stays", () => {
  const values = toValues(bedrock);
  expect(toUpstreamChange(bedrock, values)).toEqual({});
  expect(toUpstreamChange(bedrock, { ...values, base_url: "" })).toEqual({});
});

test("a new region of a platform is sent without the earlier address", () => {
  const values = { ...toValues(bedrock), region: "eu-west-1" };
  const entered = { access_key_id: "AKIA2", secret_access_key: "secret" };
  const change = toUpstreamChange(bedrock, { ...values, ...entered });
  expect(Object.keys(change)).toEqual(["provider_settings", "credential"]);
  expect(listChangedParts(change)).toEqual(["settings"]);
  expect(hasOtherPlace(bedrock, change)).toBe(true);
  expect(hasOtherKind(bedrock, change)).toBe(false);
});

test("another authentication of a platform is another kind of credential", () => {
  const values = toValues(bedrock);
  const change = toUpstreamChange(bedrock, { ...values, authentication: "machine" });
  expect(hasOtherKind(bedrock, change)).toBe(true);
  expect(hasOtherPlace(bedrock, change)).toBe(false);
  const named = toUpstreamChange(bedrock, { ...values, model_names: "a = b" });
  expect([hasOtherKind(bedrock, named), hasOtherPlace(bedrock, named)]).toEqual([false, false]);
});
