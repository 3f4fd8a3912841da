import { Navigate, useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { AuthPage } from "../../kit/sign-in/auth-page.tsx";
import { NewPasswordField } from "../../kit/sign-in/new-password-field.tsx";
import { consumeToken } from "../../kit/sign-in/one-time-token.ts";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useApi, useChange } from "../../queries.ts";
import { openSignIn, startSession, useSessionQuery } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import type { Step } from "./search.ts";
import { KeyStep, UpstreamStep, WorkspaceStep } from "./steps.tsx";

/** Set-up from the first start to the first request. All steps after the owner can be done later. */
export function SetUpPage() {
  const { step }: { step?: Step } = useSearch({ strict: false });
  const session = useSessionQuery();
  const state = useApi("getSetUp", {});
  const navigate = useNavigate();
  const [workspaceId, setWorkspaceId] = useState<string | null>(null);
  const go = (next: Step | null) =>
    void (next ? navigate({ to: "/setup", search: { step: next } }) : navigate({ to: "/" }));
  if (session.isPending || state.isPending) return null;
  if (!session.data) {
    if (state.data?.is_open === false) return <SignInRedirect />;
    return <OwnerStep onDone={() => go("upstream")} />;
  }
  switch (step) {
    case "upstream":
      return <UpstreamStep onNext={() => go("workspace")} />;
    case "workspace":
      return (
        <WorkspaceStep
          onNext={(id) => {
            setWorkspaceId(id);
            go("key");
          }}
        />
      );
    case "key":
      return <KeyStep workspaceId={workspaceId} onNext={() => go(null)} />;
    default:
      return <Navigate to="/" replace />;
  }
}

function SignInRedirect() {
  useEffect(() => void openSignIn(null), []);
  return null;
}

/** Token of the link. Survives renders until the page closes. */
let linkToken: string | null = null;

function OwnerStep({ onDone }: { onDone: () => void }) {
  const [token, setToken] = useState(linkToken);
  useEffect(() => {
    linkToken = consumeToken() ?? linkToken;
    setToken(linkToken);
  }, []);
  // No answer is stale: a set-up that is done, without a session yet, would leave for the sign-in.
  const { form, submit, isBusy, error } = useChangeForm(useChange("setUp", []), {
    defaultValues: { organization_name: "", name: "", email: "", password: "" },
    toInput: ({ organization_name, ...person }) => {
      const company = organization_name.trim();
      return {
        body: { token: token ?? "", ...person, ...(company && { organization_name: company }) },
      };
    },
    onSaved: async () => {
      linkToken = null;
      await startSession();
      onDone();
    },
  });
  const { errors } = form.formState;
  if (token === null) return <NoLinkPage />;
  return (
    <AuthPage title="Welcome to Bursar" lead="You become the first owner.">
      <form noValidate className="grid gap-5" onSubmit={submit}>
        <Field label="Company" error={errors.organization_name?.message}>
          {(control) => (
            <Input
              {...control}
              autoComplete="organization"
              autoFocus
              {...form.register("organization_name", needed("Enter a company name."))}
            />
          )}
        </Field>
        <Field label="Your name" error={errors.name?.message}>
          {(control) => (
            <Input
              {...control}
              autoComplete="name"
              {...form.register("name", needed("Enter your name."))}
            />
          )}
        </Field>
        <Field label="E-mail" error={errors.email?.message}>
          {(control) => (
            <Input
              {...control}
              type="email"
              autoComplete="username"
              {...form.register("email", needed("Enter your e-mail address."))}
            />
          )}
        </Field>
        <NewPasswordField
          registration={form.register("password", needed("Choose a password."))}
          error={errors.password?.message}
        />
        <FormError error={error} />
        <Button kind="primary" type="submit" isBusy={isBusy}>
          Create owner
        </Button>
      </form>
    </AuthPage>
  );
}

function NoLinkPage() {
  return (
    <AuthPage
      title="Open the set-up link"
      lead="This installation has no owner yet. The server prints a set-up link when it starts. This command on the server prints a new link:"
    >
      <CodeBlock text="./bursar setup-link" what="command" />
      <p className="text-sm text-quiet">
        The link expires after one hour. Only people with access to the server can read the link.
      </p>
    </AuthPage>
  );
}
