import { includesRank } from "@bursar/contract/permissions.ts";
import type { UseFormRegisterReturn } from "react-hook-form";
import type { ApiKey } from "../../kit/api-keys/queries.ts";
import { useMay } from "../../session.ts";
import { Field } from "../../ui/field.tsx";
import { Checkbox, Select } from "../../ui/input.tsx";
import { useDirectories } from "./queries.ts";
import { useKeyRank } from "./use-key-rank.ts";

interface UsersFieldsProps {
  apiKey: ApiKey;
  directory: UseFormRegisterReturn;
  isRequired: UseFormRegisterReturn;
  /** The chosen directory. Empty: none. */
  chosen: string;
  error: string | undefined;
}

/** Directory of a gateway's users, for admins of the company and keys of the workspace. */
export function UsersFields({ apiKey, directory, isRequired, chosen, error }: UsersFieldsProps) {
  const may = useMay();
  const isAdmin = includesRank(useKeyRank(apiKey.workspace_id), "admin");
  const isShown = isAdmin && may("directories:read") && apiKey.owner.type === "workspace";
  const directories = useDirectories(isShown);
  const items = directories.data?.items ?? [];
  if (!isShown || (items.length === 0 && apiKey.user_directory_id === null)) return null;
  const isListed = items.some(({ id }) => id === apiKey.user_directory_id);
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
            {apiKey.user_directory_id !== null && !isListed && (
              <option value={apiKey.user_directory_id}>{apiKey.user_directory_id}</option>
            )}
          </Select>
        )}
      </Field>
      {chosen !== "" && <Checkbox label="Refuse requests without a known user" {...isRequired} />}
    </>
  );
}

/** Users of a key, in a line of facts. */
export function KeyUsers({ apiKey }: { apiKey: ApiKey }) {
  const may = useMay();
  const directories = useDirectories(may("directories:read"));
  const { user_directory_id: id, requires_user: isRequired } = apiKey;
  const name = directories.data?.items.find((each) => each.id === id)?.name ?? id;
  return `Users of ${name}${isRequired ? ", always required" : ""}`;
}
