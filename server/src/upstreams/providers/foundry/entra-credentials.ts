import type { ClientSecretCredentialOptions, TokenCredential } from "@azure/identity";
import type { FoundrySettings } from "@bursar/contract/admin/provider-settings.ts";
import { z } from "zod";
import type { TunnelProxy } from "#src/http1/open-tunnel.ts";
import { makeReloadedSource } from "../reloaded-source.ts";
import { TunnelAgent } from "../tunnel-agent.ts";

const SCOPE = "https://ai.azure.com/.default";

const clientSecret = z.strictObject({
  tenant_id: z.string().regex(/^[A-Za-z0-9.-]{1,100}$/),
  client_id: z.string().regex(/^[A-Za-z0-9-]{1,100}$/),
  client_secret: z.string().min(1).max(500),
});

type ClientSecret = z.output<typeof clientSecret>;

interface EntraOptions {
  /** Proxy of requests to Microsoft Entra. Null: none. */
  proxy: TunnelProxy | null;
  /** Options of Microsoft's library, for tests. */
  library?: ClientSecretCredentialOptions;
}

/**
 * Returns a function that loads the headers of a call. Throws an Error for a credential that is not of the kind in the
 * settings.
 */
export function makeEntraAuthorizer(
  { authentication }: Pick<FoundrySettings, "authentication">,
  credential: string | null,
  { proxy, library = {} }: EntraOptions,
): () => Promise<readonly string[]> {
  if (authentication === "api_key") {
    if (credential === null) throw new Error("the credential is missing");
    return () => Promise.resolve(["x-api-key", credential]);
  }
  const secret = authentication === "machine" ? null : parseClientSecret(credential);
  return makeReloadedSource({
    make: () => loadCredential(secret, { ...library, ...sendThrough(proxy) }),
    use: async (source: TokenCredential) => {
      const token = await source.getToken(SCOPE);
      if (token === null) throw new Error("Microsoft Entra returned no token");
      return ["authorization", `Bearer ${token.token}`];
    },
  });
}

/** Throws an Error that says which form is expected, without the text. */
export function parseClientSecret(credential: string | null): ClientSecret {
  let value: unknown = null;
  try {
    value = JSON.parse(credential ?? "null");
  } catch {
    // The schema refuses null.
  }
  const parsed = clientSecret.safeParse(value);
  if (!parsed.success) {
    throw new Error(
      "the credential is not a JSON object with tenant_id, client_id and client_secret",
    );
  }
  return parsed.data;
}

/**
 * Loads the credential of an app registration, or the ones of the machine: environment, workload identity, and managed
 * identity. Programs of the machine, such as the CLI of Azure, are not started.
 */
async function loadCredential(
  secret: ClientSecret | null,
  options: ClientSecretCredentialOptions,
): Promise<TokenCredential> {
  const azure = await import("@azure/identity");
  if (secret !== null) {
    const { tenant_id, client_id, client_secret } = secret;
    return new azure.ClientSecretCredential(tenant_id, client_id, client_secret, options);
  }
  const {
    AZURE_CLIENT_ID: clientId,
    AZURE_TENANT_ID: tenantId,
    AZURE_FEDERATED_TOKEN_FILE: tokenFilePath,
  } = process.env;
  const sources: TokenCredential[] = [new azure.EnvironmentCredential(options)];
  if (clientId !== undefined && tenantId !== undefined && tokenFilePath !== undefined) {
    const identity = { ...options, clientId, tenantId, tokenFilePath };
    sources.push(new azure.WorkloadIdentityCredential(identity));
  }
  sources.push(
    clientId === undefined
      ? new azure.ManagedIdentityCredential(options)
      : new azure.ManagedIdentityCredential({ ...options, clientId }),
  );
  return new azure.ChainedTokenCredential(...sources);
}

/** Sends requests with TLS through the proxy. Metadata of the machine has plain HTTP, and no proxy. */
function sendThrough(proxy: TunnelProxy | null): ClientSecretCredentialOptions {
  if (proxy === null) return {};
  const agent = new TunnelAgent(proxy);
  const policy: PipelinePolicy = {
    name: "tunnelPolicy",
    sendRequest(request, next) {
      if (request.url.startsWith("https:")) request.agent = agent;
      return next(request);
    },
  };
  return { additionalPolicies: [{ policy, position: "perRetry" }] };
}

type PipelinePolicy = NonNullable<
  ClientSecretCredentialOptions["additionalPolicies"]
>[number]["policy"];
