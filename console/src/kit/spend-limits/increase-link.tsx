import { Link } from "@tanstack/react-router";
import { type CountedScope, findScopeId } from "../scopes/scope.ts";
import type { Period } from "./words.ts";

/** Link to a new request for a higher limit of the scope. */
export function IncreaseLink({ scope, period }: { scope: CountedScope; period: Period }) {
  const id = findScopeId(scope);
  return (
    <Link
      to="/increase-requests/new"
      search={{ scope: scope.type, ...(id !== null && { id }), period }}
      className="link target"
    >
      Request increase
    </Link>
  );
}
