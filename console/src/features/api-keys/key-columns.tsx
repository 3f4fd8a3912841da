import { Link } from "@tanstack/react-router";
import { stateOf, toneOf, warningsOf } from "../../kit/api-keys/key-state.ts";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { DelayedBadge } from "../../kit/delayed-change/delayed-badge.tsx";
import { MarkedMoney } from "../../kit/usage/simulated.tsx";
import { WorkspaceLink } from "../../kit/workspaces/workspace-link.tsx";
import { Badge } from "../../ui/badge.tsx";
import { classNames } from "../../ui/class-names.ts";
import { formatUsd, shareOf, toNanoUsd } from "../../ui/format.ts";
import { RelativeTime } from "../../ui/relative-time.tsx";
import type { Column } from "../../ui/table.tsx";
import { useNow } from "../../ui/use-now.ts";
import { TrendCell } from "./trend-cell.tsx";
import { permissionWords, strongest } from "./words.ts";

/** Badges with the state and the issues of a key. */
export function KeyBadges({ apiKey }: { apiKey: ApiKey }) {
  const nowMs = useNow();
  const state = stateOf(apiKey);
  return (
    <span className="inline-flex flex-wrap gap-1 max-sm:inline-grid max-sm:justify-items-start">
      <Badge tone={toneOf(state)}>{state}</Badge>
      <DelayedBadge subject={apiKey.id} />
      {warningsOf(apiKey, nowMs).map(({ tone, text }) => (
        <Badge key={text} tone={tone}>
          {text}
        </Badge>
      ))}
    </span>
  );
}

interface ColumnOptions {
  isOneWorkspace: boolean;
  /** Whether the member can see the usage of keys. */
  hasTrends: boolean;
  /** Simulated part of the spend of this month, nano-dollars by key. */
  simulated: ReadonlyMap<string, bigint>;
}

export function makeColumns({
  isOneWorkspace,
  hasTrends,
  simulated,
}: ColumnOptions): Column<ApiKey>[] {
  return [
    nameColumn,
    ...(isOneWorkspace ? [] : [workspaceColumn]),
    ownerColumn,
    permissionColumn,
    statusColumn,
    makeSpentColumn(simulated),
    ...(hasTrends ? [trendColumn] : []),
    ...timeColumns,
  ];
}

const nameColumn: Column<ApiKey> = {
  id: "name",
  header: "Name",
  sortBy: (key) => key.name,
  cell: (key) => (
    <span className="grid min-w-24 min-[1440px]:min-w-48">
      <Link
        to="/api-keys/$keyId"
        params={{ keyId: key.id }}
        className="max-w-72 truncate font-medium after:absolute after:inset-0 focus-visible:outline-offset-0"
      >
        {key.name}
      </Link>
      <code className="truncate text-xs text-quiet">{key.partial_key_hint}</code>
    </span>
  ),
};

const workspaceColumn: Column<ApiKey> = {
  id: "workspace",
  header: "Workspace",
  from: "sm",
  isBelow: true,
  cell: (key) => (
    <span className="relative z-10 block max-w-44">
      <WorkspaceLink id={key.workspace_id} />
    </span>
  ),
};

const ownerColumn: Column<ApiKey> = {
  id: "owner",
  header: "Owner",
  from: "xl",
  sortBy: (key) => (key.owner.type === "member" ? key.owner.name : ""),
  cell: (key) => (
    <span className="grid min-[1440px]:min-w-28">
      {key.owner.type === "member" ? (
        <span className="block max-w-36 truncate">{key.owner.name}</span>
      ) : (
        <span className="text-quiet">Workspace</span>
      )}
      <span className="text-xs text-quiet">
        {permissionWords[strongest(key.permissions)].label}
      </span>
    </span>
  ),
};

const permissionColumn: Column<ApiKey> = {
  id: "permission",
  header: "Permission",
  isOptional: true,
  sortBy: (key) => strongest(key.permissions),
  cell: (key) => permissionWords[strongest(key.permissions)].label,
};

const statusColumn: Column<ApiKey> = {
  id: "status",
  header: "Status",
  sortBy: (key) => stateOf(key),
  cell: (key) => <KeyBadges apiKey={key} />,
};

const makeSpentColumn = (simulated: ColumnOptions["simulated"]): Column<ApiKey> => ({
  id: "spent",
  header: "Month, UTC",
  isNumeric: true,
  from: "sm",
  isBelow: true,
  belowLabel: "Month",
  sortBy: (key) => toNanoUsd(key.spent_month_usd),
  cell: (key) => <SpentCell apiKey={key} simulatedNano={simulated.get(key.id) ?? 0n} />,
});

const NEAR = 0.75;
const CLOSE = 0.9;

/** Spend of the month, with its share of the key's own monthly limit. */
function SpentCell({ apiKey, simulatedNano }: { apiKey: ApiKey; simulatedNano: bigint }) {
  const { spent_month_usd: spent, monthly_limit_usd: limit } = apiKey;
  const money = <MarkedMoney usd={spent} partNano={simulatedNano} />;
  if (limit === null) return money;
  const share = limit === 0 ? 1 : shareOf(spent, String(limit));
  const tone = share >= CLOSE ? "text-bad" : share >= NEAR ? "text-warn" : "text-quiet";
  return (
    <span className="inline-grid justify-items-end max-sm:inline-flex max-sm:gap-1.5">
      {money}{" "}
      <span className={classNames("text-xs whitespace-nowrap", tone)}>
        {Math.floor(share * 100)}% of {formatUsd(String(limit))}
      </span>
    </span>
  );
}

const trendColumn: Column<ApiKey> = {
  id: "trend",
  header: "14 days",
  isNumeric: true,
  isWhole: true,
  from: "xl",
  cell: (key) => <TrendCell apiKeyId={key.id} />,
};

const timeColumns: Column<ApiKey>[] = [
  {
    id: "used",
    header: "Last used",
    isNumeric: true,
    from: "sm",
    sortBy: (key) => key.last_used?.at ?? "",
    cell: (key) => (
      <span className="relative z-10">
        <RelativeTime at={key.last_used?.at} />
      </span>
    ),
  },
  {
    id: "expires",
    header: "Expires",
    isNumeric: true,
    from: "xl",
    sortBy: (key) => key.expires_at ?? "9999",
    cell: (key) => (
      <span className="relative z-10">
        <RelativeTime at={key.expires_at} absent="Never" />
      </span>
    ),
  },
  {
    id: "created_at",
    header: "Created",
    isNumeric: true,
    isOptional: true,
    sortBy: (key) => key.created_at,
    cell: (key) => (
      <span className="relative z-10">
        <RelativeTime at={key.created_at} />
      </span>
    ),
  },
];
