import type { Input } from "../../api-client.ts";
import type { Scope } from "./scope.ts";

type UsageQuery = NonNullable<Input<"getUsage">["query"]>;
export type UsageFilter = Pick<
  UsageQuery,
  "api_key_id" | "workspace_id" | "member_id" | "group_id" | "tag_id"
>;

/** Filter of reports for the requests of a scope. Null: each member of a group alone. */
export function toUsageFilter(scope: Scope): UsageFilter | null {
  switch (scope.type) {
    case "organization":
      return {};
    case "workspace":
      return { workspace_id: [scope.workspace_id] };
    case "api_key":
      return { api_key_id: [scope.api_key_id] };
    case "member":
      return { member_id: [scope.member_id] };
    case "group":
      return { group_id: [scope.group_id] };
    case "tag":
      return { tag_id: [scope.tag_id] };
    case "group_member":
      return null;
  }
}
