import type { StoredObjectKind } from "@bursar/contract/admin/stored-objects.ts";
import type { ObjectDescription } from "#src/db/object-tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { ObjectCall } from "#src/gateway/object-call.ts";
import type { Logger } from "#src/lib/logger.ts";
import { readWhole, type StreamedAnswer } from "#src/lib/streamed-answer.ts";
import type { Upstream, UpstreamOrder } from "#src/upstreams/upstream.ts";
import { makeObjectNotFoundError } from "./object-not-found.ts";
import type { ObjectRow } from "./objects.sql.ts";
import type { OwnedObjects } from "./owned-objects.ts";
import { parseObject, readExpiry, readId, toStorable } from "./read-description.ts";

// Steps that calls about files and skills share.

/** Largest description of an object or of a page of them, bytes. */
const MAX_DESCRIPTION_BYTES = 4 * 1024 * 1024;

export interface ObjectCallDeps {
  objects: OwnedObjects;
  logger: Logger;
}

/** Kind of an object, and its path below the API. */
export interface Collection {
  kind: StoredObjectKind;
  path: string;
  /** Longest body of a creation, bytes. */
  maxBytes: number;
}

/** Returns an object of the caller's workspace. Throws the 404 of an unknown id for every other one. */
export async function getOwned(
  { objects }: ObjectCallDeps,
  { key, route }: ObjectCall,
  kind: StoredObjectKind,
): Promise<ObjectRow> {
  const found = await objects.find(key, { kind, id: route.id });
  if (found === null) throw makeObjectNotFoundError(kind, route.id);
  return found;
}

/** Sends the call on to the upstream of its object, and relays the answer. */
export async function relayOwned(call: ObjectCall, { upstream_id }: ObjectRow): Promise<void> {
  const upstream = call.getUpstream(upstream_id);
  await call.relay(await call.send(upstream, { method: "GET", target: call.target }));
}

/**
 * Creates an object from the client's body. The owner is recorded before the client learns of the id. If that fails, the
 * object is deleted again.
 */
export async function createOwned(
  deps: ObjectCallDeps,
  call: ObjectCall,
  collection: Collection,
): Promise<void> {
  // Without an upstream, the body is not read.
  call.upstreams();
  const body = await call.receiveBody(collection.maxBytes);
  const { target } = call;
  const served = await call.sendInOrder(call.upstreams(), { method: "POST", target, body });
  const { answer, upstream, failover } = served;
  if (!isSuccess(answer)) return call.relay(answer);
  const read = await readDescription(answer);
  const id = read.description && readId(read.description);
  if (read.description === null || id === null) throw makeUnknownAnswerError();
  const created = {
    kind: collection.kind,
    id,
    upstreamId: upstream.id,
    failover,
    expiresAt: readExpiry(read.description),
    description: toStorable(read.description),
  };
  try {
    await deps.objects.record(call.key, [created]);
  } catch (error) {
    await deleteAgain(deps, call, upstream, `${collection.path}/${id}`);
    throw error;
  }
  call.relayRead(answer, read.body);
}

/** Deletes an object at its upstream, and then its row. An object that the upstream no longer has loses its row too. */
export async function deleteOwned(
  deps: ObjectCallDeps,
  call: ObjectCall,
  { kind }: Collection,
): Promise<void> {
  const row = await getOwned(deps, call, kind);
  const upstream = call.getUpstream(row.upstream_id);
  const answer = await call.send(upstream, { method: "DELETE", target: call.target });
  if (isSuccess(answer) || answer.status === 404) {
    await deps.objects.delete(call.key, { kind, id: row.id, upstreamId: upstream.id });
  }
  await call.relay(answer);
}

/** Reads the description of an object from the first upstream that answers. Null: the upstream does not return one. */
export async function fetchDescription(
  call: ObjectCall,
  order: UpstreamOrder,
  target: string,
): Promise<{ status: number; description: ObjectDescription | null; upstream: Upstream }> {
  const { answer, upstream } = await call.sendInOrder(order, { method: "GET", target });
  const { description } = await readDescription(answer);
  const { status } = answer;
  return { status, description: isSuccess(answer) ? description : null, upstream };
}

export function isSuccess({ status }: Pick<StreamedAnswer, "status">): boolean {
  return status >= 200 && status < 300;
}

/** Reads an answer of the upstream as a JSON object. Null: the answer is something else. */
export async function readDescription(
  answer: StreamedAnswer,
): Promise<{ body: Buffer; description: ObjectDescription | null }> {
  try {
    const body = await readWhole(answer, MAX_DESCRIPTION_BYTES);
    return { body, description: parseObject(body) };
  } catch {
    throw makeUnknownAnswerError();
  }
}

/** Deletes an object that has no owner, because nothing else would ever name it. */
async function deleteAgain(
  { logger }: ObjectCallDeps,
  call: ObjectCall,
  upstream: Upstream,
  target: string,
): Promise<void> {
  try {
    const answer = await call.send(upstream, { method: "DELETE", target });
    answer.body.destroy();
    if (isSuccess(answer)) return;
  } catch {
    // Logged below.
  }
  logger.warn(
    { requestId: call.requestId, upstreamId: upstream.id, target },
    "an object without an owner stays at its upstream",
  );
}

export function makeUnknownAnswerError(): ApiError {
  return new ApiError(
    "upstream_connection_lost",
    "The Claude API answered in an unknown form, or its answer broke. The request may have been processed.",
  );
}
