import { useNavigate, useSearch } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useList } from "../../queries.ts";
import { Combobox } from "../../ui/combobox.tsx";
import { Field } from "../../ui/field.tsx";
import { FormError } from "../../ui/states.tsx";
import { useWorkspaceNames } from "../workspaces/queries.ts";
import type { LimitsSearch } from "./search.ts";

interface ExplainerProps {
  /** Explanation for the chosen key. */
  show: (apiKeyId: string) => ReactNode;
}

/** Selects a key and explains its limits. The address has the selected key. */
export function LimitExplainer({ show }: ExplainerProps) {
  const search: LimitsSearch = useSearch({ strict: false });
  const key = search.key ?? null;
  const navigate = useNavigate();
  const keys = useList("listApiKeys", {});
  const workspaceName = useWorkspaceNames();
  const options = (keys.data?.items ?? [])
    .filter(({ id, status }) => status !== "archived" || id === key)
    .map(({ id, name, workspace_id, partial_key_hint }) => ({
      value: id,
      label: name,
      note: `${workspaceName(workspace_id).name}, ${partial_key_hint.slice(-4)}`,
    }));
  return (
    <div className="grid gap-5">
      <Field label="Key" className="max-w-md">
        {(control) => (
          <Combobox
            control={control}
            options={options}
            value={key}
            placeholder="Search keys"
            onChange={(chosen) =>
              void navigate({
                to: ".",
                search: chosen === null ? {} : { key: chosen },
                replace: true,
              })
            }
          />
        )}
      </Field>
      <FormError error={keys.error} />
      {key !== null && show(key)}
    </div>
  );
}
