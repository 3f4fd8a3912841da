import type { VertexSettings } from "@bursar/contract/admin/provider-settings.ts";
import { z } from "zod";

const SCOPE = "https://www.googleapis.com/auth/cloud-platform";

const serviceAccount = z.object({
  type: z.literal("service_account"),
  client_email: z.string().min(1).max(320),
  private_key: z.string().startsWith("-----BEGIN").max(8_000),
  private_key_id: z.string().max(100).optional(),
});

type ServiceAccount = z.output<typeof serviceAccount>;

/** Part of a client of Google's library. */
interface HeaderSource {
  getRequestHeaders(): Promise<Headers>;
}

/**
 * Returns a function that loads the headers of a call. A key of a service account signs its tokens here, without a request
 * to Google. Throws an Error for a credential that is not of the kind in the settings.
 */
export function makeGoogleAuthorizer(
  { authentication }: Pick<VertexSettings, "authentication">,
  credential: string | null,
): () => Promise<readonly string[]> {
  const account = authentication === "machine" ? null : parseServiceAccount(credential);
  let loading: Promise<HeaderSource> | null = null;
  return async () => {
    loading ??= account === null ? loadMachineClient() : loadAccountClient(account);
    try {
      const client = await loading;
      const headers = await client.getRequestHeaders();
      return [...headers].flatMap(([name, value]) => [name.toLowerCase(), value]);
    } catch (error) {
      loading = null;
      throw error;
    }
  };
}

/**
 * Reads the JSON key of a service account. Other kinds are refused, because they can name addresses and programs of this
 * machine. Throws an Error without the text.
 */
export function parseServiceAccount(credential: string | null): ServiceAccount {
  let value: unknown = null;
  try {
    value = JSON.parse(credential ?? "null");
  } catch {
    // The schema refuses null.
  }
  const parsed = serviceAccount.safeParse(value);
  if (!parsed.success) throw new Error("the credential is not the JSON key of a service account");
  return parsed.data;
}

async function loadAccountClient(account: ServiceAccount): Promise<HeaderSource> {
  const { JWT } = await import("google-auth-library");
  const client = new JWT({
    email: account.client_email,
    key: account.private_key,
    scopes: [SCOPE],
    ...(account.private_key_id !== undefined && { keyId: account.private_key_id }),
  });
  client.useJWTAccessWithScope = true;
  return client;
}

async function loadMachineClient(): Promise<HeaderSource> {
  const { GoogleAuth } = await import("google-auth-library");
  return new GoogleAuth({ scopes: SCOPE }).getClient();
}
