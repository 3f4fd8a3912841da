import { errorCodes } from "./errors.ts";

const causes = Object.entries(errorCodes).map(([code, cause]) => ({
  code: `\`${code}\``,
  status: cause.status,
  meaning: cause.meaning,
  facts: "facts" in cause ? cause.facts.map((name) => `\`${name}\``).join(", ") : "",
}));

/** All error codes as a table in Markdown, for the guide. */
export function renderErrorCodeTable(): string {
  const rows = causes.map(
    ({ code, status, meaning, facts }) => `| ${code} | ${status} | ${meaning} | ${facts} |`,
  );
  return ["| code | status | meaning | facts |", "|---|---|---|---|", ...rows].join("\n");
}

/** All error codes by status, for the reference page: its columns are too narrow for a table. */
export function renderErrorCodeLists(): string {
  const byStatus = [...Map.groupBy(causes, ({ status }) => status)].toSorted(([a], [b]) => a - b);
  const lists = byStatus.map(([status, group]) => {
    const lines = group.map(
      ({ code, meaning, facts }) =>
        `- ${code}: ${meaning}${facts === "" ? "" : ` Facts: ${facts}.`}`,
    );
    return `**${status}**\n\n${lines.join("\n")}`;
  });
  return lists.join("\n\n");
}
