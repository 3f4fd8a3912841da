import { isSelfAction } from "@bursar/contract/permissions.ts";
import { expect } from "vitest";
import { findAuditHead, listChain } from "#src/audit/audit.sql.ts";
import { serverTest as test } from "./harness/admin-test.ts";
import { callRoute, makeNeeds, namedRoutes, sampleOf } from "./harness/route-samples.ts";

// Programs and people read `before` and `after` years later. The snapshot shows each change of a payload.

const audited = namedRoutes.filter(
  ([, { audited, action }]) => audited !== null && (action as string) !== "public",
);

test.for(audited)("%s writes its recorded audit payload", async ([_, route], { h }) => {
  const org = await h.organization();
  const made = await makeNeeds(org, route);
  const client = isSelfAction(route.action)
    ? (await org.member({ role: "owner" })).client
    : org.operator;
  await sampleOf(route).prepare?.(org.operator, made);
  const own = await sampleOf(route).prepareCaller?.(client, made, org.operator);
  const head = await findAuditHead(h.deps.database, org.id);
  const answer = await callRoute(client, route, { ...made, ...own?.ids }, own?.body);
  expect(answer.status).toBe(200);
  const range = { organizationId: org.id, afterSeq: head?.seq ?? 0n, limit: 10 };
  const events = await listChain(h.deps.database, range);
  const payloads = events.map(({ event, before, after }) => ({ event, before, after }));
  expect(replaceRandomText(payloads)).toMatchSnapshot();
});

const randomTexts = {
  id: /\b[a-z]{2,}_[0-9A-Za-z]{20,}\b/g,
  time: /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g,
  email: /[\w.+-]+@[\w.-]+/g,
  name: /\bName[ _-]\d+/g,
  hint: /\b\w{3}\.\.\.\w{4}\b/g,
  amount: /\b[1-9]\d{3}\.00\b/g,
  color: /#[0-9A-F]{6}\b/g,
  address: /\b10(\.\d+){3}\b/g,
  uuid: /(?<![0-9a-f])[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g,
};

/** Samples count their names, amounts and days up from 1 or 1,000. */
const isCounted = (value: unknown) => typeof value === "number" && value > 1_000;

/** The same text has the same placeholder in all payloads of a call. */
function replaceRandomText(payloads: unknown): unknown {
  let text = JSON.stringify(payloads, (_, value) => (isCounted(value) ? "<number>" : value));
  for (const [kind, pattern] of Object.entries(randomTexts)) {
    const seen: string[] = [];
    text = text.replace(pattern, (found) => {
      if (!seen.includes(found)) seen.push(found);
      return `<${kind} ${seen.indexOf(found) + 1}>`;
    });
  }
  return JSON.parse(text);
}
