import { type ReactNode, useEffect, useRef, useState } from "react";
import { CopyButton } from "./copy-button.tsx";
import { Dialog } from "./dialog.tsx";
import { StoredActions } from "./stored-actions.tsx";

interface SecretDialogProps {
  title: string;
  /** Description of the secret and its use. */
  description: string;
  /** Stored only in the parent's state, never in a cache, an address or a log. Null: closed. */
  secret: string | null;
  /** Noun of the secret. Default: "key". */
  what?: string;
  /** Shell lines that set the secret and its address as environment variables. */
  variables?: string | undefined;
  onDone: () => void;
  /** Instructions below the secret. */
  children?: ReactNode;
}

/**
 * Shows a secret once. Only its button closes the dialog, after the member confirms that the secret is stored. The
 * browser also asks before the page is left.
 */
export function SecretDialog(props: SecretDialogProps) {
  const { title, description, secret, what = "key", variables, onDone, children } = props;
  const [isStored, setIsStored] = useState(false);
  const copyArea = useRef<HTMLDivElement>(null);
  const firstButton = useRef<HTMLElement | null>(null);
  useEffect(() => {
    if (secret !== null) setIsStored(false);
  }, [secret]);
  useEffect(() => {
    firstButton.current = copyArea.current?.querySelector("button") ?? null;
  });
  return (
    <Dialog
      title={title}
      description={description}
      isOpen={secret !== null}
      onClose={onDone}
      isGuarded
      isWide={Boolean(children)}
      initialFocus={firstButton}
    >
      <output className="block rounded-md border border-edge/60 bg-sunk px-3 py-2.5 font-mono text-sm leading-relaxed break-all select-all">
        {secret}
      </output>
      <div ref={copyArea} className="flex flex-wrap gap-2.5">
        <CopyButton text={secret ?? ""} what={what} kind="primary" />
        {variables && (
          <CopyButton
            text={variables}
            what={variables.includes("\n") ? "as variables" : "as a variable"}
          />
        )}
      </div>
      <p className="text-sm text-quiet">
        The secret is shown only once. Bursar stores only its hash. If the secret is lost, create a
        new one.
      </p>
      {children}
      <StoredActions
        label="I stored it"
        isStored={isStored}
        onStored={setIsStored}
        onDone={onDone}
      />
    </Dialog>
  );
}
