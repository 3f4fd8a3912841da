import { z } from "zod";
import { route } from "../route.ts";

export const groupLimitModes = ["highest", "lowest"] as const;

const mode = z.enum(groupLimitModes).meta({
  description:
    "The default caps and rates of a member of several groups: the highest or the lowest of their defaults.",
});

export const groupLimitMode = z
  .object({ type: z.literal("group_limit_mode"), mode })
  .meta({ id: "GroupLimitMode" });

export const getGroupLimitMode = route({
  operationId: "getGroupLimitMode",
  method: "GET",
  path: "/v1/admin/group_limit_mode",
  summary: "Get the default cap of members of several groups",
  action: "spend_limits:read",
  audited: null,
  response: groupLimitMode,
});

export const setGroupLimitMode = route({
  operationId: "setGroupLimitMode",
  method: "POST",
  path: "/v1/admin/group_limit_mode",
  summary: "Set the default cap of members of several groups",
  description:
    "Changes the caps and rates of all members of several groups at once. A change of rates needs the right to set rate limits. A change is refused if it raises a default cap that a higher rank has set. Needs an admin key or the role Owner, Admin or Billing.",
  action: "spend_limits:write",
  audited: "group_limit_mode.set",
  stepUp: "if_wider",
  body: z.strictObject({ mode }),
  response: groupLimitMode,
});
