import { expect, test } from "vitest";
import { describeUpstreamChange, describeUpstreamDeletion } from "./upstream-effects.ts";

const before = {
  base_url: "https://api.anthropic.com",
  has_credential: true,
  extra_header_names: [],
};
const use = { workspaces: 12, requests: 1204, isOnly: true };
const nothing = {
  ...{ hasNewCredential: false, hasNewHeaders: false, changed: [] },
  ...{ hasOtherKind: false, hasOtherPlace: false },
};

test("a new address without a key says where requests go and that the key is deleted", () => {
  const change = { before, base_url: "https://eu.example.com", ...nothing, ...use };
  expect(describeUpstreamChange(change)).toEqual([
    "New requests of all 12 workspaces are sent to the new address within a second.",
    "The stored key is deleted. Without a new one, the upstream refuses every request.",
    "1,204 requests of the last hour were sent through this upstream.",
    "Running requests end with the old settings.",
  ]);
});

test("a new address of one of several upstreams deletes its headers, and concerns its requests", () => {
  const stored = { ...before, has_credential: false, extra_header_names: ["x-team", "x-zone"] };
  const change = { before: stored, base_url: "https://eu.example.com", ...nothing, ...use };
  expect(describeUpstreamChange({ ...change, isOnly: false })).toEqual([
    "New requests to this upstream are sent to the new address within a second.",
    "The stored headers are deleted: x-team, x-zone.",
    "1,204 requests of the last hour were sent through all upstreams.",
    "Running requests end with the old settings.",
  ]);
});

test("a new key alone keeps the address", () => {
  const change = { before, base_url: before.base_url, ...nothing, hasNewCredential: true };
  expect(describeUpstreamChange({ ...change, workspaces: 1, requests: 1, isOnly: true })).toEqual([
    "New requests of the only workspace use the new key within a second.",
    "The old key is deleted here, and stays valid at its issuer.",
    "If the upstream does not accept the new key, it refuses every request.",
    "1 request of the last hour was sent through this upstream.",
    "Running requests end with the old settings.",
  ]);
});

test("other new settings are named in one sentence", () => {
  const change = { before, base_url: before.base_url, ...nothing, hasNewHeaders: true };
  expect(
    describeUpstreamChange({
      ...{ ...change, changed: ["proxy", "workspace id"] },
      ...{ workspaces: 3, requests: undefined, isOnly: true },
    }),
  ).toEqual([
    "New requests of all 3 workspaces use the new headers, proxy and workspace id within a second.",
    "Running requests end with the old settings.",
  ]);
});

test("new settings of a platform say when the key is deleted", () => {
  const change = { before, base_url: before.base_url, ...nothing, changed: ["settings"] };
  const some = { workspaces: 2, requests: undefined, isOnly: true };
  expect(describeUpstreamChange({ ...change, ...some, hasOtherKind: true })).toEqual([
    "New requests of all 2 workspaces use the new settings within a second.",
    "The stored key is deleted. Without a new one, the upstream refuses every request.",
    "Running requests end with the old settings.",
  ]);
  expect(describeUpstreamChange({ ...change, ...some, hasOtherPlace: true })).toContain(
    "The stored key is deleted if the address is the public one of the platform. Enter it again.",
  );
});

test("a new name has no effect", () => {
  const change = { before, base_url: before.base_url, ...nothing, ...use };
  expect(describeUpstreamChange(change)).toEqual([]);
});

const usable = { has_credential: true, provider_settings: null };
const claude = { id: "upst_1", name: "Claude API", ...usable };
const bedrock = { id: "upst_2", name: "Bedrock", ...usable };

test("a deletion of the only upstream without known counts says where requests go", () => {
  const unknown = { workspaces: undefined, requests: undefined, isOnly: true };
  expect(describeUpstreamDeletion({ ...unknown, upstream: claude, order: [claude] })).toEqual([
    "New requests of every workspace are sent to the upstream of the server’s environment within a second. Without one, the simulator answers.",
    "Running requests end with this upstream.",
    "Its files, skills, containers and message batches cannot be reached any more.",
    "The stored key is permanently deleted. To return, store the upstream again with its key.",
  ]);
});

test("a deletion of the first of several upstreams says which one takes its requests", () => {
  const several = { ...use, isOnly: false };
  const order = [claude, bedrock];
  expect(describeUpstreamDeletion({ ...several, upstream: claude, order })).toEqual([
    "New requests of workspaces without an own order go to “Bedrock” first, instead of “Claude API”, within a second.",
    "Prompt caches of “Claude API” are not at “Bedrock”. Requests write them again.",
    "If “Bedrock” cannot be reached, no other upstream takes its requests.",
    "1,204 requests were sent in the last hour.",
    "Running requests end with their upstream.",
    "A workspace with an order that names it must get another order first.",
    "Its files, skills, containers and message batches cannot be reached any more.",
    "The stored key is permanently deleted. To return, store the upstream again with its key.",
  ]);
});

test("a deletion outside of the default order changes no request of other workspaces", () => {
  const several = { ...use, isOnly: false };
  expect(describeUpstreamDeletion({ ...several, upstream: bedrock, order: [claude] })).toEqual([
    "A workspace with an order that names it must get another order first.",
    "Its files, skills, containers and message batches cannot be reached any more.",
    "The stored key is permanently deleted. To return, store the upstream again with its key.",
  ]);
});
