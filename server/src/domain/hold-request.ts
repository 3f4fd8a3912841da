import type { FeatureKind } from "./neutral-features.ts";

// Facts from which the worst case of a request is computed. The gateway's single pass over the body reads them.

/** A server tool of a request. The upstream runs the tool and calls the model again with its result. */
export interface ServerToolUse {
  /** Type in the request, such as `web_search_20250305` or `advisor_20260301`. */
  type: string;
  /** `max_uses`. Null: missing or no plain integer. */
  maxUses: number | null;
  /** Model of an advisor. Null for every other tool. */
  model: string | null;
  /** `max_content_tokens`. Absent: missing or no plain integer. */
  maxContentTokens?: number;
}

/** A feature that is neither neutral nor read by the gateway. Any model may answer it, call again or bill by time. */
export interface UnknownPart {
  kind: FeatureKind;
  /** Cut to 64 characters. Fields of a part begin with its name: `thinking.display`. Empty: no name. */
  name: string;
  /** Occurrences. */
  count: number;
  /** Bytes of a field of the body, with its key. 0 for all others. */
  bytes: number;
}

export interface HoldRequest {
  model: string;
  /** Null: not specified. */
  maxTokens: number | null;
  speed: string | null;
  inferenceGeo: string | null;
  fallbacks: HoldFallbacks;
  bodyBytes: number;
  /** Bytes of fields outside the prompt. */
  outsidePromptBytes: number;
  toolCount: number;
  /** Client tools that the API itself defines: bash, text editor, memory, computer. */
  builtInToolCount: number;
  /** Client toolsets: one name for several tools that the API itself defines. */
  toolsetCount: number;
  /** Size of the longest tool definition, bytes. */
  largestToolBytes: number;
  /** Tool definitions that `tool_reference` repeats in the prompt. */
  repeatedToolCount: number;
  /** Images in the body, and their size in base64 characters. */
  imageCount: number;
  imageDataBytes: number;
  /** Bytes of blocks that are split into passages for citations. */
  citedBytes: number;
  serverTools: readonly ServerToolUse[];
  /** Each once, in their order. */
  unknownParts: readonly UnknownPart[];
  markers: HoldMarkers;
}

interface HoldFallbacks {
  models: readonly string[];
  /** Highest `max_tokens` of a fallback. Null: no fallback has one. */
  maxTokens: number | null;
  /** Any `speed` other than "standard". */
  hasFastSpeed: boolean;
  /** True for `"default"` or an unknown shape: any model may respond. */
  hasUnknownModel: boolean;
}

interface HoldMarkers {
  hasCacheControl5m: boolean;
  hasCacheControl1h: boolean;
  hasMcpServers: boolean;
  hasContainer: boolean;
  hasSkills: boolean;
  hasThread: boolean;
  /** Compaction of the context by the requested model. */
  hasCompaction: boolean;
  hasOpaqueSource: boolean;
  hasUrlSource: boolean;
  hasFileIds: boolean;
}

/** A request without content: no prompt, no tools and no markers. */
export const EMPTY_REQUEST: Omit<HoldRequest, "model"> = {
  maxTokens: null,
  speed: null,
  inferenceGeo: null,
  fallbacks: { models: [], maxTokens: null, hasFastSpeed: false, hasUnknownModel: false },
  bodyBytes: 0,
  outsidePromptBytes: 0,
  toolCount: 0,
  builtInToolCount: 0,
  toolsetCount: 0,
  largestToolBytes: 0,
  repeatedToolCount: 0,
  imageCount: 0,
  imageDataBytes: 0,
  citedBytes: 0,
  serverTools: [],
  unknownParts: [],
  markers: {
    hasCacheControl5m: false,
    hasCacheControl1h: false,
    hasMcpServers: false,
    hasContainer: false,
    hasSkills: false,
    hasThread: false,
    hasCompaction: false,
    hasOpaqueSource: false,
    hasUrlSource: false,
    hasFileIds: false,
  },
};

/** Any `speed` other than "standard" may be a faster mode. */
export function isFastSpeed(speed: string | null): boolean {
  return speed !== null && speed !== "standard";
}
