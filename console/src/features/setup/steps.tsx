import { type ReactNode, useState } from "react";
import { type ApiKey, useCreateApiKey } from "../../kit/api-keys/queries.ts";
import { ApiKeySecretDialog } from "../../kit/api-keys/secret-dialog.tsx";
import { LateFirstRequest } from "../../kit/first-request/late-first-request.tsx";
import { AuthPage } from "../../kit/sign-in/auth-page.tsx";
import { UpstreamForm } from "../../kit/upstreams/upstream-form.tsx";
import { useChangeForm } from "../../kit/use-change-form.ts";
import { useCreateWorkspace, useWorkspaces } from "../../kit/workspaces/queries.ts";
import { useList } from "../../queries.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Choices, Input } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";

const STEP_COUNT = 3;

function StepPage(props: { number: number; title: string; lead: ReactNode; children: ReactNode }) {
  const { number, title, lead, children } = props;
  return (
    <AuthPage
      isWide
      title={title}
      lead={lead}
      above={
        <span
          className="mb-2 flex items-center gap-1.5"
          aria-label={`Step ${number} of ${STEP_COUNT}`}
          role="img"
        >
          {Array.from({ length: STEP_COUNT }, (_, index) => (
            <span
              key={String(index)}
              className={`h-1 w-8 rounded-full ${index < number ? "bg-accent" : "bg-line"}`}
            />
          ))}
        </span>
      }
    >
      {children}
    </AuthPage>
  );
}

export function UpstreamStep({ onNext }: { onNext: () => void }) {
  const [choice, setChoice] = useState<"simulator" | "claude">("simulator");
  return (
    <StepPage
      number={1}
      title="Upstream"
      lead="Programs use keys of this server. The company’s key for the Claude API is stored only here."
    >
      <Choices
        legend="Claude API"
        name="upstream"
        value={choice}
        onChange={setChoice}
        choices={[
          {
            value: "simulator",
            label: "Built-in simulator",
            hint: "Answers like the Claude API, with streaming, at no cost.",
          },
          {
            value: "claude",
            label: "Claude API",
            hint: "Needs a key from the Claude Console. Requests cost money.",
          },
        ]}
      />
      {choice === "claude" ? (
        <UpstreamForm onSaved={onNext} onCancel={onNext} />
      ) : (
        <div className="flex gap-2.5">
          <Button kind="primary" onClick={onNext}>
            Use the simulator
          </Button>
        </div>
      )}
    </StepPage>
  );
}

export function WorkspaceStep({ onNext }: { onNext: (workspaceId: string | null) => void }) {
  const workspaces = useWorkspaces();
  const { form, submit, isBusy, error } = useChangeForm(useCreateWorkspace(), {
    defaultValues: { name: "" },
    toInput: (body) => ({ body }),
    onSaved: ({ id }) => onNext(id),
  });
  const existing = workspaces.data?.items.find(({ is_default }) => is_default);
  return (
    <StepPage
      number={2}
      title="First workspace"
      lead="A workspace has its own keys, members, limits and cost. Create one for each team or product."
    >
      <form noValidate className="grid gap-5" onSubmit={submit}>
        <Field label="Name" error={form.formState.errors.name?.message}>
          {(control) => (
            <Input
              {...control}
              autoFocus
              placeholder="Engineering"
              {...form.register("name", needed("Enter a name."))}
            />
          )}
        </Field>
        <FormError error={error} />
        <div className="flex flex-wrap gap-2.5">
          <Button kind="primary" type="submit" isBusy={isBusy}>
            Create workspace
          </Button>
          <Button kind="quiet" onClick={() => onNext(existing?.id ?? null)}>
            {existing ? `Use “${existing.name}”` : "Skip"}
          </Button>
        </div>
      </form>
    </StepPage>
  );
}

interface FirstKey {
  key: Pick<ApiKey, "id" | "allowed_models" | "owner">;
  secret: string;
}

interface KeyStepProps {
  workspaceId: string | null;
  onNext: () => void;
}

export function KeyStep({ workspaceId, onNext }: KeyStepProps) {
  const create = useCreateApiKey();
  const workspaces = useList("listWorkspaces", {});
  const [made, setMade] = useState<FirstKey | null>(null);
  const [isStored, setIsStored] = useState(false);
  const chosen = workspaceId ?? workspaces.data?.items[0]?.id;
  const createFirstKey = async () => {
    const { id, allowed_models, owner, key } = await create.mutateAsync({
      body: { name: "First key", workspace_id: chosen ?? "", permissions: ["write"] },
    });
    // A key of the workspace has no owner whom the secret waits for.
    if (key !== null) setMade({ key: { id, allowed_models, owner }, secret: key });
    create.reset();
  };
  return (
    <StepPage
      number={3}
      title="First request"
      lead="A program needs the address of this server as its base URL, and a key."
    >
      {made === null ? (
        <div className="grid gap-4">
          <FormError error={create.error} />
          <div className="flex flex-wrap gap-2.5">
            <Button
              kind="primary"
              isBusy={create.isPending}
              disabled={chosen === undefined}
              onClick={() => void createFirstKey().catch(() => undefined)}
            >
              Create key
            </Button>
            <Button kind="quiet" onClick={onNext}>
              Skip
            </Button>
          </div>
        </div>
      ) : (
        <LateFirstRequest apiKey={made.key} secret={made.secret}>
          {(isAnswered) => (
            <div className="flex">
              <Button kind={isAnswered ? "primary" : "plain"} onClick={onNext}>
                Go to overview
              </Button>
            </div>
          )}
        </LateFirstRequest>
      )}
      <ApiKeySecretDialog
        secret={isStored || !made ? null : made.secret}
        onDone={() => setIsStored(true)}
      />
    </StepPage>
  );
}
