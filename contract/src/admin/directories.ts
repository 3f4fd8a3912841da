import { z } from "zod";
import { count, emailDomain, MAX_EMAIL_LENGTH, nameText, timestamp } from "../fields.ts";
import { directoryId, groupId } from "../ids.ts";
import { pageCursor, pageCursorQuery } from "../paging.ts";
import { organizationRoles } from "../permissions.ts";
import { route } from "../route.ts";

const MAX_URL_LENGTH = 500;
const MAX_CLIENT_LENGTH = 1000;
const MAX_DOMAINS = 100;
const MAX_CLAIM_LENGTH = 200;
const MAX_VALUE_LENGTH = 300;
const MAX_ROLE_MAPPINGS = 100;
const MAX_GROUP_MAPPINGS = 500;
const printable = /^[\x21-\x7e]+$/;
const directoryParams = z.strictObject({ directory_id: directoryId });

/** Roles that a sign-in through a directory may give. An owner is made by an owner only. */
export const directoryRoles = organizationRoles.filter((role) => role !== "owner");
const directoryRole = z.enum(directoryRoles);

export const secondFactorRules = ["claims", "trusted", "here"] as const;

const issuer = z.string().min(1).max(MAX_URL_LENGTH).meta({
  description:
    "Issuer of the provider, exactly as its discovery document has it. An https URL. Private addresses are refused unless `BURSAR_ALLOW_PRIVATE_TARGETS` allows them.",
});
const clientId = z
  .string()
  .min(1)
  .max(MAX_CLIENT_LENGTH)
  .regex(printable, "expected an id without spaces or line breaks")
  .meta({ description: "Client id that the provider gave to this server." });
const clientSecret = z
  .string()
  .min(1)
  .max(MAX_CLIENT_LENGTH)
  .regex(printable, "expected a secret without spaces or line breaks")
  .meta({
    format: "password",
    description: "Client secret of the provider. Stored encrypted and never shown again.",
  });
const domainPattern = new RegExp(`^${emailDomain.source}$`);
const allowedDomains = z
  .array(
    z
      .string()
      .trim()
      .toLowerCase()
      .max(MAX_EMAIL_LENGTH)
      .regex(domainPattern, "expected a domain such as example.com"),
  )
  .max(MAX_DOMAINS)
  .meta({
    description:
      "Domains of addresses that may sign in through the directory. Empty: no address may.",
  });
const isEnabled = z.boolean().meta({
  description: "True: people can sign in through the directory, which needs a `client_id`.",
});
const defaultRole = directoryRole.meta({
  description: "Role of a member whom a first sign-in creates.",
});
const secondFactor = z.enum(secondFactorRules).meta({
  description:
    "Second factor, where the organization requires one. `claims`: the provider's token must show it (`amr` or `acr`). `trusted`: each sign-in at the provider counts. `here`: the member's own second factor in Bursar.",
});
const claimName = z.string().trim().min(1).max(MAX_CLAIM_LENGTH);
const roleClaim = claimName.nullable().meta({
  description:
    "Claim with the roles of a person, such as `roles` or `realm_access.roles`. Null: no claim decides about roles.",
});
const groupClaim = claimName.nullable().meta({
  description:
    "Claim with the groups of a person, such as `groups`. Null: no claim decides about groups.",
});
const claimValue = z
  .string()
  .min(1)
  .max(MAX_VALUE_LENGTH)
  .meta({ description: "Value of the claim, compared exactly." });
const roleMapping = z.strictObject({ value: claimValue, role: directoryRole });
const groupMapping = z.strictObject({ value: claimValue, group_id: groupId });
const roleMappings = z.array(roleMapping).max(MAX_ROLE_MAPPINGS).meta({
  description:
    "Roles of values of `role_claim`. Each sign-in sets the first role of the list admin, developer, billing, user and claude_code_user that a value gives, else the default role. Owners keep theirs. Empty: no sign-in changes a role.",
});
const groupMappings = z.array(groupMapping).max(MAX_GROUP_MAPPINGS).meta({
  description:
    "Groups of values of `group_claim`. Each sign-in adds the person to them, and ends memberships that the claim no longer states. Memberships by hand and by SCIM stay.",
});

export const directory = z
  .object({
    id: directoryId,
    type: z.literal("directory"),
    name: z.string(),
    issuer: z.string(),
    client_id: z.string().nullable(),
    has_client_secret: z.boolean(),
    is_enabled: z.boolean(),
    allowed_domains: z.array(z.string()),
    default_role: directoryRole,
    second_factor: z.enum(secondFactorRules),
    role_claim: roleClaim,
    role_mappings: z.array(z.object({ value: z.string(), role: directoryRole })),
    group_claim: groupClaim,
    group_mappings: z.array(z.object({ value: z.string(), group_id: groupId })),
    redirect_uri: z
      .string()
      .meta({ description: "Redirect URI of this server, to enter at the provider." }),
    logout_uri: z.string().meta({
      description:
        "Back-channel logout URI of this server. Enter it at a provider that reports logouts.",
    }),
    scim_uri: z
      .string()
      .meta({ description: "Base URL of SCIM, to enter at the provider with a SCIM token." }),
    people: z
      .object({
        linked: count.meta({ description: "Members who sign in through the directory." }),
        provided: count.meta({ description: "Members whom the directory provides by SCIM." }),
      })
      .meta({ description: "Numbers of members, without removed ones." }),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: "Directory" });

const directoryTest = z.object({
  type: z.literal("directory_test"),
  is_usable: z.boolean(),
  fault: z
    .string()
    .nullable()
    .meta({ description: "Fault of the provider, which prevents sign-ins. Null: none." }),
  authorization_endpoint: z.string().nullable(),
  token_endpoint: z.string().nullable(),
  signing_algorithms: z
    .array(z.string())
    .meta({ description: "Algorithms of tokens that both the provider and this server support." }),
  signing_keys: z.int().min(0).meta({ description: "Number of the provider's public keys." }),
  has_issuer_parameter: z.boolean().meta({
    description: "The provider names itself in its responses (RFC 9207).",
  }),
  has_back_channel_logout: z.boolean(),
});

export const listDirectories = route({
  operationId: "listDirectories",
  method: "GET",
  path: "/v1/admin/directories",
  summary: "List directories",
  action: "directories:read",
  audited: null,
  query: z.strictObject({ ...pageCursorQuery }),
  response: pageCursor(directory),
});

export const createDirectory = route({
  operationId: "createDirectory",
  method: "POST",
  path: "/v1/admin/directories",
  summary: "Create a directory",
  description:
    "Register the `redirect_uri` of the response at the provider. Then set `client_id`, `client_secret` and `is_enabled`.",
  action: "directories:write",
  audited: "directory.created",
  stepUp: true,
  body: z.strictObject({
    name: nameText,
    issuer,
    client_id: clientId.nullable().default(null),
    client_secret: clientSecret.nullable().default(null),
    is_enabled: isEnabled.default(false),
    allowed_domains: allowedDomains.default([]),
    default_role: defaultRole.default("user"),
    second_factor: secondFactor.default("claims"),
    role_claim: roleClaim.default(null),
    role_mappings: roleMappings.default([]),
    group_claim: groupClaim.default(null),
    group_mappings: groupMappings.default([]),
  }),
  response: directory,
});

export const getDirectory = route({
  operationId: "getDirectory",
  method: "GET",
  path: "/v1/admin/directories/{directory_id}",
  summary: "Get a directory",
  action: "directories:read",
  audited: null,
  params: directoryParams,
  response: directory,
});

export const updateDirectory = route({
  operationId: "updateDirectory",
  method: "POST",
  path: "/v1/admin/directories/{directory_id}",
  summary: "Update a directory",
  description:
    "The issuer stays: it identifies people. For another provider, create another directory. A list of mappings replaces the stored list. Memberships of a group that is no longer mapped end at once.",
  action: "directories:write",
  audited: "directory.updated",
  stepUp: true,
  params: directoryParams,
  body: z.strictObject({
    name: nameText.optional(),
    client_id: clientId.nullable().optional(),
    client_secret: clientSecret.nullable().optional(),
    is_enabled: isEnabled.optional(),
    allowed_domains: allowedDomains.optional(),
    default_role: defaultRole.optional(),
    second_factor: secondFactor.optional(),
    role_claim: roleClaim.optional(),
    role_mappings: roleMappings.optional(),
    group_claim: groupClaim.optional(),
    group_mappings: groupMappings.optional(),
  }),
  response: directory,
});

const directoryPreview = z
  .object({
    type: z.literal("directory_preview"),
    linked: count.meta({ description: "Active members who sign in through the directory." }),
    refused: count.meta({
      description: "Members who can sign in through it now, and could not after the change.",
    }),
    refused_without_other_way: count.meta({
      description:
        "Refused members without a password, a passkey or another directory that they may use.",
    }),
    sessions: count.meta({
      description: "Sessions that it has started. A change keeps them, and a deletion ends them.",
    }),
    roles: z.array(z.object({ role: directoryRole, members: count })).meta({
      description: "Linked members by role, without Owners.",
    }),
    ended_memberships: z
      .array(z.object({ group_id: groupId, name: z.string(), members: count }))
      .meta({ description: "Groups from claims that lose members at once." }),
  })
  .meta({ id: "DirectoryPreview" });

export const previewDirectoryChange = route({
  operationId: "previewDirectoryChange",
  method: "POST",
  path: "/v1/admin/directories/{directory_id}/preview",
  summary: "Preview a change of a directory",
  description:
    "Counts the people whom the change would affect. Changes nothing. `is_enabled: false` and `group_claim: null` show a deletion.",
  action: "directories:write",
  audited: null,
  params: directoryParams,
  body: z.strictObject({
    is_enabled: isEnabled.optional(),
    allowed_domains: allowedDomains.optional(),
    group_claim: groupClaim.optional(),
    group_mappings: groupMappings.optional(),
  }),
  response: directoryPreview,
});

export const deleteDirectory = route({
  operationId: "deleteDirectory",
  method: "DELETE",
  path: "/v1/admin/directories/{directory_id}",
  summary: "Delete a directory",
  description:
    "Ends the sessions that the directory has started. Members stay, and sign in with a password or a passkey.",
  action: "directories:write",
  audited: "directory.deleted",
  stepUp: true,
  params: directoryParams,
  response: z.object({ id: directoryId, type: z.literal("directory_deleted") }),
});

export const testDirectory = route({
  operationId: "testDirectory",
  method: "POST",
  path: "/v1/admin/directories/{directory_id}/test",
  summary: "Test a directory",
  description: "Reads the discovery document and the public keys of the provider now.",
  action: "directories:write",
  audited: null,
  params: directoryParams,
  response: directoryTest,
});

export const directoryRoutes = [
  listDirectories,
  createDirectory,
  getDirectory,
  updateDirectory,
  previewDirectoryChange,
  deleteDirectory,
  testDirectory,
] as const;
