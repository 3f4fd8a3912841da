import type { Answer } from "../../api-client.ts";
import { describeRecentRequests, listNames } from "../../kit/consequences/sentences.ts";
import { describeStoppedPersonalKeys } from "../../kit/members/member-access.ts";
import { formatPlural } from "../../ui/format.ts";

type Preview = Pick<
  Answer<"previewMemberRemoval">,
  "api_keys" | "workspaces" | "groups" | "invites"
>;

interface Devices {
  /** Undefined: unknown. */
  sessions: number | undefined;
  laptops: number | undefined;
}

/** Sessions and laptops that end with a sign-out. */
export function describeSignOut({ sessions, laptops }: Devices): string[] {
  return [
    ...(sessions === undefined
      ? []
      : [
          sessions === 0
            ? "No session is open."
            : formatPlural(sessions, "session ends.", "sessions end."),
        ]),
    ...(laptops === undefined || laptops === 0
      ? []
      : [
          formatPlural(
            laptops,
            "laptop of Claude Code is signed out.",
            "laptops of Claude Code are signed out.",
          ),
        ]),
  ];
}

interface Ending extends Devices {
  /** Undefined: unknown. */
  preview: Preview | undefined;
  /** Requests of the member's keys in the last hour. Undefined: unknown. */
  requests: number | undefined;
  /** Things that name the member as responsible. Undefined: unknown. */
  ownedThings: number | undefined;
}

/** Effects of a deactivation or a removal. */
export function describeEnding(ending: Ending): string[] {
  const { preview, requests, ownedThings = 0 } = ending;
  return [
    ...describeSignOut(ending),
    ...(preview ? describePreview(preview, requests) : []),
    ...(ownedThings === 0
      ? []
      : [
          `The member stays named on ${formatPlural(ownedThings, "thing")}, such as reviews and channels. Hand them over on the member’s page.`,
        ]),
  ];
}

function describePreview(preview: Preview, requests: number | undefined): string[] {
  const { api_keys, workspaces, groups, invites } = preview;
  const hasKeys = api_keys.length > 0;
  return [
    describeStoppedPersonalKeys(api_keys),
    ...(hasKeys && requests !== undefined ? [describeRecentRequests(requests)] : []),
    ...(workspaces.length === 0
      ? []
      : [
          `Roles in ${formatPlural(workspaces.length, "workspace")} end: ${listNames(workspaces.map(({ name }) => name))}.`,
        ]),
    ...(groups.length === 0
      ? []
      : [
          `${formatPlural(groups.length, "membership in a group ends", "memberships in groups end")}: ${listNames(groups.map(({ name }) => name))}.`,
        ]),
    ...(invites.length === 0
      ? []
      : [formatPlural(invites.length, "pending invite ends.", "pending invites end.")]),
  ];
}
