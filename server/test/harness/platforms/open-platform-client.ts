import type { ProviderSettings } from "@bursar/contract/admin/provider-settings.ts";
import { onTestFinished } from "vitest";
import { FieldLines } from "#src/lib/field-lines.ts";
import type { HttpClient } from "#src/lib/http-client.ts";
import { makeLogger } from "#src/lib/logger.ts";
import { makeClient } from "#src/upstreams/make-client.ts";
import {
  makeProviderClient,
  type ProviderClientOptions,
} from "#src/upstreams/providers/make-provider-client.ts";

interface OpenedPlatform extends Partial<Omit<ProviderClientOptions, "settings" | "baseUrl">> {
  settings: ProviderSettings;
  origin: string;
}

/** Opens a client of a platform on loopback, until the end of the test. */
export function openPlatformClient({ settings, origin, ...options }: OpenedPlatform): HttpClient {
  const inner = makeClient({ origin }, { idleTimeoutMs: 20_000, turnEnd: null });
  onTestFinished(() => inner.destroy());
  return makeProviderClient(
    {
      settings,
      baseUrl: origin,
      credential: null,
      extraHeaders: [],
      isMachineAllowed: false,
      proxy: null,
      nowMs: Date.now,
      logger: makeLogger("silent"),
      ...options,
    },
    inner,
  );
}

/** Headers of an official request, as the gateway forwards them. */
export function officialHeaders(more: Record<string, string> = {}): FieldLines {
  return FieldLines.fromList([
    "content-type",
    "application/json",
    "anthropic-version",
    "2023-06-01",
    "user-agent",
    "Anthropic/JS 1.14.0",
    "x-stainless-lang",
    "js",
    "accept-encoding",
    "identity",
    ...Object.entries(more).flat(),
  ]);
}
