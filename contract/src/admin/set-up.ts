import { z } from "zod";
import { emailAddress, nameText, timestamp } from "../fields.ts";
import { memberId } from "../ids.ts";
import { route } from "../route.ts";
import { newPassword } from "./sign-in.ts";

// How the first owner comes about, and how an owner is let in again: on the server's own machine alone.

const link = z.object({
  url: z.string().meta({ description: "Works once; shown this once." }),
  expires_at: timestamp,
});

export const getSetUp = route({
  operationId: "getSetUp",
  method: "GET",
  path: "/v1/admin/setup",
  summary: "Whether set-up is open",
  description: "It is until the organization has an owner, and never again.",
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
    "With the token of the one-time link that the server printed when it started. Signs the owner in.",
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
  summary: "Make a set-up link",
  description: "Good for an hour. Those made before go on working until they expire.",
  action: "owners:recover",
  audited: "set_up_link.created",
  response: link,
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
  summary: "Let an owner in again",
  description: "Makes a one-time link to set a new password; can remove the second factor too.",
  action: "owners:recover",
  audited: "owner.reset",
  body: z.strictObject({ email: emailAddress, remove_two_factor: z.boolean().default(false) }),
  response: link,
});

export const setUpRoutes = [getSetUp, setUp, createSetUpLink, listOwners, resetOwner] as const;
