import type { createdScimToken } from "@bursar/contract/admin/scim-tokens.ts";
import type { InjectOptions } from "fastify";
import type { z } from "zod";
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
  Resources: ScimBody[];
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
