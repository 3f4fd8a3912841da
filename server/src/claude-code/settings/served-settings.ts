import type { Database } from "#src/db/pool.ts";
import { makeLatestRead } from "#src/lib/latest-read.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import { computeChecksum } from "./checksum.ts";
import {
  choosePolicies,
  type SettingsPolicy,
  toEffectiveSettings,
} from "./effective-settings.rule.ts";
import { listNewestVersions, listVersionsById } from "./managed-settings.sql.ts";
import { parsePolicies } from "./parse-policies.ts";
import { addAllowedModels } from "./served-settings.rule.ts";

// Managed settings of all organizations in memory. Without them no client of a company starts, so a request for them never
// waits for the database.

/** Response for one person. */
export interface ServedDocument {
  /** `sha256:` and hex. */
  checksum: string;
  /** JSON with the settings. */
  body: string;
}

export interface ServedSettings {
  /** Returns the settings of a person as of the last `reload`. Null: no policy applies. */
  find(person: Person): ServedDocument | null;
  /** Reads changed versions. Throws the error of a failed query, and keeps the present ones. */
  reload(): Promise<void>;
}

interface Person {
  organizationId: string;
  groupIds: readonly string[];
  /** Models that the key allows. Null: all, or unknown. */
  allowedModels: readonly string[] | null;
}

interface HeldVersion {
  /** Id of the newest version, also of an unsigned one. */
  newestId: string;
  policies: readonly SettingsPolicy[];
  /** Responses by the chosen policies and models. */
  documents: Map<string, ServedDocument>;
}

/** Highest number of responses of an organization in memory. One has 64 KB at most. */
const MAX_DOCUMENTS = 200;

/** Empty until the first `reload`. */
export function makeServedSettings(deps: { database: Database; rows: RowSigner }): ServedSettings {
  let held = new Map<string, HeldVersion>();
  const read = async () => {
    const newest = await listNewestVersions(deps.database);
    const changed = newest.filter(
      ({ organizationId, id }) => held.get(organizationId)?.newestId !== id,
    );
    const ids = changed.map(({ id }) => id);
    return { newest, rows: ids.length === 0 ? [] : await listVersionsById(deps.database, ids) };
  };
  return {
    find: ({ organizationId, ...person }) => {
      const version = held.get(organizationId);
      return version === undefined ? null : findDocument(version, person);
    },
    reload: makeLatestRead(read, ({ newest, rows }) => {
      const found = new Map(rows.map((row) => [row.organization_id, row]));
      held = new Map(
        newest.flatMap(({ organizationId, id }) => {
          const before = held.get(organizationId);
          const row = found.get(organizationId);
          if (row === undefined) return before === undefined ? [] : [[organizationId, before]];
          // Without a valid MAC the last genuine version stays. The signer reports the row.
          const isUsable = deps.rows.isUsable("managed_settings_version", row, row.mac);
          const policies = isUsable ? parsePolicies(row.policies) : (before?.policies ?? []);
          return [[organizationId, { newestId: id, policies, documents: new Map() }]];
        }),
      );
    }),
  };
}

function findDocument(
  { policies, documents }: HeldVersion,
  { groupIds, allowedModels }: Omit<Person, "organizationId">,
): ServedDocument | null {
  const chosen = choosePolicies(policies, groupIds);
  if (chosen === null) return null;
  const name = JSON.stringify([chosen.matching?.name ?? null, allowedModels]);
  const known = documents.get(name);
  if (known !== undefined) return known;
  const settings = addAllowedModels(toEffectiveSettings(chosen), allowedModels);
  const checksum = computeChecksum(settings);
  // The id of the settings is their checksum, so all nodes respond with the same bytes.
  const document = { checksum, body: JSON.stringify({ uuid: checksum, checksum, settings }) };
  if (documents.size >= MAX_DOCUMENTS) documents.clear();
  documents.set(name, document);
  return document;
}
