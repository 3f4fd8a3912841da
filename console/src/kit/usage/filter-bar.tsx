import { SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import { SlidersHorizontal } from "lucide-react";
import { useState } from "react";
import { useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { ColorDot } from "../../ui/color-dot.tsx";
import { Filter } from "../../ui/combobox.tsx";
import { DayInput } from "../../ui/day-input.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { useMembers } from "../members/queries.ts";
import { useWorkspaces } from "../workspaces/queries.ts";
import type { RangeName } from "./range.ts";
import type { Within } from "./report-input.ts";
import { type FilterName, filterNames, type ReportFilters, type ReportSearch } from "./search.ts";
import { useTags } from "./tags.ts";
import { groupWords, statusWords } from "./words.ts";

interface BarProps {
  search: ReportSearch;
  onChange: (changed: ReportSearch) => void;
  within?: Within;
}

export const rangeWords: Record<RangeName, string> = {
  "1h": "1 hour",
  "24h": "24 h",
  "7d": "7 days",
  "30d": "30 days",
  month: "This month",
  last_month: "Last month",
  custom: "Days…",
};

interface RangeBarProps extends Pick<BarProps, "search" | "onChange"> {
  /** Range of an address without one. Null: any time. */
  fallback: RangeName | null;
}

/** Selects the range. A new range ends the drill-down and the live view. */
export function RangeBar({ search, onChange, fallback }: RangeBarProps) {
  const isOwn = search.live !== undefined || search.at !== undefined;
  const chosen = isOwn ? null : (search.range ?? fallback);
  const options = Object.entries(rangeWords) as [RangeName, string][];
  return (
    <>
      <div className="max-w-full overflow-x-auto">
        <Segments<RangeName | "any" | "own">
          label="Range"
          value={chosen ?? (isOwn ? "own" : "any")}
          options={fallback === null ? [["any", "Any time"], ...options] : options}
          onChange={(range) =>
            onChange({
              ...withoutTimes,
              range: range === "any" || range === "own" ? (undefined as never) : range,
            })
          }
        />
      </div>
      {!isOwn && search.range === "custom" && <CustomDays search={search} onChange={onChange} />}
    </>
  );
}

/** Undefined removes a field from the address. */
const withoutTimes: ReportSearch = { at: undefined, live: undefined };

function CustomDays({ search, onChange }: Pick<BarProps, "search" | "onChange">) {
  return (
    <span className="flex items-center gap-2 text-sm">
      <DayInput
        label="First day, UTC"
        value={search.from ?? ""}
        max={search.to}
        onDay={(from) => onChange({ from })}
        className="w-36"
      />
      <span className="text-quiet">to</span>
      <DayInput
        label="Last day, UTC"
        value={search.to ?? ""}
        min={search.from}
        onDay={(to) => onChange({ to })}
        className="w-36"
      />
      <span className="text-quiet">UTC</span>
    </span>
  );
}

/** Rare filters. "More filters" hides them until one is set. */
const rare = [
  "member",
  "group",
  "tag",
  "status",
  "client",
  "service_tier",
  "context_window",
  "inference_geo",
  "speed",
] as const;
type RareName = (typeof rare)[number];

const known: Record<Exclude<RareName, "member" | "group" | "tag">, readonly string[]> = {
  status: Object.keys(statusWords),
  client: [
    "claude-code",
    "claude-agent-sdk",
    "anthropic-python",
    "anthropic-typescript",
    "anthropic-go",
    "anthropic-java",
    "anthropic-ruby",
    "anthropic-csharp",
    "anthropic-php",
    "openai-python",
    "openai-typescript",
    "openai-go",
    "openai-java",
    "openai-ruby",
    "vercel-ai",
    "langchain",
    "llama-index",
    "pydantic-ai",
    "litellm",
    "curl",
    "wget",
    "postman",
    "python-requests",
    "python-httpx",
    "python-aiohttp",
    "axios",
    "node",
    "go-http",
    "java-http",
    "browser",
    "other",
    "unknown",
  ],
  service_tier: ["standard", "priority", "batch", SIMULATED_TIER],
  context_window: ["0-200k", "200k-1M"],
  inference_geo: ["global", "us", "not_available"],
  speed: ["standard", "fast"],
};

/** Number of filters with a value. */
export function countFilters(search: ReportSearch): number {
  return [...filterNames, "without" as const].filter((name) => search[name] !== undefined).length;
}

/** Filters by workspace, key, model and other labels. The address has all of them. */
export function FilterBar({ search, onChange, within = {} }: BarProps) {
  const isRareSet = [...rare, "without" as const].some((name) => search[name] !== undefined);
  const [isMore, setIsMore] = useState(isRareSet);
  const isSet = countFilters(search) > 0;
  return (
    <>
      <PlaceFilters search={search} onChange={onChange} within={within} />
      <Button
        kind="quiet"
        aria-expanded={isMore || isRareSet}
        onClick={() => setIsMore(!isMore)}
        disabled={isRareSet}
      >
        <SlidersHorizontal size={15} /> More filters
      </Button>
      {isSet && (
        <Button kind="quiet" onClick={() => onChange(noFilters)}>
          Clear filters
        </Button>
      )}
      {(isMore || isRareSet) && (
        <div className="flex w-full flex-wrap gap-2.5">
          <MemberFilter search={search} onChange={onChange} />
          <GroupFilter search={search} onChange={onChange} />
          <TagFilter search={search} onChange={onChange} />
          {rare.map((name) =>
            name === "member" || name === "group" || name === "tag" ? null : (
              <Filter
                key={name}
                label={groupWords[name]}
                values={search[name] ?? []}
                onChange={(values) => onChange(toChange(name, values))}
                options={addSelected(
                  known[name].map((value) => ({
                    value,
                    label: name === "status" ? (statusWords[value] ?? value) : value,
                  })),
                  search[name],
                )}
              />
            ),
          )}
        </div>
      )}
    </>
  );
}

/** Filters by workspace, key and model. */
export function PlaceFilters({ search, onChange, within = {} }: BarProps) {
  return (
    <>
      {within.workspaceId === undefined && <WorkspaceFilter search={search} onChange={onChange} />}
      {within.apiKeyId === undefined && <KeyFilter search={search} onChange={onChange} />}
      <ModelFilter search={search} onChange={onChange} />
    </>
  );
}

/** A filter without values is removed. */
function toChange(name: FilterName, values: string[]): ReportFilters {
  return { [name]: values.length > 0 ? values : undefined };
}

const noFilters = Object.fromEntries(
  [...filterNames, "without"].map((name) => [name, undefined]),
) as ReportFilters;

interface Option {
  value: string;
  label: string;
}

/** The options of a filter are loaded when someone comes to it, or to name the values of the address. */
function useNear(values: readonly string[] | undefined) {
  const [isNear, setIsNear] = useState(false);
  return { isWanted: isNear || values !== undefined, onNear: () => setIsNear(true) };
}

/** Adds values of the address that the list does not have, because they still filter. */
function addSelected<T extends Option>(options: readonly T[], chosen: readonly string[] = []) {
  const missing = chosen.filter((value) => options.every((option) => option.value !== value));
  return [...options, ...missing.map((value) => ({ value, label: value }))];
}

function WorkspaceFilter({ search, onChange }: BarProps) {
  const { isWanted, onNear } = useNear(search.workspace);
  const workspaces = useWorkspaces({ withArchived: true, isEnabled: isWanted });
  return (
    <Filter
      label="Workspace"
      onNear={onNear}
      isLoading={workspaces.isPending}
      values={search.workspace ?? []}
      onChange={(values) => onChange(toChange("workspace", values))}
      options={addSelected(
        (workspaces.data?.items ?? []).map(({ id, name, display_color }) => ({
          value: id,
          label: name,
          mark: <ColorDot color={display_color} />,
        })),
        search.workspace,
      )}
    />
  );
}

function KeyFilter({ search, onChange }: BarProps) {
  const may = useMay();
  const { isWanted, onNear } = useNear(search.key);
  const keys = useList("listApiKeys", {}, { isEnabled: isWanted && may("api_keys:read") });
  if (!may("api_keys:read")) return null;
  return (
    <Filter
      label="Key"
      onNear={onNear}
      isLoading={keys.isPending}
      values={search.key ?? []}
      onChange={(values) => onChange(toChange("key", values))}
      options={addSelected(
        (keys.data?.items ?? []).map(({ id, name, partial_key_hint }) => ({
          value: id,
          label: name,
          note: partial_key_hint.slice(-4),
        })),
        search.key,
      )}
    />
  );
}

function ModelFilter({ search, onChange }: BarProps) {
  const may = useMay();
  const { isWanted, onNear } = useNear(search.model);
  const prices = useList(
    "listModelPrices",
    {},
    { isEnabled: isWanted && may("model_prices:read") },
  );
  return (
    <Filter
      label="Model"
      onNear={onNear}
      isLoading={prices.isLoading}
      values={search.model ?? []}
      onChange={(values) => onChange(toChange("model", values))}
      options={addSelected(
        (prices.data?.items ?? []).map(({ model }) => ({ value: model, label: model })),
        search.model,
      )}
    />
  );
}

function MemberFilter({ search, onChange }: BarProps) {
  const may = useMay();
  const members = useMembers(true, may("members:read"));
  if (!may("members:read")) return null;
  return (
    <Filter
      label="Member"
      values={search.member ?? []}
      onChange={(values) => onChange(toChange("member", values))}
      options={addSelected(
        (members.data?.items ?? []).map(({ id, name, email }) => ({
          value: id,
          label: name || email,
        })),
        search.member,
      )}
    />
  );
}

function GroupFilter({ search, onChange }: BarProps) {
  const may = useMay();
  const groups = useList("listGroups", {}, { isEnabled: may("groups:read") });
  if (!may("groups:read")) return null;
  return (
    <Filter
      label="Group"
      values={search.group ?? []}
      onChange={(values) => onChange(toChange("group", values))}
      options={addSelected(
        (groups.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name })),
        search.group,
      )}
    />
  );
}

/** Prefix of choices that stand for the name of a missing tag. Ids of tags do not begin with it. */
const WITHOUT = "without:";

function TagFilter({ search, onChange }: BarProps) {
  const tags = useTags();
  const items = tags.data?.items ?? [];
  const without = search.without === undefined ? [] : [WITHOUT + search.without];
  const names = new Set(items.map(({ name }) => name));
  if (search.without !== undefined) names.add(search.without);
  return (
    <Filter
      label="Tag"
      values={[...(search.tag ?? []), ...without]}
      onChange={(values) => {
        const ids = values.filter((value) => !value.startsWith(WITHOUT));
        const missing = values.findLast((value) => value.startsWith(WITHOUT));
        onChange({ ...toChange("tag", ids), without: missing?.slice(WITHOUT.length) });
      }}
      options={[
        ...addSelected(
          items.map(({ id, name, value }) => ({ value: id, label: `${name}: ${value}` })),
          search.tag,
        ),
        ...[...names].map((name) => ({ value: WITHOUT + name, label: `Without ${name}` })),
      ]}
    />
  );
}
