import { ApiError } from "#src/domain/api-error.ts";
import { computeShare, INNER_PART, OUTER_PART } from "#src/domain/fair-share.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import type { FoundKey } from "#src/key-lookup/api-key-lookup.sql.ts";

// Shares of workspaces and keys in what one process has: running requests, and bytes of request bodies in memory. A check
// costs two lookups in a map for each request, and arithmetic. docs/decisions/0067-fair-shares.md has the rule.

export type SharedKind = "running_requests" | "body_bytes";

type Amounts = Record<SharedKind, number>;

/** Use of one workspace or one key. Refers to no request, so that an old one keeps no request in memory. */
interface Use extends Amounts {
  readonly id: string;
}

/** Use of one key, with the use of its workspace. */
export interface KeyUser extends Use {
  readonly workspace: Use;
}

/** Users whose use is 0 are removed when there are more entries than this. */
const MAX_UNUSED = 10_000;

export class Shares {
  readonly #most: Readonly<Amounts>;
  /** Smallest shares. */
  readonly #least: Readonly<Amounts>;
  readonly #used: Amounts = { running_requests: 0, body_bytes: 0 };
  readonly #workspaces = new Map<string, Use>();
  readonly #keys = new Map<string, KeyUser>();
  #sweepAt = MAX_UNUSED;

  constructor(most: Readonly<Amounts>, least: Readonly<Amounts>) {
    this.#most = most;
    this.#least = least;
  }

  /** Returns the user of a key. The caller takes from it in the same synchronous step. */
  findUser({ id, workspaceId }: Pick<FoundKey, "id" | "workspaceId">): KeyUser {
    const known = this.#keys.get(id);
    if (known !== undefined) return known;
    if (this.#keys.size >= this.#sweepAt) this.#removeUnused();
    const workspace = this.#workspaces.get(workspaceId) ?? makeUse(workspaceId);
    this.#workspaces.set(workspaceId, workspace);
    const user: KeyUser = { ...makeUse(id), workspace };
    this.#keys.set(id, user);
    return user;
  }

  /** Takes an amount, or takes nothing and throws the refusals of `check`. */
  take(user: KeyUser, kind: SharedKind, amount: number): void {
    this.check(user, kind, amount);
    this.#used[kind] += amount;
    user.workspace[kind] += amount;
    user[kind] += amount;
  }

  /** Throws `share_exhausted` if the amount exceeds the share of the key or its workspace, and `overloaded` if it exceeds the total. */
  check(user: KeyUser, kind: SharedKind, amount: number): void {
    const { workspace } = user;
    const most = this.#most[kind];
    const used = this.#used[kind];
    const least = this.#least[kind];
    const ofWorkspace = computeShare(most - used + workspace[kind], OUTER_PART, least);
    if (workspace[kind] + amount > ofWorkspace) {
      const scope = { scopeType: "workspace", scopeId: workspace.id } as const;
      throw makeShareError(kind, scope, workspace[kind], ofWorkspace);
    }
    const left = ofWorkspace - workspace[kind] + user[kind];
    const ofKey = computeShare(left, INNER_PART, least);
    if (user[kind] + amount > ofKey) {
      const scope = { scopeType: "api_key", scopeId: user.id } as const;
      throw makeShareError(kind, scope, user[kind], ofKey);
    }
    if (used + amount > most) throw makeOverloadedError(kind);
  }

  release(user: KeyUser, kind: SharedKind, amount: number): void {
    this.#used[kind] -= amount;
    user.workspace[kind] -= amount;
    user[kind] -= amount;
  }

  /** Takes linear time, and runs again when as many users have been added. */
  #removeUnused(): void {
    for (const [id, user] of this.#keys) if (isUnused(user)) this.#keys.delete(id);
    const used = new Set(Array.from(this.#keys.values(), ({ workspace }) => workspace));
    for (const [id, use] of this.#workspaces) if (!used.has(use)) this.#workspaces.delete(id);
    this.#sweepAt = this.#keys.size + MAX_UNUSED;
  }
}

function makeUse(id: string): Use {
  return { id, running_requests: 0, body_bytes: 0 };
}

function isUnused(use: Use): boolean {
  return use.running_requests === 0 && use.body_bytes === 0;
}

const kindNames: Record<SharedKind, string> = {
  running_requests: "running requests",
  body_bytes: "bytes of request bodies in memory",
};

function makeShareError(
  kind: SharedKind,
  scope: { scopeType: "workspace" | "api_key"; scopeId: string },
  used: number,
  most: number,
): ApiError {
  const owner = scope.scopeType === "workspace" ? "workspace" : "API key";
  return new ApiError(
    "share_exhausted",
    `Your ${owner} already has its share of this server's ${kindNames[kind]}: ${used} of ${most} are used by ${owner} ` +
      `${scope.scopeId}. Send the request again when earlier requests have ended.`,
    { "retry-after": "1" },
    { share: { kind, scope: toWireScope(scope), used, most } },
  );
}

/** Makes the refusal of a process that has reached a total. */
export function makeOverloadedError(kind: SharedKind): ApiError {
  return new ApiError(
    "overloaded",
    `Overloaded: this gateway already has its highest number of ${kindNames[kind]}.`,
  );
}
