import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import type { LaptopClaims } from "#src/key-lookup/access-tokens.ts";
import { markJson } from "./mark-json.ts";
import { markProtobuf } from "./mark-protobuf.ts";
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

/** Bytes of a decompressed export. */
const MAX_EXPORT_BYTES = 8 * 1024 * 1024;

const decompress = promisify<Buffer, { maxOutputLength: number }, Buffer>(gunzip);

/** Decompresses an export, and adds the verified person to it. Throws an Error for one that is no message of OTLP. */
export async function markExport(
  { signal, contentType, isCompressed, body, claims }: TelemetryExport,
  findEmail: FindEmail,
): Promise<MarkedExport> {
  const { organizationId, memberId, laptopId, groupNames } = claims;
  const bytes = isCompressed ? await decompress(body, { maxOutputLength: MAX_EXPORT_BYTES }) : body;
  const email = await findEmail(claims).catch(() => null);
  const person = { memberId, email, organizationId, laptopId, groupNames };
  const attributes = toPersonAttributes(person);
  const mark = contentType === "application/json" ? markJson : markProtobuf;
  return { signal, contentType, body: mark(bytes, signal, attributes) };
}
