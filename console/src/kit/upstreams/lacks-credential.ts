export interface Credentialed {
  has_credential: boolean;
  /** Settings of a cloud platform. */
  provider_settings: { authentication?: string } | null;
}

/** True if requests cannot use the upstream until a credential is set. */
export function lacksCredential({ has_credential, provider_settings }: Credentialed): boolean {
  return !has_credential && provider_settings?.authentication !== "machine";
}
