import { useId } from "react";
import { Combobox } from "../../ui/combobox.tsx";
import { Field } from "../../ui/field.tsx";
import { Checkbox, Input, TextArea } from "../../ui/input.tsx";
import type { Settings } from "./use-conversation.ts";

interface SettingsProps {
  settings: Settings;
  workspaces: readonly { id: string; name: string }[];
  models: readonly string[];
  onChange: (change: Partial<Settings>) => void;
}

/** Fields for the workspace, the model and the prompt. */
export function PlaygroundSettings({ settings, workspaces, models, onChange }: SettingsProps) {
  const modelsId = useId();
  return (
    <div className="grid gap-5">
      <Field label="Workspace">
        {(control) => (
          <Combobox
            control={control}
            options={workspaces.map(({ id, name }) => ({ value: id, label: name }))}
            value={settings.workspaceId}
            onChange={(workspaceId) => workspaceId !== null && onChange({ workspaceId })}
          />
        )}
      </Field>
      <Field
        label="Model"
        hint="A listed model, or any other name."
        error={settings.model.trim() === "" ? "Enter a model." : undefined}
      >
        {(control) => (
          <>
            <Input
              {...control}
              list={modelsId}
              spellCheck={false}
              value={settings.model}
              onChange={(event) => onChange({ model: event.target.value })}
            />
            <datalist id={modelsId}>
              {models.map((model) => (
                <option key={model} value={model} />
              ))}
            </datalist>
          </>
        )}
      </Field>
      <Field label="System prompt" isOptional>
        {(control) => (
          <TextArea
            {...control}
            rows={4}
            value={settings.system}
            onChange={(event) => onChange({ system: event.target.value })}
          />
        )}
      </Field>
      <Field
        label="Maximum tokens"
        hint="Longest response in tokens. Strict limits hold the price of all of them."
        error={settings.maxTokens > 0 ? undefined : "Enter a whole number of at least 1."}
      >
        {(control) => (
          <Input
            {...control}
            inputMode="numeric"
            className="max-w-32"
            value={settings.maxTokens > 0 ? settings.maxTokens : ""}
            onChange={(event) => onChange({ maxTokens: readTokens(event.target.value) })}
          />
        )}
      </Field>
      <Checkbox
        label="Streaming"
        hint="The response appears while it is generated."
        checked={settings.isStreamed}
        onChange={(event) => onChange({ isStreamed: event.target.checked })}
      />
    </div>
  );
}

const MAX_DIGITS = 7;

/** 0 without digits. */
function readTokens(text: string): number {
  return Number(text.replaceAll(/\D/g, "").slice(0, MAX_DIGITS));
}
