// Models that the simulator lists. Names and limits are those of the Claude API in autumn 2026 if known. Dates are
// plausible, which is enough for an imitation.

type Lifecycle = "active" | "deprecated" | "retired";

/** A model in the form of the official `GET /v1/models`. */
export interface SimulatedModel {
  id: string;
  type: "model";
  display_name: string;
  created_at: string;
  lifecycle: Lifecycle;
  line: "haiku" | "sonnet" | "opus" | "fable" | "mythos" | null;
  max_input_tokens: number;
  max_tokens: number;
  deprecated_at: string | null;
  retires_at: string | null;
  capabilities: ReturnType<typeof capabilitiesOf>;
}

/** The same model in the response to a beta request. */
export interface BetaSimulatedModel extends SimulatedModel {
  allowed_fallback_models: string[];
  capabilities: SimulatedModel["capabilities"] & {
    compaction: { supported: boolean; summarize: { supported: boolean } };
  };
}

type Row = [
  id: string,
  name: string,
  created: string,
  context: number,
  output: number,
  retired?: string,
  deprecated?: string,
];

const M = 1_000_000;

/** Newest first, as the API lists them. A past retirement date makes a model retired. */
const rows: Row[] = [
  ["claude-fable-5-2", "Claude Fable 5.2", "2026-11-16", M, 128_000],
  ["claude-mythos-5-2", "Claude Mythos 5.2", "2026-11-16", M, 128_000],
  ["claude-haiku-5-5", "Claude Haiku 5.5", "2026-10-14", M, 128_000],
  ["claude-sonnet-5-5", "Claude Sonnet 5.5", "2026-09-30", M, 128_000],
  ["claude-opus-5-5", "Claude Opus 5.5", "2026-09-23", M, 128_000],
  ["claude-fable-5-1", "Claude Fable 5.1", "2026-09-02", M, 128_000],
  ["claude-mythos-5-1", "Claude Mythos 5.1", "2026-09-02", M, 128_000],
  ["claude-opus-5", "Claude Opus 5", "2026-07-15", M, 128_000],
  ["claude-sonnet-5", "Claude Sonnet 5", "2026-06-24", M, 128_000],
  ["claude-fable-5", "Claude Fable 5", "2026-06-03", M, 128_000],
  ["claude-mythos-5", "Claude Mythos 5", "2026-06-03", M, 128_000],
  ["claude-opus-4-8", "Claude Opus 4.8", "2026-05-20", M, 128_000],
  ["claude-opus-4-7", "Claude Opus 4.7", "2026-04-16", M, 128_000],
  ["claude-sonnet-4-6", "Claude Sonnet 4.6", "2026-02-17", M, 128_000],
  ["claude-opus-4-6", "Claude Opus 4.6", "2026-02-05", M, 128_000],
  [
    "claude-opus-4-5-20251101",
    "Claude Opus 4.5",
    "2025-11-24",
    200_000,
    64_000,
    "2027-01-22",
    "2026-07-22",
  ],
  ["claude-haiku-4-5-20251001", "Claude Haiku 4.5", "2025-10-15", 200_000, 64_000],
  [
    "claude-sonnet-4-5-20250929",
    "Claude Sonnet 4.5",
    "2025-09-29",
    200_000,
    64_000,
    "2026-11-30",
    "2026-05-30",
  ],
  [
    "claude-opus-4-1-20250805",
    "Claude Opus 4.1",
    "2025-08-05",
    200_000,
    32_000,
    "2026-08-05",
    "2026-02-05",
  ],
  [
    "claude-opus-4-20250514",
    "Claude Opus 4",
    "2025-05-22",
    200_000,
    32_000,
    "2026-06-15",
    "2026-01-15",
  ],
  [
    "claude-sonnet-4-20250514",
    "Claude Sonnet 4",
    "2025-05-22",
    200_000,
    64_000,
    "2026-06-15",
    "2026-01-15",
  ],
  [
    "claude-3-7-sonnet-20250219",
    "Claude Sonnet 3.7",
    "2025-02-24",
    200_000,
    64_000,
    "2026-02-19",
    "2025-10-28",
  ],
  [
    "claude-3-5-haiku-20241022",
    "Claude Haiku 3.5",
    "2024-10-22",
    200_000,
    8_192,
    "2026-02-19",
    "2025-12-19",
  ],
  [
    "claude-3-5-sonnet-20241022",
    "Claude Sonnet 3.5",
    "2024-10-22",
    200_000,
    8_192,
    "2025-10-28",
    "2025-08-13",
  ],
  [
    "claude-3-5-sonnet-20240620",
    "Claude Sonnet 3.5 (Old)",
    "2024-06-20",
    200_000,
    8_192,
    "2025-10-28",
    "2025-08-13",
  ],
  [
    "claude-3-haiku-20240307",
    "Claude Haiku 3",
    "2024-03-07",
    200_000,
    4_096,
    "2026-04-20",
    "2026-02-19",
  ],
  [
    "claude-3-opus-20240229",
    "Claude Opus 3",
    "2024-02-29",
    200_000,
    4_096,
    "2026-01-05",
    "2025-06-30",
  ],
];

/** Fixed date, YYYY-MM-DD, so that responses do not change with the clock. */
const TODAY = "2026-11-24";

export const simulatedModels: readonly SimulatedModel[] = rows.map(toModel);

const byId = new Map(simulatedModels.map((model) => [model.id, model]));
const byAlias = new Map([
  ...simulatedModels.map((model) => [model.id.replace(/-\d{8}$/, ""), model] as const),
  ...simulatedModels.map((model) => [model.id.replace(/-\d{8}$/, "-latest"), model] as const),
  // The newer of two snapshots is first in the list and is set last here.
  ["claude-3-5-sonnet", byId.get("claude-3-5-sonnet-20241022")] as const,
  ["claude-3-5-sonnet-latest", byId.get("claude-3-5-sonnet-20241022")] as const,
]);

/** Finds a model by its id or alias, or null. */
export function findModel(idOrAlias: string): SimulatedModel | null {
  return byId.get(idOrAlias) ?? byAlias.get(idOrAlias) ?? null;
}

/** True from the 4.6 models on, which have the geography parameter. */
export function hasGeography(model: SimulatedModel): boolean {
  return model.max_input_tokens === M;
}

/** Converts a model to its beta form, without fallbacks. */
export function toBetaModel(model: SimulatedModel): BetaSimulatedModel {
  const { compact_20260112: compact } = model.capabilities.context_management;
  const compaction = { supported: compact.supported, summarize: compact };
  return {
    ...model,
    allowed_fallback_models: [],
    capabilities: { ...model.capabilities, compaction },
  };
}

function toModel(row: Row): SimulatedModel {
  const [id, name, created, context, output, retires, deprecated] = row;
  const isRetired = retires !== undefined && retires <= TODAY;
  const line = /haiku|sonnet|opus|fable|mythos/.exec(id)?.[0] ?? null;
  return {
    id,
    type: "model",
    display_name: name,
    created_at: `${created}T00:00:00Z`,
    lifecycle: retires === undefined ? "active" : isRetired ? "retired" : "deprecated",
    line: line as SimulatedModel["line"],
    max_input_tokens: context,
    max_tokens: output,
    deprecated_at: deprecated === undefined ? null : `${deprecated}T00:00:00Z`,
    retires_at: retires === undefined ? null : `${retires}T00:00:00Z`,
    capabilities: capabilitiesOf(context === M, !id.startsWith("claude-3-")),
  };
}

function capabilitiesOf(isRecent: boolean, isFourOrLater: boolean) {
  const yes = { supported: true };
  const recent = { supported: isRecent };
  const fourOrLater = { supported: isFourOrLater };
  return {
    batch: yes,
    citations: yes,
    code_execution: fourOrLater,
    context_management: {
      supported: isFourOrLater,
      clear_thinking_20251015: fourOrLater,
      clear_tool_uses_20250919: fourOrLater,
      compact_20260112: recent,
    },
    effort: {
      supported: isRecent,
      low: recent,
      medium: recent,
      high: recent,
      xhigh: recent,
      max: recent,
    },
    image_input: yes,
    pdf_input: yes,
    server_tools: {
      supported: isFourOrLater,
      code_execution: fourOrLater,
      web_search: fourOrLater,
    },
    structured_outputs: fourOrLater,
    thinking: {
      supported: isFourOrLater,
      types: { adaptive: recent, between_tools: recent, disabled: yes, enabled: fourOrLater },
    },
  };
}
