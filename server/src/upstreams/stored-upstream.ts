import type { TunnelProxy } from "#src/http1/open-tunnel.ts";
import { systemClock } from "#src/lib/clock.ts";
import { FieldLines } from "#src/lib/field-lines.ts";
import type { Logger } from "#src/lib/logger.ts";
import { unseal } from "#src/lib/seal.ts";
import type { AllowedTargets } from "#src/lib/target-address.ts";
import type { TurnEnd } from "#src/lib/turn-end.ts";
import { addHeaders } from "./add-headers.ts";
import { makeAnthropicUpstream } from "./anthropic.ts";
import type { ClientOptions } from "./make-client.ts";
import { makeProviderUpstream, readProviderSettings } from "./provider-upstreams.ts";
import { type EnvironmentProxy, findEnvironmentProxy, type ParsedProxy } from "./proxy-url.rule.ts";
import type { Upstream } from "./upstream.ts";
import type { StoredUpstream } from "./upstream-lookup.sql.ts";
import { findTargetFault, makeUpstreamLookup } from "./upstream-target.ts";
import { headersSealContext, proxySealContext, upstreamSealContext } from "./upstream-url.rule.ts";

// The upstream of a stored row. An unusable row is an error and no reason to answer with the simulator.

export interface StoredUpstreamDeps {
  /** `deriveSealingKey(BURSAR_SECRET)`. */
  sealingKey: Buffer;
  /** Private addresses that a stored upstream may have: `BURSAR_ALLOW_PRIVATE_UPSTREAMS`. */
  privateUpstreams: AllowedTargets;
  /** `BURSAR_UPSTREAM_IDLE`, milliseconds. */
  idleTimeoutMs: number;
  /** Sends over sockets at the end of turns. Null: undici sends. */
  turnEnd: TurnEnd | null;
  /** `BURSAR_ALLOW_MACHINE_CREDENTIALS`. */
  isMachineAllowed: boolean;
  /** Proxy of upstreams without one of their own. Null: none. */
  environmentProxy: EnvironmentProxy | null;
  logger: Logger;
}

/** An upstream, or the reason why it cannot be used. */
export type MadeUpstream =
  | { upstream: Upstream; refusal: null }
  | { upstream: null; refusal: string };

export function makeStoredUpstream(deps: StoredUpstreamDeps, stored: StoredUpstream): MadeUpstream {
  const isOfMachine = stored.settings["authentication"] === "machine";
  if (stored.credentialSealed === null && !isOfMachine) {
    return refuse(
      "The upstream of this server has no credential: an administrator must set it again.",
    );
  }
  const fault = findTargetFault(stored.baseUrl, deps.privateUpstreams);
  if (fault !== null) return refuse(`The upstream of this server cannot be used: ${fault}`);
  try {
    const { id, baseUrl, credentialSealed: sealed } = stored;
    const context = upstreamSealContext(id, baseUrl);
    const credential = sealed === null ? null : unseal(deps.sealingKey, sealed, context);
    const headers = openExtraHeaders(deps, stored);
    const proxy = openProxy(deps, stored);
    const client = {
      idleTimeoutMs: deps.idleTimeoutMs,
      lookup: makeUpstreamLookup(deps.privateUpstreams),
      turnEnd: deps.turnEnd,
      ...(proxy !== undefined && { proxy }),
    };
    if (stored.provider !== "anthropic") {
      const upstream = makePlatform(deps, stored, { ...client, credential, headers });
      return { upstream, refusal: null };
    }
    const upstream = makeAnthropicUpstream({
      id,
      baseUrl,
      credential,
      source: "stored",
      ...client,
    });
    if (headers === null) return { upstream, refusal: null };
    const objects = upstream.objects && addHeaders(upstream.objects, headers);
    const changed = { ...upstream, client: addHeaders(upstream.client, headers), objects };
    return { upstream: changed, refusal: null };
  } catch (error) {
    deps.logger.error({ err: error, upstreamId: stored.id }, "the stored upstream cannot be used");
    return refuse(
      "The upstream of this server cannot be used: its credential cannot be decrypted, or its URL is not allowed. " +
        "An administrator must set it again.",
    );
  }
}

/** Makes the upstream of a cloud platform. Throws an Error for settings or a credential that cannot be used. */
function makePlatform(
  deps: StoredUpstreamDeps,
  stored: StoredUpstream,
  {
    credential,
    headers,
    ...client
  }: ClientOptions & { credential: string | null; headers: FieldLines | null },
): Upstream {
  const settings = readProviderSettings(stored.settings);
  if (settings === null) throw new Error("the settings are of another version of this server");
  return makeProviderUpstream({
    ...client,
    id: stored.id,
    baseUrl: stored.baseUrl,
    settings,
    credential,
    extraHeaders: headers?.toList() ?? [],
    isMachineAllowed: deps.isMachineAllowed,
    nowMs: systemClock.nowMs,
    logger: deps.logger,
  });
}

function refuse(refusal: string): MadeUpstream {
  return { upstream: null, refusal };
}

/** Returns the upstream's own proxy, or that of the environment. Undefined: none. */
function openProxy(deps: StoredUpstreamDeps, stored: StoredUpstream): TunnelProxy | undefined {
  const { id, baseUrl, proxyUrl: origin, proxyCredentialSealed: sealed } = stored;
  if (origin === null) return toTunnel(findEnvironmentProxy(deps.environmentProxy, baseUrl));
  const fault = findTargetFault(origin, deps.privateUpstreams);
  if (fault !== null) throw new Error(fault);
  const context = proxySealContext(id, origin);
  const authorization = sealed === null ? null : unseal(deps.sealingKey, sealed, context);
  return { origin, authorization, lookup: makeUpstreamLookup(deps.privateUpstreams) };
}

/** Headers that each request to the upstream gets. Null: none. */
function openExtraHeaders(
  { sealingKey }: StoredUpstreamDeps,
  { id, baseUrl, extraHeadersSealed, upstreamWorkspaceId }: StoredUpstream,
): FieldLines | null {
  const lines: string[] = [];
  if (extraHeadersSealed !== null) {
    const text = unseal(sealingKey, extraHeadersSealed, headersSealContext(id, baseUrl));
    lines.push(...Object.entries(JSON.parse(text) as Record<string, string>).flat());
  }
  if (upstreamWorkspaceId !== null) lines.push("anthropic-workspace-id", upstreamWorkspaceId);
  return lines.length === 0 ? null : FieldLines.fromList(lines);
}

/** Identifies the configuration. The client is replaced when it changes. Contains sealed secrets only. */
export function nameConfiguration(stored: StoredUpstream): string {
  const { credentialSealed, extraHeadersSealed, proxyCredentialSealed, ...others } = stored;
  const secrets = [credentialSealed, extraHeadersSealed, proxyCredentialSealed];
  return JSON.stringify([
    // The place in the order is no part of the client.
    { ...others, defaultPosition: null },
    ...secrets.map((sealed) => sealed && Buffer.from(sealed).toString("base64")),
  ]);
}

export function toTunnel(parsed: ParsedProxy | null): TunnelProxy | undefined {
  return parsed === null ? undefined : { origin: parsed.url, authorization: parsed.credential };
}
