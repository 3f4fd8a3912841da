import { z } from "zod";
import { emailAddress, nameText, shownOnce, timestamp } from "../fields.ts";
import { memberId } from "../ids.ts";
import { route } from "../route.ts";
import { newPassword } from "./sign-in.ts";

// Routes that create the first owner, and that restore an owner's access. The links come from the server's own machine.

/** Link that sets a password. */
export const oneTimeLink = z.object({
  url: z.string().meta({ description: "Works once. Shown once.", ...shownOnce }),
  expires_at: timestamp,
});

export const getSetUp = route({
  operationId: "getSetUp",
  method: "GET",
  path: "/v1/admin/setup",
  summary: "Get the state of set-up",
  description: "Set-up is open until the organization has an owner, and never again.",
  action: "public",
  audited: null,
  response: z.object({ type: z.literal("setup"), is_open: z.boolean() }),
});

export const setUp = route({
  operationId: "setUp",
  method: "POST",
  path: "/v1/admin/setup",
  summary: "Create the owner",
  description:
    "Creates the first owner with the token of the one-time link that the server printed at its start. Signs the owner in.",
  action: "public",
  audited: "organization.set_up",
  body: z.strictObject({
    token: z.string().min(1).max(200),
    name: nameText,
    email: emailAddress,
    password: newPassword,
    organization_name: nameText.optional(),
  }),
  response: z.object({ type: z.literal("signed_in"), member_id: memberId }),
});

export const createSetUpLink = route({
  operationId: "createSetUpLink",
  method: "POST",
  path: "/v1/admin/setup/link",
  summary: "Create a set-up link",
  description: "Valid for an hour. Earlier links work until they expire.",
  action: "owners:recover",
  audited: "set_up_link.created",
  response: oneTimeLink,
});

const owner = z.object({
  id: memberId,
  type: z.literal("owner"),
  email: z.string(),
  name: z.string(),
  status: z.enum(["active", "deactivated"]),
  has_two_factor: z.boolean(),
  last_active_at: timestamp.nullable(),
});

export const listOwners = route({
  operationId: "listOwners",
  method: "GET",
  path: "/v1/admin/owners",
  summary: "List owners",
  action: "owners:recover",
  audited: null,
  response: z.object({ data: z.array(owner) }),
});

export const resetOwner = route({
  operationId: "resetOwner",
  method: "POST",
  path: "/v1/admin/owners/reset",
  summary: "Reset the sign-in of an owner",
  description: "Creates a one-time link to set a new password. Can also remove the second factor.",
  action: "owners:recover",
  audited: "owner.reset",
  body: z.strictObject({ email: emailAddress, remove_two_factor: z.boolean().default(false) }),
  response: oneTimeLink,
});

export const setUpRoutes = [getSetUp, setUp, createSetUpLink, listOwners, resetOwner] as const;
