import { Link } from "@tanstack/react-router";
import { useApi } from "../../queries.ts";
import { formatCount } from "../../ui/format.ts";
import { nameCause } from "./refusal-words.ts";

/** Causes in the line. */
const SHOWN = 3;
const REFRESH_MS = 30_000;

/** Refused requests of a key in the last 24 hours with their causes, and a link to them. Nothing without refusals. */
export function RefusedLine({ apiKeyId }: { apiKeyId: string }) {
  const query = { api_key_id: [apiKeyId], group_by: ["error_code" as const], limit: SHOWN };
  const counts = useApi("getRefusals", { query }, { everyMs: REFRESH_MS });
  if (!counts.data || counts.data.totals.requests === 0) return null;
  const { data: rows, totals } = counts.data;
  const rest = totals.requests - rows.reduce((sum, { requests }) => sum + requests, 0);
  const causes = rows.map(
    ({ error_code, requests }) =>
      `${nameCause(error_code ?? "unknown").toLowerCase()} ${formatCount(requests)}`,
  );
  if (rest > 0) causes.push(`others ${formatCount(rest)}`);
  return (
    <p className="text-sm">
      <Link to="/requests" search={{ refused: true, key: [apiKeyId] }} className="link">
        {formatCount(totals.requests)} {totals.requests === 1 ? "refusal" : "refusals"}
      </Link>{" "}
      in the last 24 hours: {causes.join(", ")}
    </p>
  );
}
