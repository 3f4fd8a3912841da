import { alertKinds } from "@bursar/contract/admin/alerts.ts";
import { idPrefixes } from "@bursar/contract/ids.ts";
import { scopeTypes } from "@bursar/contract/scope.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { NewFiring } from "./new-firing.rule.ts";

/** Kind and scope that the firings of a group share. */
export type AlertGroupKey = Pick<NewFiring, "kind" | "scopeType" | "scopeId">;

/** A group has no row, so its id contains its kind and scope. */
export function toGroupId({ kind, scopeType, scopeId }: AlertGroupKey): string {
  return `${idPrefixes.alertGroup}${kind}.${scopeType}.${scopeId}`;
}

/** Throws a 404 for text that is no id of a group. */
export function parseGroupId(id: string): AlertGroupKey {
  const [, kindText, typeText, scopeId] = pattern.exec(id) ?? [];
  const kind = alertKinds.find((each) => each === kindText);
  const scopeType = scopeTypes.find((each) => each === typeText);
  if (kind === undefined || scopeType === undefined || scopeId === undefined) throw groupNotFound();
  return { kind, scopeType, scopeId };
}

const pattern = new RegExp(`^${idPrefixes.alertGroup}([a-z_]+)\\.([a-z_]+)\\.(.+)$`);

export function groupNotFound(): ApiError {
  return new ApiError(
    "resource_not_found",
    "Alert group not found",
    {},
    { resource: "alert_group" },
  );
}
