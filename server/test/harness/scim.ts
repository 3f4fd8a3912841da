import { randomUUID } from "node:crypto";
import type { createdScimToken } from "@bursar/contract/admin/scim-tokens.ts";
import type { InjectOptions } from "fastify";
import { sql } from "kysely";
import type { z } from "zod";
import { inSignedTransaction, type SigningDeps } from "#src/signed-rows/signed-transaction.ts";
import type { AdminHarness, TestOrganization } from "./admin.ts";
import { createId, newDirectory } from "./route-samples/subjects.ts";

/** Fields of the resources, lists and errors that tests read. */
export interface ScimBody {
  id: string;
  userName: string;
  externalId: string;
  active: boolean;
  meta: { location: string };
  totalResults: number;
  itemsPerPage: number;
  Resources: ScimBody[];
  displayName: string;
  members?: { value: string; type: string }[];
  endpoint: string;
  schemas: string[];
  status: string;
  scimType: string;
}

export interface ScimAnswer {
  status: number;
  body: ScimBody;
  headers: Record<string, unknown>;
}

/** A directory's client of `/scim/v2`. */
export interface ScimClient {
  directoryId: string;
  tokenId: string;
  send(
    method: NonNullable<InjectOptions["method"]>,
    path: string,
    body?: object,
  ): Promise<ScimAnswer>;
}

/** Creates a directory for addresses of example.com, with a SCIM token. */
export async function startScim(
  h: AdminHarness,
  org: TestOrganization,
  fields: object = {},
): Promise<ScimClient> {
  const directoryId = await createId(org.operator, "/v1/admin/directories", {
    ...newDirectory(),
    allowed_domains: ["example.com"],
    ...fields,
  });
  return connectScim(h, org, directoryId);
}

/** Creates a SCIM token of the directory. */
export async function connectScim(
  h: AdminHarness,
  org: TestOrganization,
  directoryId: string,
): Promise<ScimClient> {
  const made = await org.operator.post<z.output<typeof createdScimToken>>(
    `/v1/admin/directories/${directoryId}/scim_tokens`,
  );
  const { token, id: tokenId } = made.body;
  return {
    directoryId,
    tokenId,
    send: async (method, path, body) => {
      const response = await h.app.inject({
        method,
        url: `/scim/v2${path}`,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body && { "content-type": "application/scim+json" }),
        },
        ...(body && { payload: JSON.stringify(body) }),
      });
      return {
        status: response.statusCode,
        body: response.payload === "" ? null : JSON.parse(response.payload),
        headers: response.headers,
      };
    },
  };
}

/** Adds users without the API, with names like `many-1@example.com`. Returns their ids. */
export async function insertUsers(
  deps: SigningDeps,
  of: { organizationId: string; directoryId: string; count: number },
): Promise<string[]> {
  return inSignedTransaction(deps, async (tx) => {
    const { rows } = await sql<{ id: string }>`
      INSERT INTO member (id, organization_id, email, name, role)
      SELECT 'user_' || ${randomUUID()} || n, ${of.organizationId}, 'many-' || n || '@example.com', 'Person ' || n, 'user'
      FROM generate_series(1, ${of.count}::integer) AS n RETURNING id`.execute(tx);
    const ids = rows.map(({ id }) => id);
    await sql`
      INSERT INTO scim_user (directory_id, member_id, user_name, attributes, is_creator, is_suspended, created_at, updated_at)
      SELECT ${of.directoryId}, id, email, '{}', true, false, now(), now() FROM member
      WHERE id = ANY(${ids}::text[])`.execute(tx);
    return ids;
  });
}
