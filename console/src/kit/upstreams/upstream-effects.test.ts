import { expect, test } from "vitest";
import { describeUpstreamChange, describeUpstreamDeletion } from "./upstream-effects.ts";

const before = { base_url: "https://api.anthropic.com", has_credential: true };
const use = { workspaces: 12, requests: 1204 };

test("a new address without a key says where requests go and that the key is deleted", () => {
  const change = { before, base_url: "https://eu.example.com", hasNewCredential: false, ...use };
  expect(describeUpstreamChange(change)).toEqual([
    "New requests of all 12 workspaces are sent to the new address within a second.",
    "The stored key is deleted. Without a new one, the upstream refuses every request.",
    "1,204 requests of the last hour were sent through this upstream.",
    "Running requests end with the old address and key.",
  ]);
});

test("a new key alone keeps the address", () => {
  const change = { before, base_url: before.base_url, hasNewCredential: true };
  expect(describeUpstreamChange({ ...change, workspaces: 1, requests: 1 })).toEqual([
    "New requests of the only workspace use the new key within a second.",
    "The old key is deleted here, and stays valid at its issuer.",
    "If the upstream does not accept the new key, it refuses every request.",
    "1 request of the last hour was sent through this upstream.",
    "Running requests end with the old address and key.",
  ]);
});

test("a new name has no effect", () => {
  const change = { before, base_url: before.base_url, hasNewCredential: false, ...use };
  expect(describeUpstreamChange(change)).toEqual([]);
});

test("a deletion without known counts says where requests go", () => {
  expect(describeUpstreamDeletion({ workspaces: undefined, requests: undefined })).toEqual([
    "New requests of every workspace are sent to the upstream of the server’s environment within a second. Without one, the simulator answers.",
    "Running requests end with this upstream.",
    "The stored key is permanently deleted. To return, store the upstream again with its key.",
  ]);
});
