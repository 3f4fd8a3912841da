import type { ProviderSettings } from "@bursar/contract/admin/provider-settings.ts";
import { parseAccessKey } from "./bedrock/aws-credentials.ts";
import { parseClientSecret } from "./foundry/entra-credentials.ts";
import { parseServiceAccount } from "./vertex/google-credentials.ts";

// Forms of the credentials of cloud platforms.

const API_KEY = /^[\x21-\x7e]+$/;

/** Returns why a credential is not of the kind in the settings. Null: it is. */
export function findCredentialFault(settings: ProviderSettings, credential: string): string | null {
  if (settings.authentication === "api_key") {
    return API_KEY.test(credential) ? null : "the credential is a key without spaces";
  }
  try {
    describeProviderCredential(settings, credential);
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Returns the public part of a credential, such as its user. Null: it has none. Throws an Error for another kind. */
export function describeProviderCredential(
  settings: ProviderSettings,
  credential: string,
): string | null {
  switch (settings.authentication) {
    case "access_key":
      return parseAccessKey(credential).accessKeyId;
    case "service_account":
      return parseServiceAccount(credential).client_email;
    case "client_secret":
      return parseClientSecret(credential).client_id;
    default:
      return null;
  }
}
