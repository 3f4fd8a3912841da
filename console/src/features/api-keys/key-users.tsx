import { includesRank } from "@bursar/contract/permissions.ts";
import type { UseFormRegisterReturn } from "react-hook-form";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { useMay } from "../../session.ts";
import { Field } from "../../ui/field.tsx";
import { Checkbox, Select } from "../../ui/input.tsx";
import { useDirectories } from "./queries.ts";
import { useKeyRank } from "./use-key-rank.ts";

interface UsersFieldsProps {
  workspaceId: string;
  /** Directory of an existing key. */
  current?: string | null;
  directory: UseFormRegisterReturn;
  isRequired: UseFormRegisterReturn;
  /** The chosen directory. Empty: none. */
  chosen: string;
  error: string | undefined;
}

/** Directory of a gateway's users, for a key of the workspace. Admins of the company see it. */
export function UsersFields(props: UsersFieldsProps) {
  const { workspaceId, current = null, directory, isRequired, chosen, error } = props;
  const may = useMay();
  const isAdmin = includesRank(useKeyRank(workspaceId), "admin");
  const isShown = isAdmin && may("directories:read");
  const directories = useDirectories(isShown);
  const items = directories.data?.items ?? [];
  if (!isShown || (items.length === 0 && current === null)) return null;
  const isListed = items.some(({ id }) => id === current);
  return (
    <>
      <Field
        label="Users"
        error={error}
        hint="For the key of Anthropic’s gateway. Its requests count as those of the named users."
      >
        {(control) => (
          <Select {...control} {...directory}>
            <option value="">Not named</option>
            {items.map(({ id, name }) => (
              <option key={id} value={id}>
                Users of {name}
              </option>
            ))}
            {current !== null && !isListed && <option value={current}>{current}</option>}
          </Select>
        )}
      </Field>
      {chosen !== "" && <Checkbox label="Refuse requests without a known user" {...isRequired} />}
    </>
  );
}

/** Users of a key, in a line of facts. */
export function KeyUsers({ apiKey }: { apiKey: ApiKey }) {
  const name = useDirectoryName(apiKey.user_directory_id ?? "");
  return apiKey.requires_user ? `${name}, required in each request` : name;
}

/** Users of a new key, in a sentence. */
export function NewKeyUsers({ id, isRequired }: { id: string; isRequired: boolean }) {
  const name = useDirectoryName(id);
  const rest = isRequired ? "are refused" : "count for the key alone";
  return `Requests count as those of the named users of ${name}. Requests without a known user ${rest}.`;
}

/** Name of a directory, or its id where the member cannot read it. */
function useDirectoryName(id: string): string {
  const may = useMay();
  const directories = useDirectories(may("directories:read"));
  return directories.data?.items.find((each) => each.id === id)?.name ?? id;
}
