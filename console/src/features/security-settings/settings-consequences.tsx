import { ApiError, type Input } from "../../api-client.ts";
import { describeKeysPerMember, listOwners } from "../../kit/api-keys/keys-per-member.ts";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { isLower } from "../../kit/consequences/is-lower.ts";
import { useApi, useList } from "../../queries.ts";
import { useMay } from "../../session.ts";
import { useDebounced } from "../../ui/use-debounced.ts";
import { describeSecurityChange } from "./settings-effects.ts";

const PAUSE_MS = 300;

interface SettingsConsequencesProps {
  /** Changed fields. Null: none, or an unfinished value. */
  change: Input<"previewSecuritySettings">["body"] | null;
  /** Effects that the page knows itself. */
  own?: readonly string[];
}

/** Effects of a changed setting on keys, sessions and members, as the server counts them. */
export function SettingsConsequences({ change, own = [] }: SettingsConsequencesProps) {
  const may = useMay();
  // A typed number is compared as text, because each render makes a new object.
  const asked = useDebounced(change && JSON.stringify(change), PAUSE_MS);
  const preview = useApi(
    "previewSecuritySettings",
    { body: asked === null ? {} : (JSON.parse(asked) as NonNullable<typeof change>) },
    { isEnabled: change !== null && asked !== null && may("security:write") },
  );
  // The form shows the error of an invalid value when it is saved.
  const isInvalid = preview.error instanceof ApiError && preview.error.status === 400;
  const isKnown = change !== null && preview.data !== undefined && !isInvalid;
  return (
    <Consequences
      sentences={[...own, ...(isKnown ? describeSecurityChange(preview.data) : [])]}
      counts={isInvalid ? [] : [preview]}
    />
  );
}

interface KeysPerMemberProps {
  before: number | null;
  after: number | null;
}

/** Members who have as many personal keys as the new maximum. */
export function KeysPerMemberConsequences(props: KeysPerMemberProps) {
  const { before, after } = props;
  const may = useMay();
  const keys = useList(
    "listApiKeys",
    { query: { owner_type: "member" } },
    { isEnabled: isLower(before, after) && may("api_keys:read") },
  );
  const owners = keys.data && listOwners(keys.data.items);
  return <Consequences sentences={describeKeysPerMember(owners, props)} counts={[keys]} />;
}
