import { expect, test } from "vitest";
import { DEFAULT_SUBJECT, describeOrderChange } from "./order-effects.ts";

const usable = { has_credential: true, provider_settings: null };
const claude = { id: "upst_1", name: "Claude API", ...usable };
const bedrock = { id: "upst_2", name: "Bedrock", ...usable };
const change = { requestsOf: DEFAULT_SUBJECT, isDefault: true, requests: 1204 };

test("another first upstream says where requests go, and that its prompt caches are new", () => {
  const orders = { before: [claude, bedrock], after: [bedrock, claude] };
  expect(describeOrderChange({ ...change, ...orders })).toEqual([
    "New requests of workspaces without an own order go to “Bedrock” first, instead of “Claude API”, within a second.",
    "Prompt caches of “Claude API” are not at “Bedrock”. Requests write them again.",
    "If “Bedrock” cannot be reached, or answers 429 or 529, requests go to “Claude API” next.",
    "1,204 requests were sent in the last hour.",
    "Running requests end with their upstream.",
  ]);
});

test("an upstream that leaves the default order serves only workspaces that name it", () => {
  const orders = { before: [claude, bedrock], after: [claude] };
  expect(describeOrderChange({ ...change, ...orders, requests: 1 })).toEqual([
    "If “Claude API” cannot be reached, no other upstream takes its requests.",
    "“Bedrock” serves only workspaces with an order that names it.",
    "1 request was sent in the last hour.",
    "Running requests end with their upstream.",
  ]);
});

test("an order of a workspace says what the workspace loses", () => {
  const orders = { before: [claude, bedrock], after: [bedrock] };
  const ofWorkspace = { requestsOf: "this workspace", isDefault: false, requests: undefined };
  expect(describeOrderChange({ ...ofWorkspace, ...orders })).toEqual([
    "New requests of this workspace go to “Bedrock” first, instead of “Claude API”, within a second.",
    "Prompt caches of “Claude API” are not at “Bedrock”. Requests write them again.",
    "If “Bedrock” cannot be reached, no other upstream takes its requests.",
    "“Claude API” gets no new request of this workspace.",
    "Running requests end with their upstream.",
  ]);
});

test("an empty order refuses requests", () => {
  expect(describeOrderChange({ ...change, before: [claude], after: [], requests: 0 })).toEqual([
    "New requests of workspaces without an own order are refused within a second, because no upstream is left.",
    "No request was sent in the last hour.",
  ]);
});

test("the same order has no effect", () => {
  expect(
    describeOrderChange({ ...change, before: [claude, bedrock], after: [claude, bedrock] }),
  ).toEqual([]);
});

const empty = { id: "upst_3", name: "Reserve", has_credential: false, provider_settings: null };

test("an upstream without a credential is skipped, wherever it stands", () => {
  const orders = { before: [empty, claude, bedrock], after: [claude, empty, bedrock] };
  expect(describeOrderChange({ ...change, ...orders, requests: 0 })).toEqual([
    "If “Claude API” cannot be reached, or answers 429 or 529, requests go to “Bedrock” next.",
    "“Reserve” has no credential, so requests skip it.",
    "No request was sent in the last hour.",
    "Running requests end with their upstream.",
  ]);
});

test("the first upstream with a credential gets requests instead of the earlier one with a credential", () => {
  const orders = { before: [empty, claude, bedrock], after: [empty, bedrock] };
  expect(describeOrderChange({ ...change, ...orders, requests: 0 })).toEqual([
    "New requests of workspaces without an own order go to “Bedrock” first, instead of “Claude API”, within a second.",
    "Prompt caches of “Claude API” are not at “Bedrock”. Requests write them again.",
    "If “Bedrock” cannot be reached, no other upstream takes its requests.",
    "“Reserve” has no credential, so requests skip it.",
    "“Claude API” serves only workspaces with an order that names it.",
    "No request was sent in the last hour.",
    "Running requests end with their upstream.",
  ]);
});

test("an order in which no upstream has a credential refuses requests", () => {
  const orders = { before: [claude, empty], after: [empty] };
  expect(describeOrderChange({ ...change, ...orders, requests: 0 })).toEqual([
    "New requests of workspaces without an own order are refused within a second, because no upstream of the order has a credential.",
    "No request was sent in the last hour.",
  ]);
});

test("an upstream with the credential of the machine is used", () => {
  const machine = { ...empty, provider_settings: { authentication: "machine" } };
  expect(
    describeOrderChange({ ...change, before: [claude], after: [machine, claude] }).slice(0, 1),
  ).toEqual([
    "New requests of workspaces without an own order go to “Reserve” first, instead of “Claude API”, within a second.",
  ]);
});
