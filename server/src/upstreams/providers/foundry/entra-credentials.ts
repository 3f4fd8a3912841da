import type { ClientSecretCredentialOptions, TokenCredential } from "@azure/identity";
import type { FoundrySettings } from "@bursar/contract/admin/provider-settings.ts";
import { z } from "zod";

const SCOPE = "https://ai.azure.com/.default";

const clientSecret = z.strictObject({
  tenant_id: z.string().regex(/^[A-Za-z0-9.-]{1,100}$/),
  client_id: z.string().regex(/^[A-Za-z0-9-]{1,100}$/),
  client_secret: z.string().min(1).max(500),
});

type ClientSecret = z.output<typeof clientSecret>;

/**
 * Returns a function that loads the headers of a call. `options` are for tests. Throws an Error for a credential that is
 * not of the kind in the settings.
 */
export function makeEntraAuthorizer(
  { authentication }: Pick<FoundrySettings, "authentication">,
  credential: string | null,
  options: ClientSecretCredentialOptions = {},
): () => Promise<readonly string[]> {
  if (authentication === "api_key") {
    if (credential === null) throw new Error("the credential is missing");
    return () => Promise.resolve(["x-api-key", credential]);
  }
  const secret = authentication === "machine" ? null : parseClientSecret(credential);
  let loading: Promise<TokenCredential> | null = null;
  return async () => {
    loading ??= loadCredential(secret, options);
    const found = await loading;
    const token = await found.getToken(SCOPE);
    if (token === null) throw new Error("Microsoft Entra returned no token");
    return ["authorization", `Bearer ${token.token}`];
  };
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

async function loadCredential(
  secret: ClientSecret | null,
  options: ClientSecretCredentialOptions,
): Promise<TokenCredential> {
  const { ClientSecretCredential, DefaultAzureCredential } = await import("@azure/identity");
  if (secret === null) return new DefaultAzureCredential();
  const { tenant_id, client_id, client_secret } = secret;
  return new ClientSecretCredential(tenant_id, client_id, client_secret, options);
}
