import { LoadError } from "../../kit/error-pages.tsx";
import { staleLaptops } from "../../kit/laptops/queries.ts";
import { NoWorkspace } from "../../kit/personal-keys/no-workspace.tsx";
import {
  type PersonalKeyWorkspace,
  stalePersonalKeys,
  usePersonalKeyOptions,
} from "../../kit/personal-keys/queries.ts";
import { WorkspaceChoice } from "../../kit/personal-keys/workspace-choice.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useChange } from "../../queries.ts";
import { useSession } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input } from "../../ui/input.tsx";
import { Facts } from "../../ui/page.tsx";
import { RelativeTime } from "../../ui/relative-time.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { type DeviceAuthorization, isEndedCode } from "./queries.ts";

interface DecisionProps {
  asked: DeviceAuthorization;
  onApproved: (name: string) => void;
  onDenied: () => void;
  /** The code has ended meanwhile. */
  onEnded: () => void;
}

/** Shows the client that asks, and lets the member approve or deny it. */
export function Decision(props: DecisionProps) {
  const { asked, onDenied, onEnded } = props;
  const { member } = useSession();
  const options = usePersonalKeyOptions();
  const deny = useChange("denyDeviceAuthorization", []);
  if (options.error) {
    return <LoadError error={options.error} onRetry={() => void options.refetch()} />;
  }
  const denyButton = (
    <Button
      isBusy={deny.isPending}
      onClick={() =>
        deny.mutate(
          { params: { user_code: asked.user_code } },
          { onSuccess: onDenied, onError: (error) => isEndedCode(error) && onEnded() },
        )
      }
    >
      Deny sign-in
    </Button>
  );
  return (
    <>
      <Facts
        items={[
          [
            "Code",
            <strong key="code" className="font-mono tracking-widest">
              {asked.user_code}
            </strong>,
          ],
          ["Client", `Claude Code ${asked.client_version ?? ""}`],
          ["Address", asked.ip_address ?? "Unknown"],
          ["Requested", <RelativeTime key="at" at={asked.created_at} />],
          ["Expires", <RelativeTime key="until" at={asked.expires_at} />],
          ["Your account", member.email],
        ]}
      />
      <p className="rounded-md bg-warn-wash px-4 py-3 text-sm text-warn">
        Approve only if your own terminal shows this code now. The laptop then spends in your name
        until it is ended.
      </p>
      {!options.data ? (
        <SkeletonRows rows={2} />
      ) : options.data.workspaces.length === 0 ? (
        <>
          <NoWorkspace contacts={options.data.contacts} />
          <div>{denyButton}</div>
        </>
      ) : (
        <Approval {...props} workspaces={options.data.workspaces} denyButton={denyButton} />
      )}
      <FormError error={isEndedCode(deny.error) ? null : deny.error} />
    </>
  );
}

interface ApprovalProps extends DecisionProps {
  workspaces: readonly PersonalKeyWorkspace[];
  denyButton: React.ReactNode;
}

function Approval({ asked, onApproved, onEnded, workspaces, denyButton }: ApprovalProps) {
  const { member } = useSession();
  const approve = useChange("approveDeviceAuthorization", [...staleLaptops, ...stalePersonalKeys]);
  const { form, submit, isBusy, error } = useChangeForm(approve, {
    defaultValues: {
      name: `${member.name.split(" ")[0] ?? member.name}’s laptop`,
      // A workspace without a role would make the person a member of it.
      workspace_id: (workspaces.find(({ role }) => role !== null) ?? workspaces[0])?.id ?? "",
    },
    toInput: (body) => ({ params: { user_code: asked.user_code }, body }),
    onSaved: ({ name }) => onApproved(name),
  });
  const { errors } = form.formState;
  const chosen = workspaces.find(({ id }) => id === form.watch("workspace_id"));
  return (
    <form noValidate className="grid gap-5" onSubmit={submit}>
      <Field
        label="Name of the laptop"
        hint="Shown in the list of your laptops."
        error={errors.name?.message}
      >
        {(control) => (
          <Input {...control} {...form.register("name", needed("Enter a name."))} maxLength={100} />
        )}
      </Field>
      <WorkspaceChoice
        workspaces={workspaces}
        value={form.watch("workspace_id")}
        error={errors.workspace_id?.message}
        hint={
          chosen?.role === null
            ? `The laptop makes you a member of ${chosen.name}. Its limits apply.`
            : "Requests of the laptop count towards this workspace. Its limits apply."
        }
        onChange={({ id }) => form.setValue("workspace_id", id, { shouldDirty: true })}
      />
      {isEndedCode(error) ? (
        <div role="alert" className="text-sm text-bad">
          The code has ended.{" "}
          <button type="button" className="link" onClick={onEnded}>
            Show why
          </button>
        </div>
      ) : (
        <FormError error={error} />
      )}
      <div className="flex flex-wrap gap-2.5">
        <Button kind="primary" type="submit" isBusy={isBusy}>
          Approve laptop
        </Button>
        {denyButton}
      </div>
    </form>
  );
}
