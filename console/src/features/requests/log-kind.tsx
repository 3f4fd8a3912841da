import type { ReportSearch } from "../../kit/usage/search.ts";
import { Segments } from "../../ui/tabs.tsx";

interface LogKindProps {
  search: ReportSearch;
  onChange: (changed: ReportSearch) => void;
}

/** Selects requests that were sent to Claude, or those that this server refused. */
export function LogKind({ search, onChange }: LogKindProps) {
  return (
    <Segments
      label="Requests"
      value={search.refused ? "refused" : "sent"}
      options={[
        ["sent", "Sent"],
        ["refused", "Refused"],
      ]}
      onChange={(kind) =>
        onChange({ refused: kind === "refused" ? true : undefined, code: undefined })
      }
    />
  );
}
