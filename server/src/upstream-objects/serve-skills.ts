import { LRUCache } from "lru-cache";
import { findWorking } from "#src/gateway/failover.ts";
import { toStreamedBody } from "#src/gateway/object-body.ts";
import type { ObjectCall } from "#src/gateway/object-call.ts";
import type { Upstream, UpstreamOrder } from "#src/upstreams/upstream.ts";
import { listSkills, listVersions } from "./list-skills.ts";
import {
  type Collection,
  createOwned,
  deleteOwned,
  fetchDescription,
  getOwned,
  isSuccess,
  makeUnknownAnswerError,
  type ObjectCallDeps,
} from "./object-calls.ts";
import { makeObjectNotFoundError } from "./object-not-found.ts";
import type { ObjectRow } from "./objects.sql.ts";
import { isPublishedSkill, toStorable } from "./read-description.ts";

const MEGABYTE = 1024 * 1024;
/** More than the official limit of a skill, which its upstream checks. */
const MAX_UPLOAD_BYTES = 64 * MEGABYTE;
const PUBLISHED_KNOWN_MS = 600_000;
const MAX_PUBLISHED = 1_000;

const skills: Collection = { kind: "skill", path: "/v1/skills", maxBytes: MAX_UPLOAD_BYTES };

/** Skills that a provider publishes for everyone, as `upstream id`. */
export type PublishedSkills = LRUCache<string, true>;

export function makePublishedSkills(): PublishedSkills {
  return new LRUCache({ max: MAX_PUBLISHED, ttl: PUBLISHED_KNOWN_MS });
}

export interface SkillDeps extends ObjectCallDeps {
  published: PublishedSkills;
}

/** Serves a call about skills or their versions. */
export async function serveSkills(deps: SkillDeps, call: ObjectCall): Promise<void> {
  switch (call.route.operation) {
    case "skills.create":
      return createOwned(deps, call, skills);
    case "skills.list":
      return listSkills(deps, call);
    case "skills.delete":
      return deleteOwned(deps, call, skills);
    case "skill_versions.create":
      return createVersion(deps, call, await getOwned(deps, call, "skill"));
    case "skill_versions.delete":
      return deleteVersion(deps, call, await getOwned(deps, call, "skill"));
    case "skill_versions.list":
      return listVersions(call, (order) => findReadable(deps, call, order));
    default: {
      const order = await findReadable(deps, call, () => call.upstreams());
      const { answer } = await call.sendInOrder(order, { method: "GET", target: call.target });
      return call.relay(answer);
    }
  }
}

/**
 * Returns the upstream of a skill that the workspace owns, or those of `order` that are known to publish it. Throws the 404 of
 * an unknown skill for every other one.
 */
async function findReadable(
  { objects, published }: SkillDeps,
  call: ObjectCall,
  order: () => UpstreamOrder,
): Promise<UpstreamOrder> {
  const { id } = call.route;
  const owned = await objects.find(call.key, { kind: "skill", id });
  if (owned !== null) return [call.getUpstream(owned.upstream_id)];
  const isKnown = (upstream: Upstream) => published.has(placeOf(upstream, id));
  const [first, ...others] = order().filter(isKnown);
  if (first !== undefined && isKnown(findWorking(order()))) return [first, ...others];
  const found = await fetchDescription(call, order(), `${skills.path}/${id}`);
  const { status, description, upstream } = found;
  if (description === null && status !== 404) throw makeUnknownAnswerError();
  if (description === null || !isPublishedSkill(description)) {
    throw makeObjectNotFoundError("skill", id);
  }
  published.set(placeOf(upstream, id), true);
  return [upstream];
}

function placeOf({ id }: Upstream, skillId: string): string {
  return `${id} ${skillId}`;
}

async function createVersion(deps: SkillDeps, call: ObjectCall, row: ObjectRow): Promise<void> {
  const upstream = call.getUpstream(row.upstream_id);
  const { body: opened, bytes } = call.openBody(skills.maxBytes);
  const { target } = call;
  const body = toStreamedBody(opened, bytes);
  const answer = await call.send(upstream, { method: "POST", target, body });
  if (isSuccess(answer)) await describeAgain(deps, call, upstream);
  await call.relay(answer);
}

async function deleteVersion(deps: SkillDeps, call: ObjectCall, row: ObjectRow): Promise<void> {
  const upstream = call.getUpstream(row.upstream_id);
  const answer = await call.send(upstream, { method: "DELETE", target: call.target });
  if (isSuccess(answer)) await describeAgain(deps, call, upstream);
  await call.relay(answer);
}

/** Stores the description of a skill after a change of its versions. A failure leaves the older one in lists. */
async function describeAgain(
  { objects, logger }: SkillDeps,
  call: ObjectCall,
  upstream: Upstream,
): Promise<void> {
  const { id } = call.route;
  try {
    const { description } = await fetchDescription(call, [upstream], `${skills.path}/${id}`);
    const storable = description && toStorable(description);
    if (storable === null) return;
    const name = { kind: "skill", id, upstreamId: upstream.id } as const;
    await objects.describe(call.key, { ...name, description: storable });
  } catch (error) {
    logger.warn({ err: error, requestId: call.requestId }, "a skill could not be described again");
  }
}
