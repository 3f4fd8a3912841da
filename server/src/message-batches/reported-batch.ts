import { z } from "zod";

// A message batch as the upstream reports it. Fields that this server does not read pass unchanged.

const time = z
  .string()
  .transform((text) => new Date(text))
  .refine((at) => !Number.isNaN(at.getTime()));

const reported = z.looseObject({
  id: z.string().min(1).max(128),
  processing_status: z.string(),
  request_counts: z
    .looseObject({})
    .transform((counts) =>
      Object.values(counts).reduce<number>(
        (sum, count) => (typeof count === "number" ? sum + count : sum),
        0,
      ),
    ),
  created_at: time,
  expires_at: time.nullish(),
  ended_at: time.nullish(),
});

/** The facts of a batch that this server reads, and the whole object. */
export interface Reported {
  id: string;
  isEnded: boolean;
  requestCount: number;
  createdAt: Date;
  expiresAt: Date | null;
  endedAt: Date | null;
  object: object;
}

/** Reads a batch. Null: the value is none. */
export function readReported(value: unknown): Reported | null {
  const parsed = reported.safeParse(value);
  if (!parsed.success || typeof value !== "object" || value === null) return null;
  const { id, processing_status, request_counts, created_at, expires_at, ended_at } = parsed.data;
  return {
    id,
    isEnded: processing_status === "ended",
    requestCount: request_counts,
    createdAt: created_at,
    expiresAt: expires_at ?? null,
    endedAt: ended_at ?? null,
    object: value,
  };
}

/** Returns the object with results at this server. */
export function toClientObject(object: unknown, origin: string): object {
  const fields = typeof object === "object" && object !== null ? object : {};
  const { id, results_url: url } = fields as { id?: unknown; results_url?: unknown };
  if (typeof url !== "string" || typeof id !== "string") return fields;
  return { ...fields, results_url: `${origin}/v1/messages/batches/${id}/results` };
}
