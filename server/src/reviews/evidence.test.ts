import { createPublicKey, verify } from "node:crypto";
import type {
  accessReviewEvidence,
  evidenceKey,
  verifyAccessReviewEvidence,
} from "@bursar/contract/admin/access-review-evidence.ts";
import { sql } from "kysely";
import { expect } from "vitest";
import type { z } from "zod";
import { canonicalJson, type JsonValue } from "#src/audit/canonical-json.ts";
import type { Listed } from "#test/harness/admin.ts";
import { serverTest as base } from "#test/harness/admin-test.ts";

type Evidence = z.output<typeof accessReviewEvidence>;
type Verdict = z.output<(typeof verifyAccessReviewEvidence)["response"]>;
type Key = z.output<typeof evidenceKey>;

const REVIEWS = "/v1/admin/access_reviews";

const test = base
  .extend("org", { scope: "file" }, ({ h }) => h.organization("Ünïcode & Söhne"))
  .extend(
    "post",
    ({ org }) =>
      (payload: string | Buffer, client = org.admin) =>
        client.send<Verdict>({
          method: "POST",
          url: `${REVIEWS}/verify`,
          headers: { "content-type": "application/json" },
          payload,
        }),
  );

let reviewId: string;
let evidenceText: string;

test.beforeAll(async ({ org }) => {
  const { id } = await org.admin.createWorkspace({ name: "=1+1" });
  const admin = await org.member({ role: "admin", name: "Renée “R” O'Neill 🦊" });
  for (let i = 0; i < 3; i++) await org.member({ workspaces: { [id]: "workspace_user" } });
  const review = await org.admin.post<{ id: string }>(REVIEWS, {
    name: "Évidence",
    scope: { paths: ["workspace_role", "organization_role", "admin_key"] },
    reviewer_ids: [admin.id],
    due_at: "2026-12-20T00:00:00Z",
  });
  reviewId = review.body.id;
  const items = await org.admin.get<Listed<{ id: string }>>(
    `${REVIEWS}/${reviewId}/items?paths=workspace_role`,
  );
  const [first] = items.body.data;
  await admin.client.post(`${REVIEWS}/${reviewId}/decisions`, {
    decisions: [{ item_id: first?.id, decision: "keep", reason: "=HYPERLINK(1)" }],
  });
  await org.admin.post(`${REVIEWS}/${reviewId}/close`);
  evidenceText = (await org.admin.get(`${REVIEWS}/${reviewId}/evidence`)).text;
});

test("contains the whole review and verifies", async ({ org, post }) => {
  const { document, signature } = JSON.parse(evidenceText) as Evidence;
  expect(document).toMatchObject({
    type: "access_review_evidence",
    version: 1,
    organization: { id: org.id },
    review: { id: reviewId, status: "closed", progress: { items: 8, keep: 1, kept: 8 } },
  });
  expect(document.items.length).toBe(8);
  expect((await post(evidenceText)).body).toEqual({
    type: "access_review_verification",
    is_genuine: true,
    reason: null,
    signed_by: signature.key_id,
  });
  // Formatting does not change the document.
  const pretty = JSON.stringify(JSON.parse(evidenceText), null, 2);
  expect((await post(pretty)).body.is_genuine).toBe(true);
});

test("verifies with the public key only, without this server", async ({ org }) => {
  const { document, signature } = JSON.parse(evidenceText) as Evidence;
  const keys = await org.admin.get<{ data: Key[] }>("/v1/admin/evidence_keys");
  const [key] = keys.body.data as [Key];
  expect([keys.body.data.length, key.id]).toEqual([1, signature.key_id]);
  const signed = canonicalJson({ document, key_id: key.id } as unknown as JsonValue);
  const bytes = Buffer.from(`bursar evidence v1\n${signed}`);
  const value = Buffer.from(signature.value, "base64");
  expect(verify(null, bytes, createPublicKey(key.public_key_pem), value)).toBe(true);
});

test("does not verify if a byte is changed", async ({ post }) => {
  const bytes = Buffer.from(evidenceText);
  // All positions would take thousands of calls. This step covers all kinds of positions and the whole signature.
  const places = [];
  for (let place = 0; place < bytes.length; place += 29) places.push(place);
  for (let place = bytes.length - 180; place < bytes.length; place++) places.push(place);
  expect(places.length).toBeGreaterThan(250);
  for (const place of places) {
    const changed = Buffer.from(bytes);
    changed[place] = (changed[place] ?? 0) ^ 1;
    const answer = await post(changed);
    const isRefused = answer.status === 400 || answer.body.is_genuine === false;
    expect([place, isRefused]).toEqual([place, true]);
  }
});

test("does not verify if a field is added, changed, moved or left out", async ({ post }) => {
  const change = async (alter: (evidence: Evidence) => void) => {
    const evidence = JSON.parse(evidenceText) as Evidence;
    alter(evidence);
    return (await post(JSON.stringify(evidence))).body;
  };
  const changes: ((evidence: Evidence) => void)[] = [
    ({ document }) => document.items.pop(),
    ({ document }) => document.items.push(document.items[0] as never),
    ({ document }) => document.items.reverse(),
    ({ document }) => Object.assign(document, { note: "added" }),
    ({ document }) => Object.assign(document.items[0] as object, { decision: "remove" }),
    ({ document }) => Object.assign(document.review, { name: "Evidence" }),
    ({ document }) => Object.assign(document, { generated_at: "2026-11-20T12:00:00.001Z" }),
  ];
  for (const alter of changes) {
    expect(await change(alter)).toMatchObject({
      is_genuine: false,
      reason: "The document was changed after it was signed.",
      signed_by: null,
    });
  }
  const twice = evidenceText.replace('"version":1', '"version":2,"version":1');
  expect((await post(twice)).status).toBe(400);
});

test("has one CSV line for each entry, without formula cells", async ({ org }) => {
  const { text, headers } = await org.admin.get(`${REVIEWS}/${reviewId}/items/export`);
  expect(headers["content-type"]).toBe("text/csv; charset=utf-8");
  const lines = text.trimEnd().split("\r\n");
  expect(lines.length).toBe(9);
  expect(lines[0]).toMatch(
    /^item_id,path,member_id,.*,result_message,applied_at,group_id,group_name$/,
  );
  expect(text).toContain("'=HYPERLINK(1)");
  expect(text).toContain("'=1+1");
  expect(text).not.toMatch(/(^|,|")=/m);
});

test("is not genuine with a key of another organization or a key inserted into the database", async ({
  h,
  org,
  post,
}) => {
  const other = await h.organization();
  expect((await post(evidenceText, other.admin)).body).toMatchObject({
    is_genuine: false,
    reason: "The document was not signed with a key of this organization.",
  });
  await sql`UPDATE evidence_key SET public_key = decode(repeat('07', 32), 'hex') WHERE organization_id = ${org.id}`.execute(
    h.deps.database,
  );
  expect((await post(evidenceText)).status).toBe(500);
  expect((await org.admin.get(`${REVIEWS}/${reviewId}/evidence`)).status).toBe(500);
});
