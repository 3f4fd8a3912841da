import { type KeyboardEvent, useState } from "react";
import { CodeSamples } from "../../kit/code-samples/code-samples.tsx";
import { USUAL_MODEL } from "../../kit/code-samples/first-request.ts";
import type { Message } from "../../kit/code-samples/message-request.ts";
import { LoadError } from "../../kit/error-pages.tsx";
import { useList } from "../../queries.ts";
import { useSession } from "../../session.ts";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { TextArea } from "../../ui/input.tsx";
import { Page, Section } from "../../ui/page.tsx";
import { EmptyState, FormError, SkeletonRows } from "../../ui/states.tsx";
import { PlaygroundSettings } from "./settings.tsx";
import { toRequest } from "./to-request.ts";
import { Turns } from "./turns.tsx";
import { type Conversation, type Settings, useConversation } from "./use-conversation.ts";

const DEFAULT_TOKENS = 1024;

/** Conversation with Claude through the public Claude API, as the signed-in member. */
export function PlaygroundPage() {
  const session = useSession();
  const models = useList("listModelPrices", {});
  const workspaces = session.workspaces.filter(({ permissions }) =>
    permissions.includes("messages:create"),
  );
  if (models.error) return <LoadError error={models.error} onRetry={() => void models.refetch()} />;
  const names = (models.data?.items ?? [])
    .filter(({ lifecycle }) => lifecycle === "active")
    .map(({ model }) => model);
  return (
    <Page
      title="Playground"
      guide="simulator"
      lead="Test a prompt. Requests count as your usage and have the usual cost. Messages are not stored."
    >
      {workspaces.length === 0 ? (
        <EmptyState title="No workspace available">
          Messages need a workspace role that allows requests. A Workspace Admin can assign one.
        </EmptyState>
      ) : models.isPending ? (
        <SkeletonRows />
      ) : (
        <Playground workspaces={workspaces} models={names} />
      )}
    </Page>
  );
}

interface PlaygroundProps {
  workspaces: readonly { id: string; name: string }[];
  models: readonly string[];
}

function Playground({ workspaces, models }: PlaygroundProps) {
  const conversation = useConversation();
  const [draft, setDraft] = useState("");
  const [settings, setSettings] = useState<Settings>({
    workspaceId: workspaces[0]?.id ?? "",
    model: models.includes(USUAL_MODEL) ? USUAL_MODEL : (models[0] ?? USUAL_MODEL),
    system: "",
    maxTokens: DEFAULT_TOKENS,
    isStreamed: true,
  });
  return (
    <div className="grid gap-12">
      <div className="grid gap-x-10 gap-y-8 lg:grid-cols-[minmax(0,1fr)_18rem]">
        <div className="lg:order-2">
          <PlaygroundSettings
            settings={settings}
            workspaces={workspaces}
            models={models}
            onChange={(change) => setSettings({ ...settings, ...change })}
          />
        </div>
        <div className="grid content-start gap-5">
          <Turns turns={conversation.turns} />
          <Composer
            conversation={conversation}
            draft={draft}
            onDraft={setDraft}
            settings={settings}
          />
        </div>
      </div>
      <Section title="Request code" lead="Set ANTHROPIC_API_KEY to a key of the workspace.">
        <CodeSamples
          clients={["curl", "Python", "TypeScript", "Vercel AI", "LangChain", "LangChain.js"]}
          secret={null}
          request={toRequest(findSampleTurns(conversation.turns, draft), settings)}
        />
      </Section>
    </div>
  );
}

/** Turns of the next call, or of the last call without a draft. */
function findSampleTurns(turns: readonly Message[], draft: string): readonly Message[] {
  const lastUserIndex = turns.findLastIndex(({ role }) => role === "user");
  if (draft.trim() === "" && lastUserIndex >= 0) return turns.slice(0, lastUserIndex + 1);
  return [...turns, { role: "user", content: draft.trim() || "Hello, Claude" }];
}

interface ComposerProps {
  conversation: Conversation;
  draft: string;
  onDraft: (text: string) => void;
  settings: Settings;
}

function Composer({ conversation, draft, onDraft, settings }: ComposerProps) {
  const { isRunning, turns, error } = conversation;
  const hasValidSettings = settings.maxTokens > 0 && settings.model.trim() !== "";
  const canSend = hasValidSettings && draft.trim() !== "" && !isRunning;
  const send = async () => {
    if (!canSend) return;
    onDraft("");
    const isSent = await conversation.send(draft, settings);
    if (!isSent) onDraft(draft);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.metaKey || event.ctrlKey)) return;
    event.preventDefault();
    void send();
  };
  return (
    <form
      className="grid gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <FormError error={error} />
      <Field label="Message" hint="Ctrl or ⌘ and Enter sends the message.">
        {(control) => (
          <TextArea
            {...control}
            rows={4}
            value={draft}
            onChange={(event) => onDraft(event.target.value)}
            onKeyDown={onKeyDown}
          />
        )}
      </Field>
      <div className="flex flex-wrap gap-2.5">
        {isRunning ? (
          <Button onClick={conversation.stop}>Stop response</Button>
        ) : (
          <Button kind="primary" type="submit" disabled={!canSend}>
            Send message
          </Button>
        )}
        {turns.length > 0 && !isRunning && (
          <Button kind="quiet" onClick={conversation.clear}>
            Clear conversation
          </Button>
        )}
      </div>
    </form>
  );
}
