import { z } from "zod";
import { memberId, workspaceId } from "../ids.ts";
import { route } from "../route.ts";
import { memberStatuses } from "./members.ts";

// Things that name a member as responsible, and their hand-over to another member.

const memberParams = z.strictObject({ member_id: memberId });

export const ownedKinds = ["access_review", "alert_channel", "api_key", "admin_key"] as const;
export type OwnedKind = (typeof ownedKinds)[number];
const kind = z.enum(ownedKinds);

const duties = ["reviewer", "next_reviewer", "recipient", "contact"] as const;
const duty = z.enum(duties).meta({
  description:
    "`reviewer`: decides in an open access review. `next_reviewer`: decides in the next review of a series. `recipient`: gets the e-mail of an alert channel. `contact`: answers for a key that no member owns.",
});

const ownedThing = z
  .object({
    kind,
    duty,
    id: z.string(),
    name: z.string(),
    workspace_id: workspaceId.nullable().meta({ description: "Workspace of an API key." }),
  })
  .meta({ id: "OwnedThing" });

export type OwnedThing = z.output<typeof ownedThing>;

export const listOwnedThings = route({
  operationId: "listOwnedThings",
  method: "GET",
  path: "/v1/admin/members/{member_id}/owned",
  summary: "List things that a member is responsible for",
  description:
    "Sorted by kind and name, at most 5,000. Works for deactivated and removed members too. Kinds that the caller cannot change are omitted.",
  action: "members:write",
  audited: null,
  params: memberParams,
  response: z.object({ data: z.array(ownedThing) }),
});

export const handOverThings = route({
  operationId: "handOverThings",
  method: "POST",
  path: "/v1/admin/members/{member_id}/hand_over",
  summary: "Hand over the things of a member",
  description:
    "Makes another active member responsible for all things of `GET …/owned`, or those of `kinds`. All of them change, or none. The new reviewer of an open access review gets an e-mail. The new contact of a key gets no further rights.",
  action: "members:write",
  audited: "member.handed_over",
  stepUp: true,
  params: memberParams,
  body: z.strictObject({
    new_owner_id: memberId,
    kinds: z
      .array(kind)
      .min(1)
      .max(ownedKinds.length)
      .optional()
      .meta({ description: "Kinds to hand over. Omitted: all that the caller can change." }),
  }),
  response: z
    .object({
      type: z.literal("hand_over"),
      member_id: memberId,
      new_owner_id: memberId,
      things: z.array(ownedThing),
    })
    .meta({ id: "HandOver" }),
});

const leftBehind = z
  .object({
    type: z.literal("left_behind"),
    member_id: memberId,
    name: z.string(),
    email: z.string(),
    status: z.enum(memberStatuses),
    things: z.int().meta({ description: "Number of things without another owner." }),
  })
  .meta({ id: "LeftBehind" });

export const listLeftBehind = route({
  operationId: "listLeftBehind",
  method: "GET",
  path: "/v1/admin/left_behind",
  summary: "List members who left things behind",
  description: "Deactivated and removed members who are still responsible for things, by name.",
  action: "members:write",
  audited: null,
  response: z.object({ data: z.array(leftBehind) }),
});

export const ownedThingRoutes = [listOwnedThings, handOverThings, listLeftBehind] as const;
