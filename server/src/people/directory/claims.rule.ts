import { type OrganizationRole, organizationRoles } from "@bursar/contract/permissions.ts";

// Roles and groups that the claims of a provider give.

/** Settings of a directory about claims. */
export interface ClaimMapping {
  role_claim: string | null;
  role_mappings: readonly { value: string; role: Exclude<OrganizationRole, "owner"> }[];
  group_claim: string | null;
  group_mappings: readonly { value: string; group_id: string }[];
}

/** Mapped values of a person's claims. Null: the directory maps none. */
export interface MappedClaims {
  roles: string[] | null;
  groups: string[] | null;
}

type Claims = Readonly<Record<string, unknown>>;

/** Names of the claims that decide about roles and groups. */
export function listClaimNames(mapping: ClaimMapping): string[] {
  const names = [
    mapping.role_mappings.length > 0 ? mapping.role_claim : null,
    mapping.group_mappings.length > 0 ? mapping.group_claim : null,
  ];
  return names.filter((name) => name !== null);
}

/**
 * Reads the mapped values. The token takes precedence over the user info document. Null: the token has too many values, so
 * the provider left the claim out (`_claim_names`, OpenID Connect Core 5.6.2).
 */
export function readMappedClaims(
  mapping: ClaimMapping,
  token: Claims,
  userInfo: Claims,
): MappedClaims | null {
  const names = listClaimNames(mapping);
  if (names.some((name) => isDistributed(token, name))) return null;
  const read = (name: string | null, mappings: readonly { value: string }[]) => {
    if (name === null || mappings.length === 0) return null;
    const stated = new Set(findClaim(token, name) ?? findClaim(userInfo, name));
    return [...new Set(mappings.map(({ value }) => value))].filter((value) => stated.has(value));
  };
  return {
    roles: read(mapping.role_claim, mapping.role_mappings),
    groups: read(mapping.group_claim, mapping.group_mappings),
  };
}

/**
 * Texts of a claim: a text or a list of texts. A name with dots is also a path, such as `realm_access.roles`. Null: the
 * claim is absent.
 */
export function findClaim(claims: Claims, name: string): string[] | null {
  const value = Object.hasOwn(claims, name) ? claims[name] : followPath(claims, name.split("."));
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((each) => typeof each === "string") : null;
}

function followPath(claims: Claims, path: readonly string[]): unknown {
  let value: unknown = claims;
  for (const name of path) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Claims)[name];
  }
  return value;
}

function isDistributed(token: Claims, name: string): boolean {
  const names = token["_claim_names"];
  return typeof names === "object" && names !== null && Object.hasOwn(names, name);
}

/** First role of the table of rights that a value gives, else `defaultRole`. */
export function chooseRole(
  { role_mappings }: Pick<ClaimMapping, "role_mappings">,
  values: readonly string[],
  defaultRole: Exclude<OrganizationRole, "owner">,
): Exclude<OrganizationRole, "owner"> {
  const given = role_mappings.filter(({ value }) => values.includes(value));
  const [first] = given
    .map(({ role }) => role)
    .sort((a, b) => organizationRoles.indexOf(a) - organizationRoles.indexOf(b));
  return first ?? defaultRole;
}
