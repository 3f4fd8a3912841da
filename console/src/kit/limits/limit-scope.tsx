import type { Path, PathValue, UseFormReturn } from "react-hook-form";
import { findScopeId, type Scope } from "../scopes/scope.ts";
import { ScopePicker } from "../scopes/scope-picker.tsx";
import type { LimitValues, ScopeValues } from "./limit-kind.ts";

interface LimitScopeProps<Values extends LimitValues> {
  label: string;
  form: UseFormReturn<Values>;
  /** The workspace of this page. */
  workspaceId: string | undefined;
  /** Whether members and groups can be selected. */
  hasPeople?: boolean;
  /** Whether tags can be selected. */
  hasTags?: boolean;
}

/** Scope of a new limit: two fields for a form. */
export function LimitScope<Values extends LimitValues>(props: LimitScopeProps<Values>) {
  const { label, form, workspaceId, hasPeople = false, hasTags = false } = props;
  const { scopeType, scopeId } = form.watch();
  const scopeField = "scopeId" as Path<Values>;
  const setScope = (scope: ScopeValues) => {
    form.setValue("scopeType" as Path<Values>, scope.scopeType as PathValue<Values, Path<Values>>);
    form.setValue(scopeField, scope.scopeId as PathValue<Values, Path<Values>>);
    form.clearErrors(scopeField);
  };
  return (
    <ScopePicker
      label={label}
      types={[
        ...(workspaceId === undefined ? [["organization", "The whole company"] as const] : []),
        ["workspace", workspaceId ? "This workspace" : "A workspace"],
        ["api_key", "One key"],
        ...(hasPeople && workspaceId === undefined ? peopleTypes : []),
        ...(hasTags && workspaceId === undefined ? [["tag", "A tag"] as const] : []),
      ]}
      scopeType={scopeType}
      scopeId={scopeId}
      workspaceId={workspaceId}
      error={form.getFieldState(scopeField, form.formState).error?.message}
      onType={(type) =>
        setScope({ scopeType: type, scopeId: type === "workspace" ? (workspaceId ?? null) : null })
      }
      onId={(id) => setScope({ scopeType, scopeId: id })}
    />
  );
}

const peopleTypes = [
  ["member", "One member"],
  ["group", "A group as a whole"],
  ["group_member", "Each member of a group"],
] as const;

/** Form values for the scope of a limit. A new limit has the widest scope of the page. */
export function toScopeValues(scope: Scope | null, workspaceId: string | undefined): ScopeValues {
  if (scope === null) {
    return {
      scopeType: workspaceId === undefined ? "organization" : "workspace",
      scopeId: workspaceId ?? null,
    };
  }
  return { scopeType: scope.type, scopeId: findScopeId(scope) };
}
