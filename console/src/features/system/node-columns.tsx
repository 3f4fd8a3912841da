import { Money } from "../../ui/amounts.tsx";
import { Badge } from "../../ui/badge.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import type { Column } from "../../ui/table.tsx";
import type { Answer } from "./queries.ts";

type Node = Answer["nodes"][number];

export function makeNodeColumns(): Column<Node>[] {
  return [
    {
      id: "id",
      header: "Node",
      cell: (node) => (
        <span className="flex max-w-72 flex-wrap items-center gap-x-2">
          <code className="truncate">{node.id}</code>
          {node.is_this_one && <Badge>current</Badge>}
        </span>
      ),
    },
    {
      id: "state",
      header: "State",
      cell: (node) => (
        <Badge tone={node.is_silent ? "plain" : "good"}>
          {node.is_silent ? "Silent" : "Running"}
        </Badge>
      ),
    },
    { id: "version", header: "Version", from: "sm", cell: (node) => node.version },
    {
      id: "started",
      header: "Started",
      from: "xl",
      cell: (node) => <RelativeTime at={node.started_at} />,
    },
    {
      id: "seen",
      header: "Last contact",
      from: "sm",
      cell: (node) => <RelativeTime at={node.last_seen_at} />,
    },
    {
      id: "journal",
      header: "Journal",
      from: "xl",
      cell: (node) => (node.journal === "disk" ? "Disk" : "Database"),
    },
    { id: "epoch", header: "Epoch", from: "xl", isNumeric: true, cell: (node) => node.epoch },
    {
      id: "leased",
      header: "Leased",
      from: "sm",
      isNumeric: true,
      cell: (node) => <Money usd={node.leased_usd} />,
    },
    {
      id: "unresolved",
      header: "Unresolved",
      from: "lg",
      isNumeric: true,
      cell: (node) => <Money usd={node.unresolved_usd} />,
    },
  ];
}
