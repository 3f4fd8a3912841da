import {
  AuthorizationResponseError,
  allowInsecureRequests,
  authorizationCodeGrant,
  buildAuthorizationUrl,
  type ClientAuth,
  ClientSecretBasic,
  ClientSecretPost,
  Configuration,
  clockSkew,
  clockTolerance,
  customFetch,
  type ExportedJWKSCache,
  enableNonRepudiationChecks,
  fetchUserInfo,
  getJwksCache,
  None,
  type ServerMetadata,
  setJwksCache,
} from "openid-client";
import { assert } from "#src/lib/assert.ts";
import type { GuardedClient } from "#src/lib/guarded-client.ts";
import {
  type ClaimMapping,
  findClaim,
  listClaimNames,
  type MappedClaims,
  readMappedClaims,
} from "./claims.rule.ts";
import { MAX_DOCUMENT_BYTES, ProviderFault, type ProviderMetadata } from "./discover-provider.ts";
import type { DerivedValues } from "./pending-token.ts";
import { type PersonClaims, readPersonClaims } from "./person-claims.rule.ts";

// The code flow with PKCE, by openid-client. The library checks state, `iss` (RFC 9207), nonce, issuer, audience, times and
// algorithm. `enableNonRepudiationChecks` makes it check the signature too, which it otherwise leaves to TLS. Providers of the
// directory load this module with the first sign-in.

const TOO_MANY_GROUPS =
  "The provider left your groups out of its token, because there are too many. An administrator can limit the claim to groups of this application.";
/** Tolerance for the clocks of provider and server. */
const TOLERANCE_SECONDS = 30;
const SCOPES = ["openid", "email", "profile"];

export interface Provider {
  metadata: ProviderMetadata;
  /** Public keys that were read before. Changed by each sign-in. */
  keys: ExportedJWKSCache | undefined;
}

export interface FlowOf {
  provider: Provider;
  client: GuardedClient;
  clientId: string;
  /** Null: a public client. */
  clientSecret: string | null;
  redirectUri: string;
  /** Claims with roles and groups. */
  mapping: ClaimMapping;
  nowMs: number;
}

/** The response or the token is invalid. `reason` is a sentence without secrets. */
export class FlowRefusal extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

/** Address at the provider to which the browser goes. `isAgain`: the provider asks the person to sign in again. */
export function makeAuthorizationUrl(of: FlowOf, derived: DerivedValues, isAgain: boolean): string {
  const { configuration } = configure(of);
  return buildAuthorizationUrl(configuration, {
    redirect_uri: of.redirectUri,
    scope: [...SCOPES, ...listClaimScopes(of)].join(" "),
    state: derived.state,
    nonce: derived.nonce,
    code_challenge: derived.challenge,
    code_challenge_method: "S256",
    // With max_age a provider sends auth_time, which decides about step-up.
    ...(isAgain && { prompt: "login", max_age: "0" }),
  }).href;
}

/** Scopes of the provider that have the name of a mapped claim, such as `groups` of Okta. */
function listClaimScopes({ provider, mapping }: FlowOf): string[] {
  const names = listClaimNames(mapping);
  const wanted = names.length === 0 ? [] : ["groups", ...names];
  const supported = provider.metadata.scopes_supported ?? [];
  return [...new Set(wanted)].filter((name) => supported.includes(name));
}

/** A person whom the provider has identified, with the mapped values of the claims. */
export type IdentifiedPerson = PersonClaims & { mapped: MappedClaims };

/**
 * Redeems the code in the provider's response, and validates the token. `response` is the query that the browser brought
 * back. Throws a FlowRefusal or a ProviderFault.
 */
export async function redeemCode(
  of: FlowOf,
  derived: DerivedValues,
  response: string,
): Promise<IdentifiedPerson> {
  const { configuration, faults } = configure(of);
  try {
    const tokens = await authorizationCodeGrant(
      configuration,
      new URL(`${of.redirectUri}?${response}`),
      {
        expectedState: derived.state,
        expectedNonce: derived.nonce,
        pkceCodeVerifier: derived.verifier,
        idTokenExpected: true,
      },
    );
    const claims = tokens.claims();
    assert(claims, "the library requires a token");
    const isComplete =
      typeof claims["email"] === "string" &&
      listClaimNames(of.mapping).every((name) => findClaim(claims, name) !== null);
    const userInfo =
      isComplete || of.provider.metadata.userinfo_endpoint === undefined
        ? {}
        : await fetchUserInfo(configuration, tokens.access_token, claims.sub);
    const person = readPersonClaims(claims, userInfo);
    if (person === null) throw new FlowRefusal("The provider's token has an invalid subject.");
    const mapped = readMappedClaims(of.mapping, claims, userInfo);
    if (mapped === null) throw new FlowRefusal(TOO_MANY_GROUPS);
    return { ...person, mapped };
  } catch (error) {
    if (error instanceof FlowRefusal) throw error;
    const [fault] = faults;
    if (fault !== undefined) throw fault;
    throw new FlowRefusal(describe(error));
  } finally {
    of.provider.keys = getJwksCache(configuration);
  }
}

function configure(of: FlowOf): { configuration: Configuration; faults: ProviderFault[] } {
  const { metadata, keys } = of.provider;
  const times = {
    [clockSkew]: Math.round((of.nowMs - Date.now()) / 1000),
    [clockTolerance]: TOLERANCE_SECONDS,
  };
  const configuration = new Configuration(
    toServerMetadata(metadata),
    of.clientId,
    times,
    chooseClientAuth(of),
  );
  // The guarded client refuses http, unless the operator allows the address.
  allowInsecureRequests(configuration);
  enableNonRepudiationChecks(configuration);
  if (keys !== undefined) setJwksCache(configuration, keys);
  const faults: ProviderFault[] = [];
  configuration[customFetch] = async (url, { method, headers, body }) => {
    const answer = await of.client.fetch({
      method: method === "POST" ? "POST" : "GET",
      url,
      headers,
      body: body === undefined || body === null ? null : String(body),
      maxBytes: MAX_DOCUMENT_BYTES,
    });
    if (answer.kind !== "answered") {
      const fault = new ProviderFault(`${new URL(url).origin}: ${answer.reason}`);
      faults.push(fault);
      throw fault;
    }
    const { status, text, contentType } = answer;
    return new Response(text === "" ? null : text, {
      status,
      headers: contentType === null ? {} : { "content-type": contentType },
    });
  };
  return { configuration, faults };
}

/** Metadata for the library, without absent fields. Its algorithms are those that this server accepts. */
function toServerMetadata(metadata: ProviderMetadata): ServerMetadata {
  const present = Object.entries(metadata).filter(([, value]) => value !== undefined);
  return { ...(Object.fromEntries(present) as Partial<ServerMetadata>), issuer: metadata.issuer };
}

function chooseClientAuth({ provider, clientSecret }: FlowOf): ClientAuth {
  if (clientSecret === null) return None();
  const methods = provider.metadata.token_endpoint_auth_methods_supported ?? [
    "client_secret_basic",
  ];
  return methods.includes("client_secret_basic") || !methods.includes("client_secret_post")
    ? ClientSecretBasic(clientSecret)
    : ClientSecretPost(clientSecret);
}

const ERROR_CODE = /^[a-z_]{1,60}$/;

/** Describes an error without values of the response, which can be secret. */
function describe(error: unknown): string {
  if (error instanceof AuthorizationResponseError && ERROR_CODE.test(error.error)) {
    return `The provider refused the sign-in: ${error.error}.`;
  }
  const { code, error: reason } = (error ?? {}) as { code?: unknown; error?: unknown };
  if (typeof reason === "string" && ERROR_CODE.test(reason)) {
    return `The provider refused the code: ${reason}.`;
  }
  return `The provider's response is invalid (${typeof code === "string" ? code : "unknown"}).`;
}
