import { Consequences } from "../../kit/consequences/consequences.tsx";
import { useApi } from "../../queries.ts";
import { useDebounced } from "../../ui/use-debounced.ts";
import {
  describeClaimChange,
  describeDirectoryDeletion,
  describeSignInChange,
} from "./directory-effects.ts";
import type { Directory } from "./queries.ts";

const TYPING_PAUSE_MS = 400;

interface ChangeProps<Field extends keyof Directory> {
  /** Stored directory. */
  directory: Directory;
  /** Entered settings. */
  entered: Pick<Directory, Field>;
}

type SignInField = "is_enabled" | "allowed_domains" | "default_role" | "second_factor";

/** Effects of entered settings of the sign-in. */
export function SignInConsequences({ directory, entered }: ChangeProps<SignInField>) {
  const settled = useSettled(entered);
  const { is_enabled } = settled;
  // Added domains refuse no member, and can be half typed.
  const allowed_domains = directory.allowed_domains.filter((domain) =>
    settled.allowed_domains.includes(domain),
  );
  const { second_factor } = settled;
  const isHarmful = !isEqual(directory, { is_enabled, allowed_domains, second_factor });
  const preview = usePreview(directory, { is_enabled, allowed_domains }, isHarmful);
  return (
    <Consequences
      sentences={describeSignInChange({ before: directory, after: settled, preview: preview.data })}
      counts={[preview]}
    />
  );
}

type ClaimField = "role_claim" | "role_mappings" | "group_claim" | "group_mappings";

/** Effects of entered claims. */
export function ClaimConsequences({ directory, entered }: ChangeProps<ClaimField>) {
  const settled = useSettled(entered);
  const { group_claim, group_mappings } = settled;
  const preview = usePreview(
    directory,
    { group_claim, group_mappings },
    !isEqual(directory, settled),
  );
  const after = { ...settled, default_role: directory.default_role };
  return (
    <Consequences
      sentences={describeClaimChange({ before: directory, after, preview: preview.data })}
      counts={[preview]}
    />
  );
}

interface DeletionProps {
  directory: Directory;
  /** Number of groups that it provides. */
  groups: number;
  /** Number of valid SCIM tokens. */
  tokens: number;
}

/** Effects of a deletion. */
export function DeletionConsequences({ directory, groups, tokens }: DeletionProps) {
  const preview = usePreview(directory, { is_enabled: false, group_claim: null }, true);
  const provided = { members: directory.people.provided, groups };
  return (
    <Consequences
      sentences={describeDirectoryDeletion({ preview: preview.data, provided, tokens })}
      counts={[preview]}
    />
  );
}

type Change = Partial<
  Pick<Directory, "is_enabled" | "allowed_domains" | "group_claim" | "group_mappings">
>;

function usePreview(directory: Directory, body: Change, isEnabled: boolean) {
  return useApi(
    "previewDirectoryChange",
    { params: { directory_id: directory.id }, body },
    { isEnabled },
  );
}

/** The value after a pause of typing. */
function useSettled<Value extends object>(entered: Value): Value {
  return JSON.parse(useDebounced(JSON.stringify(entered), TYPING_PAUSE_MS)) as Value;
}

/** True if the stored directory has the entered settings. */
function isEqual(directory: Directory, entered: Partial<Directory>): boolean {
  const names = Object.keys(entered) as (keyof Directory)[];
  return names.every((name) => JSON.stringify(directory[name]) === JSON.stringify(entered[name]));
}
