import { useState } from "react";
import { ConfirmChange } from "../../kit/confirm-change.tsx";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { Button } from "../../ui/button.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Input } from "../../ui/input.tsx";
import { ErrorState, FormError, SkeletonRows } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { SettingsDifference } from "./settings-difference.tsx";
import type { SettingsPolicy } from "./settings-draft.ts";
import { describeSettingsChange } from "./settings-effects.ts";
import {
  type SettingsCheck,
  type SettingsVersion,
  useRestoreManagedSettings,
  useSetManagedSettings,
} from "./settings-queries.ts";

const MAX_COMMENT_LENGTH = 500;

interface SaveProps {
  policies: readonly SettingsPolicy[];
  check: SettingsCheck;
  /** Version that the page was filled with. */
  seenVersion: number;
  groupNames: ReadonlyMap<string, string>;
  onClose: () => void;
  onSaved: () => void;
}

const describeStep = (version: number) =>
  version === 0 ? "This is the first version." : `The change replaces version ${version}.`;

/** Shows the difference, and saves it over the version that it was computed from. */
export function SaveSettingsDialog(props: SaveProps) {
  const { policies, check, seenVersion, groupNames, onClose, onSaved } = props;
  const change = useSetManagedSettings();
  const [comment, setComment] = useState("");
  const hasChanges = check.changes.length > 0 || check.is_reordered;
  return (
    <Dialog
      title="Review changes"
      description={describeStep(check.version)}
      isOpen
      isWide
      isForgetful
      onClose={onClose}
    >
      <form
        className="grid gap-5"
        onSubmit={(event) => {
          event.preventDefault();
          const body = {
            policies: [...policies],
            if_version: check.version,
            comment: comment === "" ? null : comment,
          };
          change.mutate(
            { body },
            {
              onSuccess: ({ version }) => {
                showToast(`Managed settings saved as version ${version}`);
                onSaved();
              },
            },
          );
        }}
      >
        {check.version !== seenVersion && (
          <p role="alert" className="rounded-md bg-warn-wash px-3.5 py-3 text-sm text-warn">
            Another member saved version {check.version} in the meantime. The difference is from
            that version, so its changes are undone here.
          </p>
        )}
        <SettingsDifference check={check} groupNames={groupNames} />
        <Warnings warnings={check.warnings} policies={policies} />
        {hasChanges && <Consequences sentences={describeSettingsChange(check)} />}
        <Field label="Comment" isOptional hint="Reason for the change, for the list of versions.">
          {(control) => (
            <Input
              {...control}
              value={comment}
              maxLength={MAX_COMMENT_LENGTH}
              onChange={(event) => setComment(event.target.value)}
            />
          )}
        </Field>
        <FormError error={change.error} />
        <DialogActions>
          <CancelButton />
          <Button kind="primary" type="submit" isBusy={change.isPending} disabled={!hasChanges}>
            Save settings
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

export function Warnings({
  warnings,
  policies,
}: {
  warnings: SettingsCheck["warnings"];
  policies: readonly { name: string }[];
}) {
  if (warnings.length === 0) return null;
  return (
    <section className="grid gap-1.5 rounded-md bg-warn-wash px-3.5 py-3 text-sm text-warn">
      <h3 className="font-semibold">{formatPlural(warnings.length, "warning")}</h3>
      <ul className="grid gap-1">
        {warnings.map(({ path, code, message }) => (
          <li key={`${path} ${code}`}>
            <strong className="font-medium">{namePlace(policies, path)}</strong>: {message}
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Names the policy and the key of a path such as `policies.0.settings.env`. */
function namePlace(policies: readonly { name: string }[], path: string): string {
  const [, index, field, ...key] = path.split(".");
  const policy = index === undefined ? undefined : policies[Number(index)];
  if (policy === undefined) return "Policies";
  return field === "settings" ? `${policy.name}, ${key.join(".")}` : policy.name;
}

interface RestoreProps {
  version: SettingsVersion;
  /** Policies of the version. */
  policies: readonly SettingsPolicy[];
  /** Difference from the current version. Null: it loads. */
  check: SettingsCheck | null;
  error: Error | null;
  groupNames: ReadonlyMap<string, string>;
  onClose: () => void;
  onSaved: () => void;
}

/** Shows the effect of an earlier version on the current one, and saves it again. */
export function RestoreVersionDialog(props: RestoreProps) {
  const { version, policies, check, error, groupNames, onClose, onSaved } = props;
  const change = useRestoreManagedSettings();
  return (
    <ConfirmChange
      change={change}
      action={`Restore version ${version.version}`}
      input={{
        params: { managed_settings_version_id: version.id ?? "" },
        // The version that the difference is from.
        body: { if_version: check?.version, comment: null },
      }}
      isDisabled={check === null}
      toast={(saved) => `Version ${version.version} is now version ${saved.version}`}
      onClose={onClose}
      onSaved={onSaved}
    >
      <p>
        The policies of this version replace{" "}
        {check ? `version ${check.version}` : "the current ones"}. All versions are kept.
      </p>
      {check === null && error === null && <SkeletonRows rows={2} />}
      {error && <ErrorState error={error} />}
      {check && <Warnings warnings={check.warnings} policies={policies} />}
      {check && <SettingsDifference check={check} groupNames={groupNames} />}
      {check && <Consequences sentences={describeSettingsChange(check)} />}
    </ConfirmChange>
  );
}
