import { Link } from "@tanstack/react-router";
import { formatPlural } from "../../ui/format.ts";
import type { ReportSearch } from "./search.ts";

interface NotedCounts {
  unpriced_requests: number;
  partly_unbilled_requests: number;
}

interface CostNotesProps {
  counts: NotedCounts;
  /** Requests that are counted. */
  search: ReportSearch;
}

/** Requests whose cost is estimated, or lacks a part. */
export function CostNotes({ counts, search }: CostNotesProps) {
  const { unpriced_requests, partly_unbilled_requests } = counts;
  return (
    <>
      {unpriced_requests > 0 && (
        <span className="block text-warn">
          {formatPlural(unpriced_requests, "request")} used unpriced models, estimated at the
          highest rate
        </span>
      )}
      {partly_unbilled_requests > 0 && (
        <span className="block text-warn">
          <Link to="/requests" search={{ ...search, unbilled: true }} className="link">
            {formatPlural(partly_unbilled_requests, "request")}
          </Link>{" "}
          had parts billed by time that are not in this cost
        </span>
      )}
    </>
  );
}

export function hasCostNotes({ unpriced_requests, partly_unbilled_requests }: NotedCounts) {
  return unpriced_requests > 0 || partly_unbilled_requests > 0;
}
