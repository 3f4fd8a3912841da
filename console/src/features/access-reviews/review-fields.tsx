import { type AccessPath, accessPaths } from "@bursar/contract/access-paths.ts";
import { roleNames } from "@bursar/contract/permissions.ts";
import type { UseFormReturn } from "react-hook-form";
import { pathWords } from "../../kit/access/words.ts";
import { useMembersWithRoles } from "../../kit/members/queries.ts";
import { useWorkspaces } from "../../kit/workspaces/queries.ts";
import { ColorDot } from "../../ui/color-dot.tsx";
import type { Option } from "../../ui/combobox.tsx";
import { Field } from "../../ui/field.tsx";
import { needed, neededDay } from "../../ui/form.ts";
import { exampleDay, formatPlural, parseDay } from "../../ui/format.ts";
import { Checkbox, Choices, Input, Select } from "../../ui/input.tsx";
import { PickMany } from "./pick-many.tsx";
import type { Review } from "./queries.ts";
import { recurrenceWords, ruleWords } from "./words.ts";

// Fields that the forms for a new review and for a change share.

export interface ReviewValues {
  name: string;
  paths: AccessPath[];
  /** Limited to the workspaces in `workspace_ids`. */
  is_limited: boolean;
  workspace_ids: string[];
  reviewer_ids: string[];
  /** Day in UTC, at whose end the review is due. */
  due_at: string;
  recurrence: Review["recurrence"];
  inactive_days: string;
  if_no_answer: Review["if_no_answer"];
  /** Days, or "never". */
  auto_close_days: string;
}

export type ReviewForm = UseFormReturn<ReviewValues>;

export const isInWorkspaces = (path: AccessPath) =>
  path !== "organization_role" && path !== "admin_key";

/** Converts a written due day to the last second of that day, for the API. */
export function toDueAt(day: string): string {
  return `${parseDay(day) ?? ""}T23:59:59.000Z`;
}

export function toAutoClose(choice: string): number | null {
  return choice === "never" ? null : Number(choice);
}

export function NameField({ form }: { form: ReviewForm }) {
  return (
    <Field label="Name" error={form.formState.errors.name?.message}>
      {(control) => (
        <Input {...control} {...form.register("name", needed("Enter a name."))} maxLength={100} />
      )}
    </Field>
  );
}

export function ScopeFields({ form }: { form: ReviewForm }) {
  const workspaces = useWorkspaces();
  const { paths, is_limited, workspace_ids } = form.watch();
  const { errors } = form.formState;
  const toggle = (path: AccessPath, isOn: boolean) => {
    form.setValue(
      "paths",
      accessPaths.filter((each) => (each === path ? isOn : paths.includes(each))),
      { shouldDirty: true },
    );
    form.clearErrors("paths");
  };
  return (
    <>
      <fieldset className="grid gap-2.5">
        <legend className="mb-1.5 text-sm font-medium">Access</legend>
        {accessPaths.map((path) => (
          <Checkbox
            key={path}
            label={pathWords[path].label}
            hint={pathWords[path].hint}
            checked={paths.includes(path)}
            onChange={({ target }) => toggle(path, target.checked)}
          />
        ))}
        {errors.paths && (
          <p role="alert" className="text-sm font-medium text-bad">
            {errors.paths.message}
          </p>
        )}
      </fieldset>
      {paths.some(isInWorkspaces) && (
        <Choices
          legend="Workspaces"
          name="where"
          value={is_limited ? "some" : "all"}
          onChange={(value) => form.setValue("is_limited", value === "some", { shouldDirty: true })}
          choices={[
            { value: "all", label: "All workspaces" },
            {
              value: "some",
              label: "Some workspaces",
              hint: "Company roles and admin keys apply to all workspaces and stay in the review.",
            },
          ]}
        />
      )}
      {paths.some(isInWorkspaces) && is_limited && (
        <PickMany
          label="Workspaces"
          placeholder="Add a workspace"
          error={errors.workspace_ids?.message}
          values={workspace_ids}
          onChange={(ids) => {
            form.setValue("workspace_ids", ids, { shouldDirty: true });
            form.clearErrors("workspace_ids");
          }}
          options={(workspaces.data?.items ?? []).map(({ id, name, display_color }) => ({
            value: id,
            label: name,
            mark: <ColorDot color={display_color} />,
          }))}
        />
      )}
    </>
  );
}

/** Members who can remove access: Owners, Admins and Workspace Admins. */
function useReviewerOptions(): Option[] {
  const members = useMembersWithRoles();
  return (members.data?.items ?? [])
    .filter(
      ({ status, role, workspaces }) =>
        status === "active" &&
        (role === "owner" ||
          role === "admin" ||
          workspaces?.some(({ workspace_role }) => workspace_role === "workspace_admin")),
    )
    .map(({ id, name, role }) => ({
      value: id,
      label: name,
      note: role === "owner" || role === "admin" ? roleNames[role] : roleNames.workspace_admin,
    }));
}

export function ReviewersField({ form }: { form: ReviewForm }) {
  return (
    <PickMany
      label="Reviewers"
      placeholder="Add a reviewer"
      hint="Owners decide on all access. Admins decide on all access except that of Owners. Workspace Admins decide on roles and keys of their workspaces."
      error={form.formState.errors.reviewer_ids?.message}
      values={form.watch("reviewer_ids")}
      onChange={(ids) => {
        form.setValue("reviewer_ids", ids, { shouldDirty: true });
        form.clearErrors("reviewer_ids");
      }}
      options={useReviewerOptions()}
    />
  );
}

export function DueField({ form }: { form: ReviewForm }) {
  return (
    <Field
      label="Due date"
      hint="Due at the end of this day (UTC). Reviewers get a reminder a week and a day before."
      error={form.formState.errors.due_at?.message}
    >
      {(control) => (
        <Input
          {...control}
          placeholder={exampleDay()}
          {...form.register("due_at", neededDay("Choose a day."))}
        />
      )}
    </Field>
  );
}

export function RecurrenceField({ form }: { form: ReviewForm }) {
  return (
    <Field label="Repeat" hint="Interval from the start date.">
      {(control) => (
        <Select {...control} {...form.register("recurrence")}>
          {Object.entries(recurrenceWords).map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

const MAX_INACTIVE_DAYS = 365;

export function InactiveField({ form }: { form: ReviewForm }) {
  return (
    <Field
      label="Days without use"
      hint="Removal is recommended for access that was not used for this long."
      error={form.formState.errors.inactive_days?.message}
    >
      {(control) => (
        <Input
          {...control}
          inputMode="numeric"
          {...form.register("inactive_days", {
            validate: (text) =>
              (/^\s*\d{1,3}\s*$/.test(text) &&
                Number(text) >= 1 &&
                Number(text) <= MAX_INACTIVE_DAYS) ||
              `Enter whole days, 1 to ${MAX_INACTIVE_DAYS}.`,
          })}
        />
      )}
    </Field>
  );
}

export function RuleFields({ form }: { form: ReviewForm }) {
  return (
    <>
      <Choices
        legend="Access without a decision"
        name="if_no_answer"
        value={form.watch("if_no_answer")}
        onChange={(rule) => form.setValue("if_no_answer", rule, { shouldDirty: true })}
        choices={(["keep", "as_recommended", "remove"] as const).map((value) => ({
          value,
          ...ruleWords[value],
        }))}
      />
      <AutoCloseField form={form} />
    </>
  );
}

const autoCloseChoices = [
  ["never", "Manually"],
  ["0", "Automatically, on the due date"],
  ["3", "Automatically, 3 days after"],
  ["7", "Automatically, 7 days after"],
  ["14", "Automatically, 14 days after"],
  ["30", "Automatically, 30 days after"],
] as const;

function AutoCloseField({ form }: { form: ReviewForm }) {
  const chosen = form.watch("auto_close_days");
  const isOther = !autoCloseChoices.some(([value]) => value === chosen);
  return (
    <Field label="Closing" hint="Decisions are applied when the review closes.">
      {(control) => (
        <Select {...control} {...form.register("auto_close_days")}>
          {isOther && (
            <option value={chosen}>
              Automatically, {formatPlural(Number(chosen), "day")} after
            </option>
          )}
          {autoCloseChoices.map(([value, label]) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}
