import { Agent } from "node:http";
import type { VertexSettings } from "@bursar/contract/admin/provider-settings.ts";
import { z } from "zod";
import type { TunnelProxy } from "#src/http1/open-tunnel.ts";
import { isObject } from "#src/lib/parse-json.ts";
import { makeReloadedSource } from "../reloaded-source.ts";
import { TunnelAgent } from "../tunnel-agent.ts";

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
 * to Google. `proxy`: of requests to Google's token services. Throws an Error for a credential that is not of the kind in the
 * settings.
 */
export function makeGoogleAuthorizer(
  { authentication, project_id }: Pick<VertexSettings, "authentication" | "project_id">,
  credential: string | null,
  proxy: TunnelProxy | null,
): () => Promise<readonly string[]> {
  const account = authentication === "machine" ? null : parseServiceAccount(credential);
  return makeReloadedSource({
    make: () =>
      account === null ? loadMachineClient(project_id, proxy) : loadAccountClient(account),
    use: async (source: HeaderSource) => {
      const headers = await source.getRequestHeaders();
      return [...headers].flatMap(([name, value]) => [name.toLowerCase(), value]);
    },
  });
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

/**
 * Loads Google's Application Default Credentials: the file of the environment, or the metadata server. Tokens are renewed five
 * minutes before their end.
 */
async function loadMachineClient(
  projectId: string,
  proxy: TunnelProxy | null,
): Promise<HeaderSource> {
  const { GoogleAuth } = await import("google-auth-library");
  const agent = proxy === null ? null : new TunnelAgent(proxy);
  const auth = new GoogleAuth({
    scopes: SCOPE,
    // Without it, the library asks another server of Google, which a firewall can block.
    projectId,
    clientOptions: {
      transporterOptions: {
        timeout: SOURCE_TIMEOUT_MS,
        // The metadata server has plain HTTP, and no proxy.
        ...(agent !== null && {
          agent: (url: URL) => (url.protocol === "https:" ? agent : plainAgent),
        }),
      },
    },
  });
  // A key of a service account signs its tokens here too.
  auth.useJWTAccessWithScope = true;
  const client = await auth.getClient();
  // The library's client of a workload identity does not pass its options on to its token exchange.
  const exchange: unknown = Reflect.get(client, "stsCredential");
  if (isObject(exchange)) Reflect.set(exchange, "transporter", client.transporter);
  return client;
}

const plainAgent = new Agent();
/** Longest wait for one answer of a source, milliseconds. */
const SOURCE_TIMEOUT_MS = 3_000;
