import { z } from "zod";
import { timestamp } from "../fields.ts";
import { directoryId, memberId } from "../ids.ts";
import { route } from "../route.ts";

// Links between members and people of directories.

const linkedDirectory = z
  .object({
    directory_id: directoryId,
    type: z.literal("linked_directory"),
    name: z.string(),
    is_enabled: z.boolean().meta({ description: "True: the member can sign in through it." }),
    is_managing: z.boolean().meta({
      description:
        "True: claims of the directory decide about the member's role or groups at each sign-in.",
    }),
    sets_role: z.boolean().meta({
      description: "True: claims of the directory set the member's role at each sign-in.",
    }),
    linked_at: timestamp,
    last_used_at: timestamp.meta({ description: "Last sign-in through the directory." }),
  })
  .meta({ id: "LinkedDirectory" });

const list = z.object({ data: z.array(linkedDirectory) });
const unlinked = z.object({ directory_id: directoryId, type: z.literal("directory_unlinked") });
const ownParams = z.strictObject({ linked_directory_id: directoryId });
const memberParams = z.strictObject({ member_id: memberId });

export const listLinkedDirectories = route({
  operationId: "listLinkedDirectories",
  method: "GET",
  path: "/v1/admin/linked_directories",
  summary: "List the member's own linked directories",
  action: "self:read",
  audited: null,
  response: list,
});

export const unlinkDirectory = route({
  operationId: "unlinkDirectory",
  method: "DELETE",
  path: "/v1/admin/linked_directories/{linked_directory_id}",
  summary: "Unlink a directory from your own account",
  description:
    "Ends the sessions that the directory started, this one too. Refused without another way to sign in, and for a directory whose claims decide about role or groups.",
  action: "self:write",
  audited: "directory.unlinked",
  stepUp: true,
  params: ownParams,
  response: unlinked,
});

export const listMemberDirectories = route({
  operationId: "listMemberDirectories",
  method: "GET",
  path: "/v1/admin/members/{member_id}/linked_directories",
  summary: "List linked directories of a member",
  action: "members:read",
  audited: null,
  params: memberParams,
  response: list,
});

export const unlinkMemberDirectory = route({
  operationId: "unlinkMemberDirectory",
  method: "DELETE",
  path: "/v1/admin/members/{member_id}/linked_directories/{linked_directory_id}",
  summary: "Unlink a directory from a member",
  description:
    "Ends the sessions that the directory started. Memberships of its claims stay, as memberships by hand. At the next sign-in the person confirms a new link.",
  action: "members:write",
  audited: "directory.unlinked",
  params: memberParams.extend(ownParams.shape),
  response: unlinked,
});

export const linkedDirectoryRoutes = [
  listLinkedDirectories,
  unlinkDirectory,
  listMemberDirectories,
  unlinkMemberDirectory,
] as const;
