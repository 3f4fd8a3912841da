import { Plus } from "lucide-react";
import { useState } from "react";
import { ApiError } from "../../api-client.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { Button } from "../../ui/button.tsx";
import { Section } from "../../ui/page.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { UnsavedGuard } from "../../ui/unsaved-guard.tsx";
import { PolicyCard } from "./policy-card.tsx";
import { SaveSettingsDialog, Warnings } from "./settings-dialogs.tsx";
import {
  makeDraft,
  moveDraft,
  type PolicyDraft,
  placeNote,
  toDrafts,
  toPolicies,
} from "./settings-draft.ts";
import { SettingsPreview } from "./settings-preview.tsx";
import {
  type ManagedSettings,
  useCheckManagedSettings,
  useGroupNames,
  useManagedSettings,
} from "./settings-queries.ts";
import { SettingsVersions } from "./settings-versions.tsx";

/** Managed settings: the ordered policies, the settings of a member, and the versions. */
export function SettingsTab() {
  const settings = useManagedSettings();
  const groups = useGroupNames();
  const [edits, setEdits] = useState(0);
  const error = settings.error ?? groups.error;
  if (error) {
    const retry = () => void Promise.all([settings.refetch(), groups.refetch()]);
    return <LoadError error={error} onRetry={retry} />;
  }
  if (!settings.data || !groups.data) return <SkeletonRows />;
  return (
    <SettingsEditor
      key={edits}
      loaded={settings.data}
      groups={groups.data.items.toSorted((a, b) => a.name.localeCompare(b.name))}
      onReset={() => setEdits(edits + 1)}
    />
  );
}

interface EditorProps {
  loaded: ManagedSettings;
  groups: readonly { id: string; name: string }[];
  /** Starts again with the stored version. */
  onReset: () => void;
}

function SettingsEditor({ loaded, groups, onReset }: EditorProps) {
  // A version of another member must not replace what is edited here.
  const [saved] = useState(loaded);
  const [drafts, setDrafts] = useState<readonly PolicyDraft[]>(() => toDrafts(saved.policies));
  const [openKey, setOpenKey] = useState<number | null>(null);
  const [isSaving, setIsSaving] = useState(false);
  const check = useCheckManagedSettings();
  const policies = toPolicies(drafts);
  const isDirty = policies === null || JSON.stringify(policies) !== JSON.stringify(saved.policies);
  const groupNames = new Map(groups.map(({ id, name }) => [id, name]));
  const change = (next: readonly PolicyDraft[]) => {
    check.reset();
    setDrafts(next);
  };
  const add = () => {
    const hasBase = drafts.some(({ groupIds }) => groupIds.length === 0);
    const draft = makeDraft(hasBase ? "New policy" : "Everyone", [], {});
    change([...(hasBase ? [draft] : []), ...drafts, ...(hasBase ? [] : [draft])]);
    setOpenKey(draft.key);
  };
  const review = () => {
    if (policies === null) return;
    check.mutate({ body: { policies } }, { onSuccess: () => setIsSaving(true) });
  };
  const faults = check.error instanceof ApiError ? check.error.fields : [];
  const notes = faults.map((fault) => placeNote(drafts, fault));
  return (
    <div className="grid gap-9">
      <UnsavedGuard isDirty={isDirty && !isSaving} />
      <Section
        title="Policies"
        lead="A member gets the first policy with one of the member’s groups, laid over the policy for everyone."
        actions={
          <Button onClick={add}>
            <Plus size={16} /> Add policy
          </Button>
        }
      >
        {drafts.length === 0 ? (
          <p className="text-sm text-quiet">
            No policy. Clients use the settings of their own machine.
          </p>
        ) : (
          <ol className="grid gap-2.5">
            {drafts.map((draft, index) => (
              <PolicyCard
                key={draft.key}
                draft={draft}
                index={index}
                count={drafts.length}
                groups={groups}
                notes={notes.filter((note) => note.index === index)}
                isOpen={draft.key === openKey}
                onToggle={() => setOpenKey(draft.key === openKey ? null : draft.key)}
                onChange={(next) => change(drafts.map((each) => (each === draft ? next : each)))}
                onMove={(to) => change(moveDraft(drafts, index, to))}
                onRemove={() => change(drafts.filter((each) => each !== draft))}
              />
            ))}
          </ol>
        )}
        {notes.some(({ index }) => index !== null) ? (
          <p role="alert" className="text-sm font-medium text-bad">
            Correct the marked policies. Nothing was saved.
          </p>
        ) : (
          <FormError error={check.error} />
        )}
        {!isDirty && <Warnings warnings={saved.warnings} policies={saved.policies} />}
        <div className="flex flex-wrap gap-2.5">
          <Button
            kind="primary"
            isBusy={check.isPending}
            disabled={!isDirty || policies === null}
            onClick={review}
          >
            Review changes…
          </Button>
          {isDirty && <Button onClick={onReset}>Discard changes</Button>}
        </div>
      </Section>
      <SettingsPreview policies={policies} />
      <SettingsVersions
        currentVersion={saved.version}
        groupNames={groupNames}
        onRestored={isDirty ? null : onReset}
      />
      {isSaving && check.data && policies && (
        <SaveSettingsDialog
          policies={policies}
          check={check.data}
          seenVersion={saved.version}
          groupNames={groupNames}
          onClose={() => setIsSaving(false)}
          onSaved={onReset}
        />
      )}
    </div>
  );
}
