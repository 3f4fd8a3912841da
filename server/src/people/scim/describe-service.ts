import { GROUP_SCHEMA, groupDefinition } from "./group-resource.ts";
import { MAX_COUNT } from "./list-query.ts";
import { describeUser, USER_SCHEMA } from "./user-resource.ts";

// Supported parts of SCIM, as RFC 7644, section 4, describes them.

const CORE = "urn:ietf:params:scim:schemas:core:2.0:";

export function describeService(base: string): object {
  return {
    schemas: [`${CORE}ServiceProviderConfig`],
    patch: { supported: true },
    bulk: { supported: false, maxOperations: 0, maxPayloadSize: 0 },
    filter: { supported: true, maxResults: MAX_COUNT },
    changePassword: { supported: false },
    sort: { supported: false },
    etag: { supported: false },
    authenticationSchemes: [
      {
        type: "oauthbearertoken",
        name: "Bearer token",
        description: "A SCIM token of the directory.",
        primary: true,
      },
    ],
    meta: { resourceType: "ServiceProviderConfig", location: `${base}/ServiceProviderConfig` },
  };
}

export function describeSchemas(base: string) {
  return [describeUser(`${base}/Schemas`), groupDefinition.describe(`${base}/Schemas`)];
}

export function describeTypes(base: string) {
  return [
    { id: "User", schema: USER_SCHEMA, description: "People of the company." },
    { id: "Group", schema: GROUP_SCHEMA, description: "Groups of people." },
  ].map(({ id, schema, description }) => ({
    schemas: [`${CORE}ResourceType`],
    ...{ id, name: id, endpoint: `/${id}s`, description, schema },
    schemaExtensions: [],
    meta: { resourceType: "ResourceType", location: `${base}/ResourceTypes/${id}` },
  }));
}
