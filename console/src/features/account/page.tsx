import { roleNames } from "@bursar/contract/permissions.ts";
import { useState } from "react";
import type { Answer } from "../../api-client.ts";
import { WaitingSecrets } from "../../kit/api-keys/waiting-secrets.tsx";
import { ConfirmChange } from "../../kit/confirm-change.tsx";
import { Consequences } from "../../kit/consequences/consequences.tsx";
import { LaptopList } from "../../kit/laptops/laptop-list.tsx";
import { staleLaptops } from "../../kit/laptops/queries.ts";
import { OwnDirectories } from "../../kit/sign-in/linked-directories.tsx";
import { NewPasswordField } from "../../kit/sign-in/new-password-field.tsx";
import { Passkeys } from "../../kit/sign-in/own-passkeys.tsx";
import { PasswordField } from "../../kit/sign-in/password-field.tsx";
import { SecondFactor } from "../../kit/sign-in/second-factor.tsx";
import { SessionList } from "../../kit/sign-in/session-list.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useApi, useChange, useList } from "../../queries.ts";
import { signOut, useSession } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { needed } from "../../ui/form.ts";
import { formatPlural } from "../../ui/format.ts";
import { Facts, Page, Section } from "../../ui/page.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { showToast } from "../../ui/toast.ts";
import { describeEndedSessions, describeNewPassword } from "./account-effects.ts";
import { OwnName } from "./own-name.tsx";
import { OwnTimes } from "./own-times.tsx";

/** The member's own name, sign-in methods and sessions. */
export function AccountPage() {
  const { member, organization, password_state } = useSession();
  return (
    <Page title="Your account" guide="signing-in">
      <div className="grid max-w-2xl gap-12">
        <Facts
          items={[
            ["E-mail", member.email],
            ["Company", organization.name],
            ["Role", roleNames[member.role]],
          ]}
        />
        <WaitingSecrets />
        <Section title="Name" lead="Your name in lists and messages.">
          <OwnName />
        </Section>
        <Section
          title="Times"
          lead="Zone and format of times in the console. Money periods, filters by day, files and the API use UTC."
        >
          <OwnTimes />
        </Section>
        <Section title="Company sign-in" lead="Directories of your company that open this account.">
          <OwnDirectories />
        </Section>
        <Section
          title="Passkeys"
          lead="Sign in with your fingerprint, face or device PIN. A passkey replaces the password and the second factor, and cannot be phished."
        >
          <Passkeys />
        </Section>
        <Section
          title="Second factor"
          lead="A code from an authenticator app, required after the password."
        >
          <SecondFactor />
        </Section>
        {password_state === "usable" && (
          <Section title="Password" lead="A new password ends your other sessions.">
            <ChangePassword />
          </Section>
        )}
        {password_state === "missing" && (
          <Section title="Password" lead="You have no password.">
            <p className="text-sm">
              <a href="/reset" className="link">
                Set a password
              </a>{" "}
              by a link to your address. All your sessions then end.
            </p>
          </Section>
        )}
        <Section title="Laptops" lead="Machines where Claude Code uses your account.">
          <OwnLaptops />
        </Section>
        <Section
          title="Sessions"
          lead="Devices that are signed in. End unknown sessions, and change your password."
        >
          <SessionSection />
        </Section>
      </div>
    </Page>
  );
}

const useOwnLaptops = () => useList("listOwnLaptops", { query: { status: "active" } });

function OwnLaptops() {
  const laptops = useOwnLaptops();
  if (laptops.error) return <FormError error={laptops.error} />;
  if (!laptops.data) return <SkeletonRows rows={1} />;
  return <LaptopList laptops={laptops.data.items} isOwn />;
}

function ChangePassword() {
  const { member } = useSession();
  const sessions = useApi("listSessions", {});
  const change = useChange("changePassword", ["listSessions"]);
  const { form, submit, isBusy, error } = useChangeForm(change, {
    defaultValues: { current_password: "", new_password: "" },
    toInput: (body) => ({ body }),
    onSaved: ({ ended_sessions }, _, { reset }) => {
      reset();
      showToast("Password changed", `${formatPlural(ended_sessions, "other session")} ended`);
    },
  });
  const { errors, isDirty } = form.formState;
  return (
    <form noValidate className="grid max-w-sm gap-5" onSubmit={submit}>
      <input type="hidden" autoComplete="username" value={member.email} readOnly />
      <PasswordField
        label="Current password"
        registration={form.register("current_password", needed("Enter your current password."))}
        error={errors.current_password?.message}
      />
      <NewPasswordField
        label="New password"
        registration={form.register("new_password", needed("Choose a password."))}
        error={errors.new_password?.message}
      />
      {isDirty && <Consequences sentences={describeNewPassword(listOtherDevices(sessions.data))} />}
      <FormError error={error} />
      <div>
        <Button type="submit" isBusy={isBusy}>
          Change password
        </Button>
      </div>
    </form>
  );
}

type Sessions = Answer<"listSessions">;

function listOtherDevices(sessions: Sessions | undefined) {
  return sessions?.data.filter(({ is_current }) => !is_current).map(({ device }) => device);
}

function SessionSection() {
  const sessions = useApi("listSessions", {});
  const end = useChange("endSession", ["listSessions"]);
  const [isEndingAll, setIsEndingAll] = useState(false);
  if (sessions.error) return <FormError error={sessions.error} />;
  if (!sessions.data) return <SkeletonRows rows={2} />;
  return (
    <div className="grid gap-4">
      <SessionList
        sessions={sessions.data.data}
        endingId={end.isPending ? end.variables?.params.session_id : undefined}
        onEnd={(id) => end.mutate({ params: { session_id: id } })}
        onSignOut={() => void signOut()}
      />
      <FormError error={end.error} />
      {sessions.data.data.length > 1 && (
        <div>
          <Button onClick={() => setIsEndingAll(true)}>End all other sessions and laptops…</Button>
        </div>
      )}
      {isEndingAll && (
        <EndAllDialog sessions={sessions.data} onClose={() => setIsEndingAll(false)} />
      )}
    </div>
  );
}

function EndAllDialog({ sessions, onClose }: { sessions: Sessions; onClose: () => void }) {
  const laptops = useOwnLaptops();
  return (
    <ConfirmChange
      change={useChange("signOutEverywhere", ["listSessions", ...staleLaptops])}
      input={{ body: { keep_current: true } }}
      action="End all other sessions and laptops"
      toast={({ ended }) => `${formatPlural(ended, "session")} ended`}
      onClose={onClose}
    >
      <Consequences
        sentences={describeEndedSessions({
          devices: listOtherDevices(sessions),
          laptops: laptops.data?.items.map(({ name }) => name),
        })}
        counts={[laptops]}
      />
    </ConfirmChange>
  );
}
