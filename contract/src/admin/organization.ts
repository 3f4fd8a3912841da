import { z } from "zod";
import { nameText, timestamp } from "../fields.ts";
import { organizationId, workspaceId } from "../ids.ts";
import { route } from "../route.ts";

/** Official shape. */
export const organization = z
  .object({ id: organizationId, name: z.string(), type: z.literal("organization") })
  .meta({ id: "Organization" });

export const getOrganization = route({
  operationId: "getOrganization",
  method: "GET",
  path: "/v1/organizations/me",
  summary: "Get the organization",
  action: "organization:read",
  audited: null,
  response: organization,
});

/** Company shape. */
export const organizationSettings = z
  .object({
    id: organizationId,
    type: z.literal("organization_settings"),
    name: z.string(),
    created_at: timestamp,
    default_workspace: z
      .object({ id: workspaceId, name: z.string() })
      .nullable()
      .meta({ description: "The permanent workspace. Null: the caller cannot see it." }),
  })
  .meta({ id: "OrganizationSettings" });

export const getOrganizationSettings = route({
  operationId: "getOrganizationSettings",
  method: "GET",
  path: "/v1/admin/organization",
  summary: "Get the organization's settings",
  action: "organization:read",
  audited: null,
  response: organizationSettings,
});

export const updateOrganization = route({
  operationId: "updateOrganization",
  method: "POST",
  path: "/v1/admin/organization",
  summary: "Rename the organization",
  description:
    "Changes the name in the console, in invites and in messages. The id stays the same.",
  action: "organization:write",
  audited: "organization.updated",
  body: z.strictObject({ name: nameText }),
  response: organizationSettings,
});

export const organizationRoutes = [
  getOrganization,
  getOrganizationSettings,
  updateOrganization,
] as const;
