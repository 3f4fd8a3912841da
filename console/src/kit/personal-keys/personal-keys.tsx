import { Plus } from "lucide-react";
import { useState } from "react";
import { Button } from "../../ui/button.tsx";
import { ColorDot } from "../../ui/color-dot.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Section } from "../../ui/page.tsx";
import { EmptyState, ErrorState, SkeletonRows } from "../../ui/states.tsx";
import { useNow } from "../../ui/use-now.ts";
import { stateOf } from "../api-keys/key-state.ts";
import type { ApiKey } from "../api-keys/queries.ts";
import { WaitingSecrets } from "../api-keys/waiting-secrets.tsx";
import { LateFirstRequest } from "../first-request/late-first-request.tsx";
import { type CreatedPersonalKey, CreatePersonalKeyDialog } from "./create-personal-key.tsx";
import { NewPersonalKeyDialog } from "./new-personal-key.tsx";
import { NoWorkspace } from "./no-workspace.tsx";
import { PersonalKeyList } from "./personal-key-list.tsx";
import { type PersonalKeyWorkspace, usePersonalKeyOptions, usePersonalKeys } from "./queries.ts";

/** Keys of one's own, and the way to a first request. Also the overview of members without other rights. */
export function PersonalKeys() {
  const options = usePersonalKeyOptions();
  const keys = usePersonalKeys();
  const nowMs = useNow();
  const [isCreating, setIsCreating] = useState(false);
  const [created, setCreated] = useState<CreatedPersonalKey | null>(null);
  const error = (options.data ? null : options.error) ?? (keys.data ? null : keys.error);
  if (error) return <ErrorState error={error} onRetry={() => void options.refetch()} />;
  if (!options.data || !keys.data) return <SkeletonRows />;
  const { workspaces, group_models: groupModels } = options.data;
  const { items } = keys.data;
  const create = workspaces.length > 0 && (
    <Button kind="primary" data-create onClick={() => setIsCreating(true)}>
      <Plus size={16} /> Create your key…
    </Button>
  );
  return (
    <div className="grid gap-10">
      <WaitingSecrets />
      {items.length > 0 ? (
        <Section title="Your keys" actions={create}>
          <PersonalKeyList keys={items} />
          {!create && <NoWorkspace contacts={options.data.contacts} />}
        </Section>
      ) : create ? (
        <EmptyState title="Call Claude with a key of your own" action={create}>
          Create a key, copy the command, and see your first request here.
        </EmptyState>
      ) : (
        <NoWorkspace contacts={options.data.contacts} />
      )}
      {isNew(items, nowMs) && <FirstSteps apiKey={items[0] as ApiKey} />}
      {workspaces.length > 0 && (
        <PersonalKeyWorkspaces workspaces={workspaces} groupModels={groupModels} />
      )}
      {isCreating && (
        <CreatePersonalKeyDialog
          workspaces={workspaces}
          groupModels={groupModels}
          onClose={() => setIsCreating(false)}
          onCreated={(key) => {
            setIsCreating(false);
            setCreated(key);
          }}
        />
      )}
      <NewPersonalKeyDialog created={created} onDone={() => setCreated(null)} />
    </div>
  );
}

const NEW_MS = 86_400_000;

/** Whether the member has one new key, and none was used. */
function isNew(keys: readonly ApiKey[], nowMs: number): boolean {
  const [newest] = keys;
  return (
    newest !== undefined &&
    stateOf(newest) === "active" &&
    newest.created_by.id === (newest.owner.type === "member" ? newest.owner.id : null) &&
    nowMs - Date.parse(newest.created_at) < NEW_MS &&
    keys.every(({ last_used }) => last_used === null)
  );
}

/** Commands for a stored key, until its first request arrives. */
function FirstSteps({ apiKey }: { apiKey: ApiKey }) {
  return (
    <Section
      title="Send your first request"
      lead="Set ANTHROPIC_API_KEY to your key. The secret of a lost key cannot be shown again: rotate the key."
    >
      <LateFirstRequest apiKey={apiKey} secret={null} />
    </Section>
  );
}

const SHOWN = 10;

interface WorkspacesProps {
  workspaces: readonly PersonalKeyWorkspace[];
  /** Models that the member's groups allow. Null: all models. */
  groupModels: readonly string[] | null;
}

/** Workspaces where the member can create a key, with their rules. */
function PersonalKeyWorkspaces({ workspaces, groupModels }: WorkspacesProps) {
  const more = workspaces.length - SHOWN;
  const lead = "Each key belongs to one of these workspaces, and follows its rules.";
  return (
    <Section
      title="Workspaces for your keys"
      lead={groupModels ? `${lead} Your groups allow ${groupModels.join(", ")}.` : lead}
    >
      <ul className="divide-y divide-line border-y border-line text-sm">
        {workspaces.slice(0, SHOWN).map((workspace) => (
          <li key={workspace.id} className="grid gap-x-6 gap-y-1 py-3 sm:grid-cols-[15rem_1fr]">
            <span className="flex min-w-0 items-center gap-2 font-medium">
              <ColorDot color={workspace.display_color} />
              <span className="truncate">{workspace.name}</span>
            </span>
            <span className="text-quiet">{describeRules(workspace)}</span>
          </li>
        ))}
      </ul>
      {more > 0 && (
        <p className="text-sm text-quiet">
          {formatPlural(more, "more workspace")} in “Create your key”.
        </p>
      )}
    </Section>
  );
}

/** The rules of a workspace for a new key, in a few words. Null: there are none. */
function describeRules(workspace: PersonalKeyWorkspace): string | null {
  const { role, allowed_models, max_lifetime_days, max_keys, keys } = workspace;
  const rules = [
    role === null && "open to everyone in the company",
    allowed_models && `models ${allowed_models.join(", ")}`,
    max_lifetime_days !== null && `at most ${formatPlural(max_lifetime_days, "day")}`,
    max_keys !== null && `${keys} of ${formatPlural(max_keys, "key")}`,
  ].filter((rule) => rule !== false && rule !== null);
  const text = rules.join(" · ");
  return text === "" ? null : text.charAt(0).toUpperCase() + text.slice(1);
}
