import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { isReadFeature } from "#src/domain/known-features.ts";
import {
  type FeatureKind,
  type NeutralFeature,
  neutralFeatures,
} from "#src/domain/neutral-features.ts";
import { readCursor } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { newId } from "#src/lib/ids.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import {
  deleteFeature,
  findFeatureForUpdate,
  listOwnFeatures,
  type OwnFeature,
  upsertFeature,
} from "./neutral-features.sql.ts";

/** A row of the organization, or a shipped one. */
export type ListedFeature =
  | { origin: "organization"; row: OwnFeature }
  | { origin: "shipped"; row: NeutralFeature };

export interface FeatureQuery {
  limit: number;
  page?: string | undefined;
  kind?: FeatureKind | undefined;
}

/** Lists own rows, newest first, and then the shipped rows. The cursor is the last listed row. */
export async function listNeutralFeatures(
  deps: AuditDeps,
  { caller }: Call,
  query: FeatureQuery,
): Promise<{ features: ListedFeature[]; nextPage: string | null }> {
  const filters = { list: "neutral_features", kind: query.kind };
  const after = query.page && String(readCursor(query.page, filters, ["string"])[0]);
  const own = await listOwnFeatures(deps.database, caller.organizationId);
  const all: ListedFeature[] = [
    ...own.map((row) => ({ origin: "organization", row }) as const),
    ...neutralFeatures.map((row) => ({ origin: "shipped", row }) as const),
  ].filter(({ row }) => query.kind === undefined || row.kind === query.kind);
  const rest = after ? all.slice(all.findIndex((each) => keyOf(each) === after) + 1) : all;
  const features = rest.slice(0, query.limit);
  const last = features.at(-1);
  const hasMore = rest.length > features.length && last !== undefined;
  return { features, nextPage: hasMore ? encodeCursor([keyOf(last)], filters) : null };
}

function keyOf({ origin, row }: ListedFeature): string {
  return `${origin} ${row.kind} ${row.name}`;
}

export interface NewFeature {
  kind: FeatureKind;
  name: string;
  effect: string;
  source: string;
  is_in_prompt: boolean;
}

/** Creates or replaces the row of a kind and name. Throws a 400 for a feature that is shipped or read by the gateway. */
export function setNeutralFeature(
  deps: AuditDeps,
  { caller, origin }: Call,
  input: NewFeature,
): Promise<OwnFeature> {
  const { kind, name, effect, source, is_in_prompt: isInPrompt } = input;
  checkIsUnknown(kind, name);
  const nowMs = deps.nowMs();
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await findFeatureForUpdate(tx, { organizationId, kind, name });
    const id = newId(idPrefixes.neutralFeature, nowMs, deps.randomBytes);
    const row = { id, kind, name, effect, source, isInPrompt, updatedAt: new Date(nowMs) };
    const after = await upsertFeature(tx, { ...row, organizationId });
    const audit = {
      event: "neutral_feature.set",
      subject: { type: "neutral_feature", id: after.id },
      workspaceId: null,
      before: before && toAudit(before),
      after: toAudit(after),
    } as const;
    return { result: after, audit };
  });
}

function checkIsUnknown(kind: FeatureKind, name: string): void {
  if (neutralFeatures.some((row) => row.kind === kind && row.name === name)) {
    throw refuseField("name", `this release already lists the ${kind} ${name}.`);
  }
  if (isReadFeature(kind, name)) {
    throw refuseField(
      "name",
      `this release reads the ${kind} ${name}, because it can raise the price.`,
    );
  }
}

/** Deletes a row of the organization. Throws a 404. */
export function deleteNeutralFeature(
  deps: AuditDeps,
  { caller, origin }: Call,
  id: string,
): Promise<{ id: string }> {
  const { organizationId } = caller;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await deleteFeature(tx, { organizationId, id });
    if (before === null) {
      const facts = { resource: "neutral_feature" } as const;
      throw new ApiError("resource_not_found", "Neutral feature not found", {}, facts);
    }
    const audit = {
      event: "neutral_feature.deleted",
      subject: { type: "neutral_feature", id },
      workspaceId: null,
      before: toAudit(before),
      after: null,
    } as const;
    return { result: { id }, audit };
  });
}

function toAudit({ kind, name, effect, source, isInPrompt }: OwnFeature) {
  return { kind, name, effect, source, is_in_prompt: isInPrompt };
}
