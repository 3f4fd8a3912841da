import { type AuditSubjectType, auditSubjects } from "@bursar/contract/audit-subjects.ts";
import { isSelfAction } from "@bursar/contract/permissions.ts";
import { expect } from "vitest";
import { findAuditHead, listChain } from "#src/audit/audit.sql.ts";
import { serverTest as base } from "./harness/admin-test.ts";
import { callRoute, makeNeeds, namedRoutes, sampleOf } from "./harness/route-samples.ts";

// With every change, nodes drop the cached keys that the contract declares for its subject.

const test = base
  .extend("readChangeCounter", ({ h }) => async (): Promise<bigint> => {
    const counter = h.deps.database.selectFrom("change_counter").select("value");
    return (await counter.executeTakeFirstOrThrow()).value;
  })
  /** Returns one entry for each change since this counter value. Null: nodes drop all keys. */
  .extend(
    "listScopes",
    ({ h, readChangeCounter }) =>
      async (before: bigint): Promise<(Scope | null)[]> => {
        const after = await readChangeCounter();
        const rows = await h.deps.database
          .selectFrom("change_scope")
          .select(["value", "kind", "id"])
          .where("value", ">", before)
          .execute();
        return Array.from({ length: Number(after - before) }, (_, index) => {
          const row = rows.find(({ value }) => value === before + BigInt(index + 1));
          return row ? { kind: row.kind, id: row.id } : null;
        });
      },
  )
  .extend(
    "listSubjects",
    ({ h }) =>
      async (organizationId: string, afterSeq: bigint): Promise<Subject[]> => {
        const events = await listChain(h.deps.database, { organizationId, afterSeq, limit: 10 });
        return events.map(({ subjectType, subjectId }) => ({
          type: subjectType as AuditSubjectType,
          id: subjectId,
        }));
      },
  );

const audited = namedRoutes.filter(
  ([, { audited, action }]) => audited !== null && (action as string) !== "public",
);

test.for(audited)(
  "%s makes nodes drop the keys that the contract declares",
  async ([_, route], { h, readChangeCounter, listScopes, listSubjects }) => {
    const org = await h.organization();
    const made = await makeNeeds(org, route);
    const client = isSelfAction(route.action)
      ? (await org.member({ role: "owner" })).client
      : org.operator;
    await sampleOf(route).prepare?.(org.operator, made);
    const own = await sampleOf(route).prepareCaller?.(client, made, org.operator);
    const head = await findAuditHead(h.deps.database, org.id);
    const before = await readChangeCounter();
    const answer = await callRoute(client, route, { ...made, ...own?.ids }, own?.body);
    expect(answer.status).toBe(200);
    const subjects = await listSubjects(org.id, head?.seq ?? 0n);
    const scopes = await listScopes(before);
    expect(scopes).toEqual(listDeclaredScopes(subjects));
  },
);

interface Scope {
  kind: string;
  id: string;
}

interface Subject {
  type: AuditSubjectType;
  id: string;
}

/** Scopes of a change with these subjects, each once. Subjects without keys count only without others. */
function listDeclaredScopes(subjects: readonly Subject[]): (Scope | null)[] {
  const declared = subjects.map(({ type, id }) => ({ kind: auditSubjects[type] as string, id }));
  if (declared.length === 0 || declared.some(({ kind }) => kind === "every_key")) return [null];
  const unique = [...new Map(declared.map((each) => [`${each.kind} ${each.id}`, each])).values()];
  const affected = unique.filter(({ kind }) => kind !== "no_key");
  return affected.length > 0 ? affected : unique.slice(0, 1);
}
