import type { JsonValue } from "#src/audit/canonical-json.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { ScopeType } from "#src/db/tables.ts";
import type { ApiError } from "#src/domain/api-error.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import type { RandomBytes } from "#src/lib/ids.ts";
import type { LimitSetter, LimitValue } from "./limit-values.rule.ts";

/** Scope in its organization. */
export interface ScopeOfLimit {
  organizationId: string;
  scopeType: ScopeType;
  scopeId: string;
}

/** Fields that stored limits of every kind have. */
export interface Limit extends ScopeOfLimit {
  id: string;
  /** A new number after each change, also for a limit that was deleted and created again. */
  revision: bigint;
  createdAt: Date;
  updatedAt: Date;
}

export type LimitType = "spend_limit" | "rate_limit";

/**
 * Differences between kinds of limits. `Place` tells limits of one scope apart: a period or a group of models. `Wanted` is
 * the part of a limit that a caller sets.
 */
export interface LimitKind<Stored extends Limit, Place = unknown, Wanted = unknown> {
  /** Table, audit subject and prefix of the audit events. With an "s": list and rights. */
  type: LimitType;
  /** Name in messages, such as "Spend limit". */
  name: string;
  /** True where a caller with rights in some workspaces also sees the organization's limits. */
  hasOrganizationLimits: boolean;
  find(db: Database | Tx, of: ScopeOfLimit & Place): Promise<Stored | null>;
  /** Lists newest first, one row more than the page holds. */
  list(
    db: Database | Tx,
    filter: LimitFilter & PlaceFilter<Place>,
    page: PageRequest,
  ): Promise<Stored[]>;
  isSame(one: Wanted, other: Wanted): boolean;
  isSamePlace(one: Place, other: Place): boolean;
  /** Part of a limit that a caller can set. */
  toWanted(limit: Stored): Wanted;
  /** Limit in force: the strictest of these values, of which there is at least one. */
  combine(values: readonly [Wanted, ...Wanted[]]): Wanted;
  /** Values of all limits of these scopes, in any order. */
  listValues(
    db: Database | Tx,
    of: { organizationId: string; scopeIds: readonly string[] },
  ): Promise<PlacedValue<Place, Wanted>[]>;
  /** Values that apply beside those of the scope: defaults of a member's groups. The scope is locked. */
  listInherited(
    tx: Tx,
    of: ScopeOfLimit & Place,
    values: readonly LimitValue<Wanted>[],
  ): Promise<readonly Wanted[]>;
  /** Returns the refusal to remove a limit without own values. Null: the limit inherits nothing. */
  findInheritedRefusal?(tx: Tx, limit: Stored): Promise<ApiError | null>;
  /** Changes what follows from a changed limit. Returns fields for its audit event. */
  applyEffects(
    tx: Tx,
    deps: SaveDeps,
    scope: ScopeOfLimit & { setter: LimitSetter },
  ): Promise<{ readonly [field: string]: JsonValue }>;
  /** Replaces all values of one limit. */
  saveValues(
    tx: Tx,
    of: ScopeOfLimit & Place,
    values: readonly LimitValue<Wanted>[],
  ): Promise<void>;
  /** Throws a 403 for a change that one person cannot make alone. */
  checkChange(tx: Tx, change: CheckedChange<Wanted>): Promise<void>;
  /** True if a change allows more. Null: no limit. */
  isWider(before: Stored | null, after: Stored | null): boolean;
  /** Creates the limit, or replaces what is wanted of it. */
  save(tx: Tx, deps: SaveDeps, limit: ScopeOfLimit & Place & Wanted): Promise<Stored>;
  /** Returns the deleted limit, or null without one. */
  delete(tx: Tx, of: Pick<Limit, "organizationId" | "id">): Promise<Stored | null>;
  /** Current value for the message of a conflict, such as "$40.00 monthly, soft". */
  describe(limit: Stored): string;
  /** Fields of the audit log that tell limits of one scope apart. */
  placeToAudit(place: Place): { readonly [field: string]: JsonValue };
  /** Fields of the audit log that a caller can set. */
  toAudit(wanted: Wanted): { readonly [field: string]: JsonValue };
}

export type PlacedValue<Place, Wanted> = ScopeOfLimit & Place & LimitValue<Wanted>;

/** Limit in force before and after a change. Null: there is none. */
export interface CheckedChange<Wanted> {
  organizationId: string;
  setter: LimitSetter;
  before: Wanted | null;
  after: Wanted | null;
}

/** Limits that exist for a caller. */
export interface LimitVisibility {
  organizationId: string;
  /** Workspaces whose limits, and those of their keys, are visible. Null: all limits of the organization. */
  onlyWorkspaceIds: readonly string[] | null;
  /** True: beside those of `onlyWorkspaceIds`, the organization's own limits are visible. */
  hasOrganizationLimits: boolean;
}

export interface LimitFilter extends LimitVisibility {
  id?: string | undefined;
  scopeTypes?: readonly ScopeType[] | undefined;
  /** Limits of this workspace and of its keys. */
  workspaceId?: string | undefined;
  apiKeyId?: string | undefined;
  /** Ids of members, groups and tags. A limit must have the scope of each. */
  scopeIds?: readonly string[] | undefined;
  /** True: only limits with a value of their own. */
  isOwnOnly?: boolean | undefined;
}

export type PlaceFilter<Place> = { [Field in keyof Place]?: Place[Field] | undefined };

export interface SaveDeps {
  nowMs: () => number;
  randomBytes: RandomBytes;
}
