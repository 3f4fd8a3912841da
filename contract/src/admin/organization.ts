import { z } from "zod";
import { lineText, nameText, tagName, timestamp } from "../fields.ts";
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

const billingGroupTag =
  "Name of the tag whose value a person chooses in Claude Code, such as `cost_center`. The value counts if one of the " +
  "person's groups has this name. The tag then replaces that of the workspace or key. Other values change nothing. Null: no tag.";

/** Claude Code shows no more. */
const MAX_LOGIN_NOTICE_LENGTH = 500;
const loginNotice =
  "Text of the company that Claude Code shows beside the code of a sign-in: one line. Null: no text.";

/** Company shape. */
export const organizationSettings = z
  .object({
    id: organizationId,
    type: z.literal("organization_settings"),
    name: z.string(),
    created_at: timestamp,
    billing_group_tag: z.string().nullable().meta({ description: billingGroupTag }),
    login_notice: z.string().nullable().meta({ description: loginNotice }),
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
  summary: "Update the organization",
  description:
    "`name` changes the name in the console, in invites and in messages. `billing_group_tag` applies to a laptop from its next " +
    "access token on, within an hour. `login_notice` applies to the next sign-in. Omitted fields stay the same.",
  action: "organization:write",
  audited: "organization.updated",
  body: z.strictObject({
    name: nameText.optional(),
    billing_group_tag: tagName.nullable().optional().meta({ description: billingGroupTag }),
    login_notice: lineText(MAX_LOGIN_NOTICE_LENGTH)
      .nullable()
      .optional()
      .meta({ description: loginNotice }),
  }),
  response: organizationSettings,
});

export const organizationRoutes = [
  getOrganization,
  getOrganizationSettings,
  updateOrganization,
] as const;
