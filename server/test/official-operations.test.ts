import Anthropic, { NotFoundError } from "@anthropic-ai/sdk";
import { adminRoutes } from "@bursar/contract/routes.ts";
import { describe, expect } from "vitest";
import { findAdminAnswer, listOperations } from "./harness/admin-operations.ts";
import { serverTest as test } from "./harness/admin-test.ts";

// Every operation of the official client on an organization: served, or refused with a reason.
// official-admin-sdk.test.ts tests the served ones. This test fails when an operation of the SDK is missing or half
// implemented.

type Operation = (...args: unknown[]) => Promise<unknown>;
let baseURL: string;
let apiKey: string;

test.beforeAll(async ({ h }) => {
  baseURL = await h.app.listen({ host: "127.0.0.1", port: 0 });
  apiKey = (await h.organization()).adminKey;
});

const everyParameter = {
  workspace_id: "none",
  federation_rule_id: "none",
  service_account_id: "none",
  rbac_group_id: "none",
  rate_limit_id: "none",
  user_id: "none",
};

/** Calls the operation with unknown ids. Returns the requests of the SDK and the result. */
async function call(operation: string) {
  const sent: { method: string; path: string }[] = [];
  const client = new Anthropic({
    apiKey,
    baseURL,
    maxRetries: 0,
    fetch: (url, init) => {
      const { pathname } = new URL(String(url));
      sent.push({ method: init?.method ?? "GET", path: pathname });
      return fetch(url, init);
    },
  });
  const names = operation.split(".");
  const method = names.pop() ?? "";
  let owner: object = client.organization;
  for (const name of names) owner = Reflect.get(owner, name) as object;
  const run = (...args: unknown[]) => (Reflect.get(owner, method) as Operation).apply(owner, args);
  const error = await run(...argumentsOf(names, method)).then(
    () => null,
    (failure: unknown) => failure,
  );
  return { sent, error };
}

/**
 * Arguments of the operation. Some take the id of the subject or of its parent first, and others take parameters
 * only.
 */
function argumentsOf(names: readonly string[], method: string): unknown[] {
  const [collection = "", parent = ""] = names.toReversed();
  const isOnlyOne = collection === "" || collection === "complianceSettings";
  if (isOnlyOne) return method === "retrieve" ? [] : [everyParameter];
  const isOfAll = /^(list|create|add)$/.test(method) && !collections.has(parent);
  return isOfAll ? [everyParameter] : ["none", everyParameter];
}

const collections = new Set(["workspaces", "rules", "serviceAccounts", "rbacGroups", "rbacRoles"]);

const operations = listOperations(new Anthropic({ apiKey: "none" }).organization);

function findRoute({ method, path }: { method: string; path: string }) {
  return adminRoutes.find((route) => {
    const pattern = new RegExp(`^${route.path.replace(/\{\w+\}/g, "[^/]+")}$`);
    return route.method === method && pattern.test(path);
  });
}

test("the client has the expected operations", () => {
  expect(operations).toContain("workspaces.members.add");
  expect(operations.length).toBeGreaterThanOrEqual(82);
});

describe.each(operations)("%s", (operation) => {
  const answer = findAdminAnswer(operation);
  test(answer === "served" ? "is served" : `is refused, since ${answer}`, async () => {
    const { sent, error } = await call(operation);
    expect(sent).toHaveLength(1);
    const [request = { method: "", path: "" }] = sent;
    const route = findRoute(request);
    if (answer === "served") {
      expect({ ...request, isThere: route !== undefined }).toEqual({ ...request, isThere: true });
      return;
    }
    expect(route).toBeUndefined();
    expect(error).toBeInstanceOf(NotFoundError);
    expect((error as NotFoundError).error).toMatchObject({
      type: "error",
      error: { type: "not_found_error" },
    });
  });
});
