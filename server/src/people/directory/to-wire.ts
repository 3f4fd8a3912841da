import type { directory } from "@bursar/contract/admin/directories.ts";
import type { z } from "zod";
import { SCIM_PATH } from "#src/people/scim/scim-response.ts";
import type { DirectoryRow } from "./directories.sql.ts";
import { callbackPathOf, LOGOUT_PATH } from "./issuer.rule.ts";

export interface DirectoryPeople {
  linked: number;
  provided: number;
}

const NO_PEOPLE: DirectoryPeople = { linked: 0, provided: 0 };

/** `publicUrl`: address of the console, without a slash at the end. */
export function toWire(
  row: DirectoryRow,
  publicUrl: string,
  people: DirectoryPeople = NO_PEOPLE,
): z.input<typeof directory> {
  return {
    id: row.id,
    type: "directory",
    name: row.name,
    issuer: row.issuer,
    client_id: row.client_id,
    has_client_secret: row.client_secret_sealed !== null,
    is_enabled: row.is_enabled,
    allowed_domains: row.allowed_domains,
    default_role: row.default_role,
    second_factor: row.second_factor,
    role_claim: row.role_claim,
    role_mappings: row.role_mappings,
    group_claim: row.group_claim,
    group_mappings: row.group_mappings,
    redirect_uri: publicUrl + callbackPathOf(row.id),
    logout_uri: `${publicUrl}${LOGOUT_PATH}/${row.id}`,
    scim_uri: publicUrl + SCIM_PATH,
    people,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
