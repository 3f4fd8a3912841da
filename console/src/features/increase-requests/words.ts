import type { Tone } from "../../ui/badge.tsx";
import type { IncreaseRequest } from "./queries.ts";

export const statusTones: Record<IncreaseRequest["status"], Tone> = {
  pending: "accent",
  approved: "good",
  denied: "bad",
  withdrawn: "plain",
};

/** Name of the limit's scope, to follow "the limit of". */
export function describeScope({ scope, scope_name }: IncreaseRequest): string {
  switch (scope.type) {
    case "organization":
      return "the whole company";
    case "workspace":
      return scope_name;
    case "api_key":
      return `key ${scope_name}`;
    case "member":
      return `the person ${scope_name}`;
    case "group":
      return `group ${scope_name}`;
    case "tag":
      return `tag ${scope_name}`;
    case "group_member":
      return `each member of ${scope_name}`;
  }
}

export function formatActor(
  person: IncreaseRequest["requester"] | IncreaseRequest["resolved_by"],
): string {
  if (!person) return "";
  const name = person.name ?? person.email ?? person.id;
  return person.type === "api_key" && person.email ? `${name} (key of ${person.email})` : name;
}
