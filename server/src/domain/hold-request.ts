// What the worst case of a request is computed from. The gateway's one pass over the body reports exactly this, and more.

/** A server tool of a request: it runs upstream, where the model is called again with what the tool gave. */
export interface ServerToolUse {
  /** As it was sent: `web_search_20250305`, `advisor_20260301`. */
  type: string;
  /** `max_uses`; null where it is not given, or is no plain integer. */
  maxUses: number | null;
  /** Model of an advisor; null for every other tool. */
  model: string | null;
}

export interface HoldRequest {
  model: string;
  /** null: not given. */
  maxTokens: number | null;
  speed: string | null;
  inferenceGeo: string | null;
  fallbacks: HoldFallbacks;
  bodyBytes: number;
  /** Bytes of fields that are no part of the prompt. */
  outsidePromptBytes: number;
  toolCount: number;
  /** Client tools whose definition is the API's own, not the request's: bash, text editor, memory, computer. */
  builtInToolCount: number;
  /** The same, where one name stands for a whole set of tools. */
  toolsetCount: number;
  /** Bytes of the longest tool definition. */
  largestToolBytes: number;
  /** Tool definitions that the prompt holds once more than the body, because `tool_reference` repeats them. */
  repeatedToolCount: number;
  /** Images whose bytes stand in the body, and those bytes as base64 characters. */
  imageCount: number;
  imageDataBytes: number;
  /** Bytes of the blocks that are cut into passages to be cited. */
  citedBytes: number;
  serverTools: readonly ServerToolUse[];
  markers: HoldMarkers;
}

interface HoldFallbacks {
  models: readonly string[];
  /** Highest `max_tokens` of a fallback, or null where none names one. */
  maxTokens: number | null;
  hasFastSpeed: boolean;
  /** `"default"`, or a shape that is not known: any model may answer. */
  hasUnknownModel: boolean;
}

interface HoldMarkers {
  hasCacheControl5m: boolean;
  hasCacheControl1h: boolean;
  hasUnknownTools: boolean;
  hasMcpServers: boolean;
  hasContainer: boolean;
  hasSkills: boolean;
  hasThread: boolean;
  hasCompaction: boolean;
  hasOpaqueSource: boolean;
  hasUrlSource: boolean;
  hasFileIds: boolean;
  unknownFields: readonly string[];
}
