import { afterEach, beforeEach, expect, test } from "vitest";
import { setTimeDisplay } from "../../ui/format.ts";
import { type Described, describeEvent } from "./describe-event.ts";

const names: Record<string, string> = {
  wrkspc_1: "Engineering",
  apikey_1: "Deploy",
  user_1: "Ada Lovelace",
  group_1: "Research",
};
const nameOf = (id: string) => names[id] ?? null;

type Payload = Pick<Partial<Described>, "before" | "after" | "workspace_id"> & { id?: string };

function describe(event: string, { before = null, after = null, ...rest }: Payload): string {
  const subject = { type: event.split(".")[0] ?? "", id: rest.id ?? "thing_1" };
  const workspace_id = rest.workspace_id ?? null;
  return describeEvent({ event, subject, workspace_id, before, after } as Described, nameOf);
}

beforeEach(() => setTimeDisplay({ timeZone: "UTC", dateFormat: null }));
afterEach(() => setTimeDisplay({ timeZone: null, dateFormat: null }));

const limit = {
  enforcement: "strict",
  limit_usd: "100.00",
  period: "monthly",
  scope: { type: "workspace", workspace_id: "wrkspc_1" },
  values: { workspace: { limit_usd: "100.00" } },
};
const key = { name: "Deploy", owner_member_id: null, expires_at: null, status: "active", tags: {} };
const member = { email: "ada@example.com", name: "Ada Lovelace", role: "user", status: "active" };
const placed = { email: "ada@example.com", name: "Ada Lovelace", workspace_role: "workspace_user" };
const request = { ...limit, amount_usd: "1000.00", approved_usd: null, status: "pending" };

test.each<[event: string, payload: Payload, sentence: string]>([
  [
    "spend_limit.set",
    { before: limit, after: { ...limit, limit_usd: "250.00" } },
    "Monthly limit of workspace Engineering: $100.00, strict → $250.00, strict",
  ],
  [
    "spend_limit.set",
    { after: { ...limit, scope: { type: "api_key", api_key_id: "apikey_1" }, period: "daily" } },
    "Daily limit of key Deploy: $100.00, strict",
  ],
  [
    "spend_limit.set",
    { before: limit, after: { ...limit, values: {} } },
    "Monthly limit of workspace Engineering: $100.00, strict, unchanged in force",
  ],
  [
    "spend_limit.deleted",
    { before: { ...limit, scope: { type: "organization" } } },
    "Monthly limit of the whole company removed: $100.00, strict",
  ],
  [
    "rate_limit.set",
    {
      before: { scope: limit.scope, model_group: "all", requests_per_minute: 60 },
      after: {
        scope: limit.scope,
        model_group: "all",
        requests_per_minute: 90,
        output_tokens_per_minute: 1000,
      },
    },
    "Rate limit of workspace Engineering: 60 requests per minute → 90 requests and 1,000 output tokens per minute",
  ],
  [
    "api_key.created",
    {
      after: { ...key, owner_member_id: "user_1", expires_at: "2026-12-24T00:00:00.000Z" },
      workspace_id: "wrkspc_1",
    },
    "Key Deploy of Ada Lovelace in workspace Engineering, expires 24 Dec 2026, 00:00:00 UTC",
  ],
  [
    "api_key.updated",
    { before: key, after: { ...key, status: "disabled" } },
    "Key Deploy: status active → disabled",
  ],
  [
    "api_key.updated",
    {
      before: key,
      after: { ...key, name: "Ship", status: "archived", owner_member_id: "x", tags: { a: "b" } },
    },
    "Key Ship: name Deploy → Ship, owner member none → x, and 2 more fields",
  ],
  [
    "api_key.rotated",
    { before: key, after: { ...key, previous_secret_valid_until: "2026-11-25T12:00:00.000Z" } },
    "Key Deploy: new secret, the old one is valid until 25 Nov 2026, 12:00:00 UTC",
  ],
  ["api_key.cut_off", { id: "apikey_1", after: {} }, "Key Deploy: the old secret has ended"],
  [
    "workspace.archived",
    { before: { name: "Old" }, after: { name: "Old", archived_api_keys: 2 } },
    "Workspace Old with 2 keys",
  ],
  [
    "workspace_member.added",
    { after: placed, workspace_id: "wrkspc_1" },
    "Ada Lovelace in workspace Engineering: Workspace User",
  ],
  [
    "workspace_member.updated",
    {
      before: placed,
      after: { ...placed, workspace_role: "workspace_admin" },
      workspace_id: "wrkspc_1",
    },
    "Ada Lovelace in workspace Engineering: Workspace User → Workspace Admin",
  ],
  [
    "workspace_member.removed",
    { before: placed, workspace_id: "wrkspc_1" },
    "Ada Lovelace in workspace Engineering: Workspace User",
  ],
  [
    "member.updated",
    { before: member, after: { ...member, role: "developer" } },
    "Ada Lovelace: role Member → Developer",
  ],
  [
    "member.removed",
    {
      before: member,
      after: { ...member, status: "removed", ended: { api_keys: ["a", "b"] } },
    },
    "Ada Lovelace, Member, 2 keys ended",
  ],
  [
    "group_workspace.set",
    {
      after: { name: "Research", workspace_role: "workspace_developer" },
      workspace_id: "wrkspc_1",
    },
    "Group Research in workspace Engineering: Workspace Developer",
  ],
  [
    "group_member.added",
    { after: { name: "Ada Lovelace", group_name: "Research" } },
    "Ada Lovelace in group Research",
  ],
  [
    "invite.created",
    { after: { email: "new@example.com", role: "developer" } },
    "new@example.com as Developer",
  ],
  [
    "invite.accepted",
    { after: { email: "new@example.com", role: "developer", status: "accepted" } },
    "new@example.com joined as Developer",
  ],
  [
    "statement.closed",
    { after: { month: "2026-10", net_cost_usd: "9707.79" } },
    "Statement of October 2026: $9,707.79 net cost",
  ],
  [
    "contract_term.created",
    { after: { from_month: "2026-10", model_family: "claude-opus", discount_percent: "12.5" } },
    "12.5% discount on claude-opus from October 2026",
  ],
  [
    "statement_settings.updated",
    { before: { cost_center_tag: null }, after: { cost_center_tag: "team" } },
    "Tag of cost centres: none → team",
  ],
  [
    "increase_request.created",
    { after: request },
    "Monthly limit of workspace Engineering: $1,000.00 requested",
  ],
  [
    "increase_request.approved",
    { before: request, after: { ...request, approved_usd: "500.00" } },
    "Monthly limit of workspace Engineering: $500.00 approved of $1,000.00",
  ],
  [
    "alert.created",
    { after: { name: "Budget", scope: { type: "group", group_id: "group_1" } } },
    "Alert Budget for group Research",
  ],
  [
    "request.cost_set",
    {
      id: "req_000012345678",
      before: { cost_usd: "0.30" },
      after: { cost_usd: "0.21" },
    },
    "Request 12345678: $0.30 → $0.21",
  ],
  [
    "unresolved_spend.resolved",
    { before: { amount_usd: "0.50" }, after: { charged_usd: "0.25" } },
    "$0.50 unresolved: $0.25 charged",
  ],
  [
    "model_price.created",
    { after: { model: "claude-x", input_usd: "1.00", output_usd: "5.00" } },
    "claude-x: input $1.00, output $5.00 per million tokens",
  ],
  [
    "access.denied",
    { after: { method: "POST", path: "/v1/admin/members", reason: "permission", count: 3 } },
    "POST /v1/admin/members: 3 calls refused",
  ],
  [
    "session.started",
    { after: { method: "password", device: "Firefox on Linux" } },
    "Sign-in by password, Firefox on Linux",
  ],
  ["sign_in.failed", { after: { attempts: 10 } }, "10 failed attempts"],
  [
    "security_settings.updated",
    { before: { max_key_lifetime_days: null }, after: { max_key_lifetime_days: 90 } },
    "Security settings: max key lifetime days none → 90",
  ],
])("%s is told as a sentence", (event, payload, sentence) => {
  expect(describe(event, payload)).toBe(sentence);
});

test("names a thing by its id when the reader may not know its name", () => {
  expect(
    describe("spend_limit.set", {
      after: { ...limit, scope: { type: "workspace", workspace_id: "wrkspc_9" } },
    }),
  ).toBe("Monthly limit of workspace wrkspc_9: $100.00, strict");
});

test("names the subject of an unknown event without a payload", () => {
  expect(describe("session.ended", { id: "session_1" })).toBe("Session");
});

test("names a laptop and a token by the words of the glossary", () => {
  const laptop = { event: "laptop.created", subject: { type: "api_key", id: "apikey_1" } };
  const named = { workspace_id: null, before: null, after: { name: "Build machine" } };
  expect(describeEvent({ ...laptop, ...named } as Described, nameOf)).toBe("Laptop Build machine");
  expect(describe("scim_token.created", { after: {} })).toBe("SCIM token");
});

test("reads a payload that lacks its fields", () => {
  expect(describe("spend_limit.set", { after: {} })).toBe("Spend limit of the company: nothing");
  expect(describe("invite.created", { after: {} })).toBe("unknown as unknown");
});
