import type { ReportCall } from "#src/access/call.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { readCursor, readCursorTime } from "#src/domain/page-position.ts";
import { encodeCursor } from "#src/lib/page-cursor.ts";
import { findUsageNames, type UsageNames } from "#src/recording/usage-names.sql.ts";
import { checkYear } from "#src/usage/reports/report-range.rule.ts";
import { checkUsageFilters, findVisibleUsage } from "#src/usage/visible-usage.ts";
import {
  listSessionKeys,
  type SessionFilter,
  type SessionKey,
  type SessionPlace,
  type SessionScope,
  sumByAgent,
  sumByClass,
  sumByModel,
  sumByOwner,
  sumByPrompt,
} from "./agent-sessions.sql.ts";

interface SessionDeps {
  /** The primary. Lists are read by the call's reader. */
  database: Database;
  /** Milliseconds since the epoch on the database's clock. */
  nowMs: () => number;
}

interface SessionQuery {
  starting_at?: string | undefined;
  ending_at?: string | undefined;
  workspace_id?: string[] | undefined;
  api_key_id?: string[] | undefined;
  member_id?: string[] | undefined;
  agent_session_id?: string | undefined;
}

type ModelSums = Awaited<ReturnType<typeof sumByModel>>;

export interface FoundSession {
  id: string;
  /** Null: a key without an owner. */
  memberId: string | null;
  /** Null: keys of a member. */
  apiKeyId: string | null;
  /** Rows of its models, the highest cost first. Never empty. */
  models: ModelSums;
}

/** Returns a page of sessions with names, those with the newest request first. Throws a 404 for a hidden workspace or key. */
export async function listAgentSessions(
  deps: SessionDeps,
  { caller, reader }: ReportCall,
  query: SessionQuery & { limit: number; page?: string | undefined },
): Promise<{ sessions: FoundSession[]; names: UsageNames; nextPage: string | null }> {
  const { limit, page: cursor, ...filters } = query;
  const from = cursor === undefined ? null : readPlace(cursor, filters);
  const { workspace_id: workspaceIds, api_key_id: apiKeyIds } = filters;
  await checkUsageFilters(deps.database, caller, {
    ...(workspaceIds && { workspaceIds }),
    ...(apiKeyIds && { apiKeyIds }),
  });
  const { organizationId } = caller;
  const filter: SessionFilter = {
    organizationId,
    visible: await findVisibleUsage(deps.database, caller),
    ...readRange(deps, filters, from?.endMs),
    workspaceIds,
    apiKeyIds,
    memberIds: filters.member_id,
    agentSessionId: filters.agent_session_id,
  };
  return reader.inSnapshot(async (tx) => {
    const { keys, end } = await listSessionKeys(tx, filter, { from: from?.place ?? null, limit });
    const sessions = await findSessions(tx, filter, keys);
    return {
      sessions,
      names: await findOwnerNames(tx, organizationId, sessions),
      nextPage: end && encodeCursor([end.startedAtMs, end.requestId, filter.endMs], filters),
    };
  });
}

/** Finds sessions with the sums of all their visible requests, in the order of the keys. */
async function findSessions(
  tx: Tx,
  { organizationId, visible }: Pick<SessionFilter, "organizationId" | "visible">,
  keys: readonly SessionKey[],
): Promise<FoundSession[]> {
  if (keys.length === 0) return [];
  const agentSessionIds = [...new Set(keys.map(({ agentSessionId }) => agentSessionId))];
  const rows = await sumByModel(tx, { organizationId, visible, agentSessionIds, ownerId: null });
  const nameOf = (session: string | null, owner: string | null) => `${owner} ${session}`;
  const bySession = Map.groupBy(rows, (row) => nameOf(row.agent_session_id, row.owner_id));
  return keys.flatMap(({ agentSessionId: id, ownerId }) => {
    const models = bySession.get(nameOf(id, ownerId));
    return models === undefined ? [] : [toSession(id, models)];
  });
}

function toSession(id: string, models: ModelSums): FoundSession {
  return { id, ...toOwner(models[0]), models };
}

interface OwnerRow {
  member_id: string | null;
  owner_id: string | null;
}

function toOwner(row: OwnerRow | undefined): { memberId: string | null; apiKeyId: string | null } {
  const isMember = Boolean(row?.member_id);
  const ownerId = row?.owner_id ?? null;
  return { memberId: isMember ? ownerId : null, apiKeyId: isMember ? null : ownerId };
}

function findOwnerNames(
  tx: Tx,
  organizationId: string,
  sessions: readonly FoundSession[],
): Promise<UsageNames> {
  const owners = sessions.map(({ memberId, apiKeyId }) => ({
    member_id: memberId ?? "",
    api_key_id: apiKeyId ?? "",
  }));
  return findUsageNames(tx, organizationId, owners);
}

const MAX_OWNERS = 100;
const MAX_PROMPTS = 500;
const MAX_AGENTS = 5_000;

export interface SessionDetail {
  session: FoundSession;
  names: UsageNames;
  classes: Awaited<ReturnType<typeof sumByClass>>;
  prompts: Awaited<ReturnType<typeof sumByPrompt>>;
  agents: Awaited<ReturnType<typeof sumByAgent>>;
  hasMorePrompts: boolean;
  otherOwners: { memberId: string | null; apiKeyId: string | null }[];
}

/**
 * Returns the session of the wanted owner, or of the owner with the oldest request. Another person who claims the same id
 * later neither hides nor changes it. Throws a 404 without a visible request.
 */
export async function getAgentSession(
  deps: SessionDeps,
  { caller, reader }: ReportCall,
  id: string,
  wanted: { member_id?: string | undefined; api_key_id?: string | undefined },
): Promise<SessionDetail> {
  const { organizationId } = caller;
  const visible = await findVisibleUsage(deps.database, caller);
  const everyone: SessionScope = { organizationId, visible, agentSessionIds: [id], ownerId: null };
  return reader.inSnapshot(async (tx) => {
    const owners = (await sumByOwner(tx, everyone, MAX_OWNERS)).map(toOwner);
    const own = owners.find(
      ({ memberId, apiKeyId }) =>
        (wanted.member_id === undefined || wanted.member_id === memberId) &&
        (wanted.api_key_id === undefined || wanted.api_key_id === apiKeyId),
    );
    if (own === undefined) throw makeNotFoundError();
    const scope = { ...everyone, ownerId: own.memberId ?? own.apiKeyId };
    const prompts = await sumByPrompt(tx, scope, MAX_PROMPTS + 1);
    const shown = prompts.slice(0, MAX_PROMPTS);
    const promptIds = shown.map(({ prompt_id }) => prompt_id);
    const agents = await sumByAgent(tx, scope, { promptIds, limit: MAX_AGENTS + 1 });
    const session = toSession(id, await sumByModel(tx, scope));
    return {
      session,
      names: await findOwnerNames(tx, organizationId, [session]),
      classes: await sumByClass(tx, scope),
      prompts: shown,
      agents: agents.slice(0, MAX_AGENTS),
      hasMorePrompts: prompts.length > MAX_PROMPTS || agents.length > MAX_AGENTS,
      otherOwners: owners.filter((each) => each !== own),
    };
  });
}

function makeNotFoundError(): ApiError {
  return new ApiError(
    "resource_not_found",
    "Agent session not found",
    {},
    { resource: "agent_session" },
  );
}

const BEGINNING_MS = 946_684_800_000; // 2000-01-01T00:00:00Z

/** `pagesEndMs`: the end of the first page, because a session with a newer request would move to that page. */
function readRange(
  deps: SessionDeps,
  { starting_at, ending_at }: SessionQuery,
  pagesEndMs: number | undefined,
) {
  const startMs = starting_at === undefined ? BEGINNING_MS : Date.parse(starting_at);
  const endMs = ending_at === undefined ? deps.nowMs() + 1 : Date.parse(ending_at);
  if (starting_at !== undefined) checkYear("starting_at", startMs);
  if (ending_at !== undefined) checkYear("ending_at", endMs);
  return { startMs, endMs: pagesEndMs ?? endMs };
}

function readPlace(cursor: string, filters: unknown): { place: SessionPlace; endMs: number } {
  const [startedAtMs, requestId, endMs] = readCursor(cursor, filters, [
    "number",
    "string",
    "number",
  ]);
  const place = { startedAtMs: readCursorTime(startedAtMs), requestId: String(requestId) };
  return { place, endMs: readCursorTime(endMs) };
}
