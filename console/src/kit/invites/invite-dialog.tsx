import {
  type OrganizationRole,
  roleNames,
  type WorkspaceRole,
} from "@bursar/contract/permissions.ts";
import { X } from "lucide-react";
import { useState } from "react";
import type { Answer } from "../../api-client.ts";
import { useList } from "../../queries.ts";
import { useMay, useSession } from "../../session.ts";
import { Badge, type Tone } from "../../ui/badge.tsx";
import { Button, IconButton } from "../../ui/button.tsx";
import { ColorDot } from "../../ui/color-dot.tsx";
import { Combobox } from "../../ui/combobox.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { CancelButton, Dialog, DialogActions } from "../../ui/dialog.tsx";
import { Field } from "../../ui/field.tsx";
import { formatPlural } from "../../ui/format.ts";
import { Select, TextArea } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import {
  assignableWorkspaceRoles,
  describeInheritedRole,
  findAssignableRoles,
  roleHints,
} from "../members/role-words.ts";
import { useWorkspaceNames, useWorkspaces } from "../workspaces/queries.ts";
import { useCreateInvites } from "./create-invites.ts";

type Results = Answer<"createInvites">["results"];
interface Place {
  workspaceId: string;
  role: WorkspaceRole;
}

const MAX_EMAILS = 50;

/** Invites several people with one role and workspaces, and shows the result of each address. */
export function InviteDialog({ onClose }: { onClose: () => void }) {
  const [results, setResults] = useState<Results | null>(null);
  return (
    <Dialog
      title={results ? "Invites" : "Invite members"}
      description={
        results
          ? "Each link is shown only once. Links are also sent by e-mail if a mail server is configured."
          : undefined
      }
      isOpen
      isWide
      isForgetful={results !== null}
      onClose={onClose}
    >
      {results ? (
        <InviteResults results={results} onClose={onClose} />
      ) : (
        <InviteForm onSent={setResults} />
      )}
    </Dialog>
  );
}

function InviteForm({ onSent }: { onSent: (results: Results) => void }) {
  const { member } = useSession();
  const create = useCreateInvites();
  const [text, setText] = useState("");
  const [error, setError] = useState<string | undefined>();
  const [role, setRole] = useState<OrganizationRole>("developer");
  const [places, setPlaces] = useState<Place[]>([]);
  const [groupIds, setGroupIds] = useState<string[]>([]);
  const emails = [...new Set(text.split(/[\s,;]+/).filter((part) => part !== ""))];
  const submit = async () => {
    if (emails.length === 0 || emails.length > MAX_EMAILS) {
      setError(
        emails.length === 0 ? "Enter an address." : `Enter at most ${MAX_EMAILS} addresses.`,
      );
      return;
    }
    const answer = await create.mutateAsync({
      body: {
        emails,
        role,
        group_ids: groupIds,
        workspaces: describeInheritedRole(role)
          ? []
          : places.map(({ workspaceId, role: workspace_role }) => ({
              workspace_id: workspaceId,
              workspace_role,
            })),
      },
    });
    create.reset();
    onSent(answer.results);
  };
  return (
    <form
      noValidate
      className="grid gap-5"
      onSubmit={(event) => {
        event.preventDefault();
        // The form shows the error of the mutation.
        submit().catch(() => undefined);
      }}
    >
      <Field
        label="E-mail addresses"
        hint={
          emails.length > 1
            ? formatPlural(emails.length, "address", "addresses")
            : "One per line, or separated by commas."
        }
        error={error}
      >
        {(control) => (
          <TextArea
            {...control}
            autoFocus
            value={text}
            spellCheck={false}
            placeholder={"ada@example.com\ngrace@example.com"}
            onChange={(event) => {
              setText(event.target.value);
              setError(undefined);
            }}
          />
        )}
      </Field>
      <Field label="Company role" hint={roleHints[role]}>
        {(control) => (
          <Select
            {...control}
            value={role}
            onChange={(event) => setRole(event.target.value as OrganizationRole)}
          >
            {findAssignableRoles(member.role).map((name) => (
              <option key={name} value={name}>
                {roleNames[name]}
              </option>
            ))}
          </Select>
        )}
      </Field>
      {describeInheritedRole(role) ? (
        <p className="text-sm text-quiet">
          {describeInheritedRole(role)}: no workspace needs to be chosen.
        </p>
      ) : (
        <Places places={places} onChange={setPlaces} />
      )}
      <Groups groupIds={groupIds} onChange={setGroupIds} />
      <FormError error={create.error} />
      <DialogActions>
        <CancelButton />
        <Button kind="primary" type="submit" isBusy={create.isPending}>
          {emails.length > 1 ? "Send invites" : "Send invite"}
        </Button>
      </DialogActions>
    </form>
  );
}

/** Workspaces of the invite, each with a role. */
function Places({ places, onChange }: { places: Place[]; onChange: (places: Place[]) => void }) {
  const workspaces = useWorkspaces();
  const nameOf = useWorkspaceNames();
  const chosen = new Set(places.map(({ workspaceId }) => workspaceId));
  return (
    <div className="grid gap-3">
      <input type="hidden" value={[...chosen].join(" ")} readOnly />
      <Field label="Workspaces" isOptional>
        {(control) => (
          <Combobox
            key={places.length}
            control={control}
            placeholder="Add a workspace"
            value={null}
            onChange={(id) =>
              id && onChange([...places, { workspaceId: id, role: "workspace_developer" }])
            }
            options={(workspaces.data?.items ?? [])
              .filter(({ id }) => !chosen.has(id))
              .map(({ id, name, display_color }) => ({
                value: id,
                label: name,
                mark: <ColorDot color={display_color} />,
              }))}
          />
        )}
      </Field>
      <ul className="divide-y divide-line">
        {places.map((place) => (
          <li key={place.workspaceId} className="flex items-center gap-3 py-1.5 text-sm">
            <ColorDot color={nameOf(place.workspaceId).color} />
            <span className="flex-1 truncate">{nameOf(place.workspaceId).name}</span>
            <Select
              aria-label={`Role in ${nameOf(place.workspaceId).name}`}
              className="w-56"
              value={place.role}
              onChange={(event) =>
                onChange(
                  places.map((other) =>
                    other === place
                      ? { ...place, role: event.target.value as WorkspaceRole }
                      : other,
                  ),
                )
              }
            >
              {assignableWorkspaceRoles.map((name) => (
                <option key={name} value={name}>
                  {roleNames[name]}
                </option>
              ))}
            </Select>
            <IconButton
              label={`Remove ${nameOf(place.workspaceId).name}`}
              onClick={() => onChange(places.filter((other) => other !== place))}
            >
              <X size={15} />
            </IconButton>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Groups that the people join. A directory fills its groups itself. */
function Groups(props: { groupIds: string[]; onChange: (groupIds: string[]) => void }) {
  const { groupIds, onChange } = props;
  const may = useMay();
  const groups = useList("listGroups", {}, { isEnabled: may("groups:write") });
  const all = (groups.data?.items ?? []).filter(({ is_managed }) => !is_managed);
  if (all.length === 0) return null;
  const nameOf = (id: string) => all.find((group) => group.id === id)?.name ?? id;
  return (
    <div className="grid gap-3">
      <Field label="Groups" hint="Groups give roles in workspaces, models and limits." isOptional>
        {(control) => (
          <Combobox
            key={groupIds.length}
            control={control}
            placeholder="Add a group"
            value={null}
            onChange={(id) => id && onChange([...groupIds, id])}
            options={all
              .filter(({ id }) => !groupIds.includes(id))
              .map(({ id, name }) => ({ value: id, label: name }))}
          />
        )}
      </Field>
      <ul className="divide-y divide-line">
        {groupIds.map((id) => (
          <li key={id} className="flex items-center gap-3 py-1.5 text-sm">
            <span className="flex-1 truncate">{nameOf(id)}</span>
            <IconButton
              label={`Remove ${nameOf(id)}`}
              onClick={() => onChange(groupIds.filter((other) => other !== id))}
            >
              <X size={15} />
            </IconButton>
          </li>
        ))}
      </ul>
    </div>
  );
}

const resultWords: Record<Results[number]["result"], readonly [Tone, string]> = {
  invited: ["good", "invited"],
  already_member: ["plain", "already a member"],
  already_invited: ["plain", "already invited"],
  invalid: ["bad", "invalid address"],
};

function InviteResults({ results, onClose }: { results: Results; onClose: () => void }) {
  return (
    <>
      <ul className="divide-y divide-line border-y border-line">
        {results.map(({ email, result, reason, link }) => (
          <li key={email} className="flex flex-wrap items-center gap-x-4 gap-y-2 py-2.5 text-sm">
            <span className="min-w-0 flex-1 basis-48">
              <span className="block truncate font-medium">{email}</span>
              {reason && <span className="block text-quiet">{reason}</span>}
            </span>
            <Badge tone={resultWords[result][0]}>{resultWords[result][1]}</Badge>
            {link && <CopyButton text={link} what="link" />}
          </li>
        ))}
      </ul>
      <DialogActions>
        <Button kind="primary" onClick={onClose}>
          Done
        </Button>
      </DialogActions>
    </>
  );
}
