/** Facts about a person, as a provider's validated token states them. */
export interface PersonClaims {
  subject: string;
  /** Lower case. Null: absent, or not verified by the provider. */
  email: string | null;
  isEmailUnverified: boolean;
  name: string | null;
  /** Time at which the person proved their identity, milliseconds. Null: the provider does not say. */
  authenticatedAtMs: number | null;
  /** Session of the provider. */
  providerSession: string | null;
  amr: unknown;
  acr: unknown;
}

/** Longest subject by OpenID Connect Core, section 2. */
const MAX_SUBJECT_LENGTH = 255;
const MAX_SESSION_LENGTH = 500;

/** Reads the claims of a token and of the user info endpoint. Null: the subject is invalid. */
export function readPersonClaims(
  token: Readonly<Record<string, unknown>>,
  userInfo: Readonly<Record<string, unknown>>,
): PersonClaims | null {
  const subject = token["sub"];
  if (!isStorable(subject) || subject === "" || subject.length > MAX_SUBJECT_LENGTH) return null;
  // Both parts of an address come from one document.
  const source = typeof token["email"] === "string" ? token : userInfo;
  const email = readText(source["email"])?.toLowerCase() ?? null;
  const isVerified = source["email_verified"] === true || isOwnedDomain(source["xms_edov"]);
  const authTime = token["auth_time"];
  return {
    subject,
    email: isVerified ? email : null,
    isEmailUnverified: email !== null && !isVerified,
    name: readText(token["name"]) ?? readText(userInfo["name"]),
    authenticatedAtMs: typeof authTime === "number" ? authTime * 1000 : null,
    providerSession: readText(token["sid"], MAX_SESSION_LENGTH),
    amr: token["amr"],
    acr: token["acr"],
  };
}

/** Optional claim of Microsoft Entra, which has no `email_verified`: the tenant owns the domain of the address. */
function isOwnedDomain(claim: unknown): boolean {
  return claim === true || claim === 1 || claim === "1" || claim === "true";
}

function readText(value: unknown, maxLength = Number.POSITIVE_INFINITY): string | null {
  return isStorable(value) && value.trim() !== "" && value.length <= maxLength ? value : null;
}

/** PostgreSQL stores no NUL. */
function isStorable(value: unknown): value is string {
  return typeof value === "string" && !value.includes("\0");
}

/** Whether the domain of the address is in the list, exactly. */
export function isAllowedDomain(email: string, domains: readonly string[]): boolean {
  return domains.includes(email.slice(email.lastIndexOf("@") + 1));
}
