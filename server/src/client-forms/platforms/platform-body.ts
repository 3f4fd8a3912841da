import { editBody, type ScannedBody, scanBody } from "#src/domain/edit-body.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { HeaderFields } from "#src/lib/header-fields.ts";
import { DuplicateKeyError, JsonSyntaxError } from "#src/lib/json-scan.ts";

// Bodies of cloud platforms: the model is in the path, version and betas are in the body.

/** Versions of the platforms, which have the fields of this official one. */
const OLDEST_VERSION = "2023-06-01";
const platformVersion = /^(bedrock|vertex)-\d{4}-\d\d-\d\d$/;
const VERSION_FIELD = "anthropic_version";
const BETA_FIELD = "anthropic_beta";
const MAX_BETAS = 100;
const INVALID_VALUE = /[^\x21-\x7e]/;

export interface PlatformBody {
  body: Buffer;
  fields: HeaderFields;
}

interface PlatformRequest {
  body: Buffer;
  fields: HeaderFields;
  /** Official name of the model. Null: the body has it. */
  model: string | null;
  /** Null: the operation has no stream. */
  isStream: boolean | null;
}

/**
 * Returns the official body and headers. Invalid JSON stays as it is, so that the gateway refuses it with its own words.
 * Throws a 400 for a version or betas of a wrong type.
 */
export function toOfficialBody({ body, fields, model, isStream }: PlatformRequest): PlatformBody {
  const scanned = scanPlatformBody(body);
  if (scanned === null) return { body, fields };
  const removed = new Set([VERSION_FIELD, BETA_FIELD, "stream"]);
  if (model !== null) removed.add("model");
  if (isStream === null) removed.add("max_tokens");
  const added = { ...(model !== null && { model }), ...(isStream === true && { stream: true }) };
  return {
    body: editBody(scanned, { removed, added, model: null }),
    fields: toOfficialFields(fields, readVersion(scanned), readBetas(scanned)),
  };
}

/** Null: the body is invalid JSON, which the gateway refuses. */
export function scanPlatformBody(body: Buffer): ScannedBody | null {
  try {
    return scanBody(body, false);
  } catch (error) {
    if (error instanceof JsonSyntaxError || error instanceof DuplicateKeyError) return null;
    throw error;
  }
}

function toOfficialFields(
  fields: HeaderFields,
  version: string | null,
  betas: readonly string[],
): HeaderFields {
  const list: string[] = [];
  const named = new Set(betas);
  for (let i = 0; i < fields.count; i++) {
    const name = fields.nameOf(i);
    const isReplaced =
      (name === "anthropic-version" && version !== null) ||
      // The SDKs send the names in both places.
      (name === "anthropic-beta" && betas.length > 0);
    if (name === "anthropic-beta") addNames(named, fields.valueOf(i));
    // AWS's and Google's clients accept their own type of streams alone.
    if (!isReplaced && name !== "accept") list.push(name, fields.valueOf(i));
  }
  if (version !== null) list.push("anthropic-version", version);
  if (betas.length > 0) list.push("anthropic-beta", [...named].join(","));
  return HeaderFields.fromCheckedList(list);
}

function addNames(names: Set<string>, value: string): void {
  for (const name of value.split(",")) if (name.trim() !== "") names.add(name.trim());
}

function readVersion(scanned: ScannedBody): string | null {
  const value = readValue(scanned, VERSION_FIELD);
  if (value === undefined) return null;
  if (typeof value !== "string" || INVALID_VALUE.test(value)) {
    throw refuseField(VERSION_FIELD, "Input should be a valid version");
  }
  return platformVersion.test(value) ? OLDEST_VERSION : value;
}

function readBetas(scanned: ScannedBody): readonly string[] {
  const value = readValue(scanned, BETA_FIELD);
  if (value === undefined || value === null) return [];
  const isList = Array.isArray(value) && value.length <= MAX_BETAS && value.every(isBeta);
  if (!isList) throw refuseField(BETA_FIELD, "Input should be a list of names");
  return value;
}

function isBeta(value: unknown): value is string {
  return typeof value === "string" && value !== "" && !INVALID_VALUE.test(value);
}

/** Longest version or list of betas, bytes. */
const MAX_FIELD_BYTES = 8_000;

/** Value of a short field. Undefined: the field is missing. */
function readValue({ body, members }: ScannedBody, name: string): unknown {
  const member = members.find(({ key }) => key === name);
  if (member === undefined) return undefined;
  if (member.end - member.valueStart > MAX_FIELD_BYTES) return Number.NaN;
  return JSON.parse(body.toString("utf8", member.valueStart, member.end));
}
