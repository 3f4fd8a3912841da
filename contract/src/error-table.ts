import { errorCodes } from "./errors.ts";

/** The closed list as a table in Markdown, for the reference page and the guide. */
export function errorCodeTable(): string {
  const rows = Object.entries(errorCodes).map(([code, cause]) => {
    const facts = "facts" in cause ? cause.facts.map((name) => `\`${name}\``).join(", ") : "";
    return `| \`${code}\` | ${cause.status} | ${cause.meaning} | ${facts} |`;
  });
  return ["| code | status | meaning | facts |", "|---|---|---|---|", ...rows].join("\n");
}
