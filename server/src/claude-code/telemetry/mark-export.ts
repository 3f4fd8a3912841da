import type { LaptopClaims } from "#src/key-lookup/access-tokens.ts";
import type { ExportMarker } from "./export-marker.ts";
import { toPersonAttributes } from "./person-attributes.ts";
import type { MarkedExport } from "./send-export.ts";

/** A message of OTLP, as a laptop sent it. */
export interface TelemetryExport extends MarkedExport {
  isCompressed: boolean;
  claims: LaptopClaims;
}

/** Finds the address of a member. Rejects without the database. */
export type FindEmail = (
  claims: Pick<LaptopClaims, "organizationId" | "memberId">,
) => Promise<string | null>;

/**
 * Decompresses an export, and adds the verified person to it. Null: it is no message of OTLP. Throws an Error if the thread of
 * the marker fails.
 */
export async function markExport(
  { signal, contentType, isCompressed, body, claims }: TelemetryExport,
  { findEmail, marker }: { findEmail: FindEmail; marker: ExportMarker },
): Promise<MarkedExport | null> {
  const { organizationId, memberId, laptopId, groupNames } = claims;
  const email = await findEmail(claims).catch(() => null);
  const attributes = toPersonAttributes({ memberId, email, organizationId, laptopId, groupNames });
  const marked = await marker.mark({ signal, contentType, isCompressed, body, attributes });
  return marked && { signal, contentType, body: marked };
}
