import { z } from "zod";
import type { GuardedClient } from "#src/lib/guarded-client.ts";
import { parseJson } from "#src/lib/parse-json.ts";
import { discoveryUrlOf } from "./issuer.rule.ts";

// Reads the documents of a provider. An owner chose its address, so each request goes through the guarded client.

/** Algorithms of tokens. None is symmetric, so a public key never serves as a secret. */
const supportedAlgorithms: readonly string[] = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
  "Ed25519",
];
export const MAX_DOCUMENT_BYTES = 256 * 1024;
const MAX_KEYS = 100;
const MAX_TEXT = 2_000;

const endpoints = [
  "authorization_endpoint",
  "token_endpoint",
  "jwks_uri",
  "userinfo_endpoint",
] as const;

const texts = z.array(z.string().max(MAX_TEXT)).max(MAX_KEYS);
const url = z.string().max(MAX_TEXT);
const discoveryDocument = z.object({
  issuer: url,
  authorization_endpoint: url,
  token_endpoint: url,
  jwks_uri: url,
  userinfo_endpoint: url.optional(),
  id_token_signing_alg_values_supported: texts.default(["RS256"]),
  token_endpoint_auth_methods_supported: texts.optional(),
  code_challenge_methods_supported: texts.optional(),
  authorization_response_iss_parameter_supported: z.boolean().optional(),
  scopes_supported: texts.optional(),
  backchannel_logout_supported: z.boolean().optional(),
});

/** Facts of a provider that this server uses. Algorithms are those that both support. */
export type ProviderMetadata = z.output<typeof discoveryDocument>;

const keyDocument = z.object({ keys: z.array(z.looseObject({ kty: z.string() })).max(MAX_KEYS) });
export type KeyDocument = z.output<typeof keyDocument>;

/** Fault of a provider, which prevents sign-ins. `reason` is a sentence for the owner. */
export class ProviderFault extends Error {
  readonly reason: string;
  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }
}

/** Reads and checks the discovery document. Throws a ProviderFault. */
export async function discoverProvider(
  client: GuardedClient,
  issuer: string,
): Promise<ProviderMetadata> {
  const address = discoveryUrlOf(issuer);
  const document = await readDocument(client, address, discoveryDocument);
  if (document.issuer !== issuer) {
    throw new ProviderFault(
      `The provider calls itself ${document.issuer}. Create the directory with exactly this issuer.`,
    );
  }
  for (const name of endpoints) {
    const address = document[name];
    const mistake = address === undefined ? null : client.findMistake(address);
    if (mistake !== null) {
      throw new ProviderFault(`The provider's ${name} is invalid: ${mistake}.`);
    }
  }
  if (document.code_challenge_methods_supported?.includes("S256") === false) {
    throw new ProviderFault("The provider does not support PKCE with S256.");
  }
  const algorithms = document.id_token_signing_alg_values_supported.filter((name) =>
    supportedAlgorithms.includes(name),
  );
  if (algorithms.length === 0) {
    throw new ProviderFault("The provider signs its tokens with no algorithm of this server.");
  }
  return { ...document, id_token_signing_alg_values_supported: algorithms };
}

/** Reads the public keys of the provider. Throws a ProviderFault. */
export function readProviderKeys(
  client: GuardedClient,
  { jwks_uri }: ProviderMetadata,
): Promise<KeyDocument> {
  return readDocument(client, jwks_uri, keyDocument);
}

async function readDocument<Schema extends z.ZodType>(
  client: GuardedClient,
  address: string,
  schema: Schema,
): Promise<z.output<Schema>> {
  const answer = await client.fetch({
    method: "GET",
    url: address,
    headers: { accept: "application/json" },
    body: null,
    maxBytes: MAX_DOCUMENT_BYTES,
  });
  if (answer.kind !== "answered") throw new ProviderFault(`${address}: ${answer.reason}`);
  if (answer.status !== 200) {
    throw new ProviderFault(`${address}: expected the status 200, got ${answer.status}.`);
  }
  const parsed = schema.safeParse(parseJson(answer.text));
  if (parsed.success) return parsed.data;
  const path = parsed.error.issues[0]?.path.join(".") ?? "";
  throw new ProviderFault(
    path === ""
      ? `${address}: expected a JSON object.`
      : `${address}: the field ${path} is absent or invalid.`,
  );
}
