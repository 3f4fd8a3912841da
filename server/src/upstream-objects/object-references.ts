import { setTimeout as delay } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import { ApiError } from "#src/domain/api-error.ts";
import { OBJECT_ID, type ObjectName } from "#src/domain/object-name.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import type {
  GivenObject,
  ObjectReferences,
  ObjectSource,
} from "#src/gateway/object-references.ts";
import type { Logger } from "#src/lib/logger.ts";
import { makeObjectNotFoundError } from "./object-not-found.ts";
import type { Caller, OwnedObjects } from "./owned-objects.ts";

// Objects that messages name, and those that their responses give. Memory keeps known owners only. An owner never changes,
// and the upstream itself refuses an object that was deleted, so that no change has to reach the other nodes.

const MAX_KNOWN = 50_000;
/** Threads have no end of their own in a response. */
const THREAD_DAYS = 30;
const DAY_MS = 86_400_000;
const RECORD_ATTEMPTS = 3;
const RETRY_MS = 1_000;
/** Objects that are being recorded. More are not waited for. */
const MAX_RECORDING = 10_000;

export interface ReferenceDeps {
  objects: Pick<OwnedObjects, "findAll" | "record">;
  nowMs: () => number;
  logger: Logger;
}

export function makeObjectReferences(deps: ReferenceDeps): ObjectReferences {
  const known = new LRUCache<string, string>({ max: MAX_KNOWN });
  const recording = new Map<string, Promise<void>>();

  async function lookUp(key: Caller, names: readonly ObjectName[]): Promise<string> {
    const waited = names.map((name) => recording.get(keyOf(key, name)));
    await Promise.all(waited);
    const found = await deps.objects.findAll(key, names);
    for (const { upstreamId, ...name } of found) known.set(keyOf(key, name), upstreamId);
    const missing = names.find((name) => !known.has(keyOf(key, name)));
    if (missing !== undefined) throw makeReferenceError(missing);
    return pickUpstream(names.map((name) => known.get(keyOf(key, name)) ?? ""));
  }

  return {
    findUpstreamId(key, names) {
      const invalid = names.find(({ id }) => !OBJECT_ID.test(id));
      if (invalid !== undefined) throw makeReferenceError(invalid);
      const unknown = names.filter((name) => !known.has(keyOf(key, name)));
      if (unknown.length > 0) return lookUp(key, names);
      return pickUpstream(names.map((name) => known.get(keyOf(key, name)) ?? ""));
    },
    recordGiven(key, source, given) {
      const recorded = recordWithRetry(deps, key, { ...source, given });
      if (recording.size + given.length > MAX_RECORDING) return recorded;
      const places = given.map((name) => keyOf(key, name));
      for (const place of places) recording.set(place, recorded);
      return recorded.then(() => {
        for (const place of places) recording.delete(place);
      });
    },
  };
}

async function recordWithRetry(
  { objects, nowMs, logger }: ReferenceDeps,
  key: Caller,
  { upstreamId, failover, given }: ObjectSource & { given: readonly GivenObject[] },
): Promise<void> {
  const rows = given.map(({ kind, id, expiresAtMs }) => {
    const endsAtMs = kind === "thread" ? nowMs() + THREAD_DAYS * DAY_MS : expiresAtMs;
    const expiresAt = endsAtMs === null ? null : new Date(endsAtMs);
    return { kind, id, upstreamId, failover, expiresAt, description: null };
  });
  for (let attempt = 1; attempt <= RECORD_ATTEMPTS; attempt++) {
    try {
      await objects.record(key, rows);
      return;
    } catch (error) {
      if (attempt === RECORD_ATTEMPTS) {
        logger.warn({ err: error, objects: rows.length }, "objects of a response have no owner");
      } else await delay(RETRY_MS);
    }
  }
}

function keyOf({ workspaceId }: Pick<Caller, "workspaceId">, { kind, id }: ObjectName): string {
  return `${workspaceId} ${kind} ${id}`;
}

function pickUpstream(upstreamIds: readonly string[]): string {
  const [first = "", ...others] = upstreamIds;
  if (others.every((id) => id === first)) return first;
  throw refuseField(
    "messages",
    "the files, skills, container and thread of a request must be stored by one upstream, and these are on several.",
  );
}

function makeReferenceError({ kind, id }: ObjectName): ApiError {
  if (kind !== "thread") return makeObjectNotFoundError(kind, id);
  return new ApiError("thread_not_found", `Thread ${id} not found.`);
}
