import { roleNames } from "@bursar/contract/permissions.ts";
import type { Answer } from "../../api-client.ts";
import { AuthPage } from "../../kit/sign-in/auth-page.tsx";
import { NewPasswordField } from "../../kit/sign-in/new-password-field.tsx";
import { useOneTimeToken } from "../../kit/sign-in/one-time-token.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { Button, ButtonLink } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { formatDay } from "../../ui/format.ts";
import { Input } from "../../ui/input.tsx";
import { Facts } from "../../ui/page.tsx";
import { FormError, SkeletonRows } from "../../ui/states.tsx";
import { DirectoryButtons } from "./directory-buttons.tsx";
import { openConsole, useAnswer, useVisitorChange } from "./visitor.ts";

/** Shows the invite of a link, and accepts it. */
export function InvitePage() {
  const token = useOneTimeToken();
  const offer = useAnswer("lookUpInvite", token === null ? null : { body: { token } });
  if (token === null || offer.error) {
    return (
      <AuthPage
        title="Invalid invite"
        lead={
          offer.error?.message ?? "The link is incomplete. Copy the full link from the message."
        }
      >
        <p className="text-quiet">Ask for a new invite. If you have already joined, sign in.</p>
        <div className="flex">
          <ButtonLink to="/login">Sign in</ButtonLink>
        </div>
      </AuthPage>
    );
  }
  if (!offer.data) {
    return (
      <AuthPage title="Your invite">
        <SkeletonRows rows={3} />
      </AuthPage>
    );
  }
  return <Join offer={offer.data} token={token} />;
}

function Join({ offer, token }: { offer: Answer<"lookUpInvite">; token: string }) {
  const directories = useAnswer("listSignInDirectories", offer.company_sign_in_only ? {} : null);
  const { form, submit, isBusy, error } = useChangeForm(useVisitorChange("acceptInvite"), {
    defaultValues: { name: "", password: "" },
    toInput: ({ name, password }) => ({ body: { token, name, password } }),
    onSaved: () => openConsole("/"),
  });
  const { errors } = form.formState;
  return (
    <AuthPage title={`Join ${offer.organization_name}`}>
      <Facts
        items={[
          ["E-mail", offer.email],
          ["Role", roleNames[offer.role]],
          ...offer.workspaces.map(
            ({ name, workspace_role }) => [`In ${name}`, roleNames[workspace_role]] as const,
          ),
          ...(offer.groups.length > 0
            ? [["Groups", offer.groups.map(({ name }) => name).join(", ")] as const]
            : []),
          ["Expires", formatDay(offer.expires_at)],
        ]}
      />
      {offer.company_sign_in_only ? (
        <div className="grid gap-4">
          <p className="text-quiet">Your company sign-in gives you this role.</p>
          <DirectoryButtons directories={directories.data?.data ?? []} next={null} />
        </div>
      ) : (
        <form noValidate className="grid gap-5" onSubmit={submit}>
          <input type="hidden" autoComplete="username" value={offer.email} readOnly />
          <Field label="Your name" error={errors.name?.message}>
            {(control) => (
              <Input
                {...control}
                autoComplete="name"
                autoFocus
                {...form.register("name", needed("Enter your name."))}
              />
            )}
          </Field>
          <NewPasswordField
            registration={form.register("password", needed("Choose a password."))}
            error={errors.password?.message}
          />
          <FormError error={error} />
          <Button kind="primary" type="submit" isBusy={isBusy}>
            Join {offer.organization_name}
          </Button>
        </form>
      )}
    </AuthPage>
  );
}
