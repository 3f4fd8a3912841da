import { Suspense, useState } from "react";
import { lazyPart } from "../../load-part.ts";
import { useChange } from "../../queries.ts";
import { useSession } from "../../session.ts";
import { Badge } from "../../ui/badge.tsx";
import { Button } from "../../ui/button.tsx";
import { CopyButton } from "../../ui/copy-button.tsx";
import { Dialog, DialogActions } from "../../ui/dialog.tsx";
import { DialogForm } from "../../ui/dialog-form.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input } from "../../ui/input.tsx";
import { FormError } from "../../ui/states.tsx";
import { ConfirmChange } from "../confirm-change.tsx";
import { Consequences } from "../consequences/consequences.tsx";
import { useChangeForm } from "../use-change-form.ts";
import { describeDisabledFactor, describeNewCodes } from "./factor-effects.ts";

const QrCode = lazyPart(() => import("./qr-code.tsx"), "QrCode");

interface Totp {
  secret: string;
  uri: string;
  backup_codes: string[];
}

/** Set-up and removal of the authenticator app, and its backup codes. `onStored` follows the set-up. */
export function SecondFactor({ onStored }: { onStored?: () => void }) {
  const { two_factor } = useSession();
  const enable = useChange("enableTotp", []);
  const replace = useChange("replaceBackupCodes", ["getSession"]);
  const disable = useChange("disableTotp", ["getSession"]);
  const [totp, setTotp] = useState<Totp | null>(null);
  const [codes, setCodes] = useState<string[] | null>(null);
  const [asked, setAsked] = useState<"renew" | "disable" | null>(null);
  const close = () => setAsked(null);
  const begin = async () => {
    const made = await enable.mutateAsync({});
    setTotp(made);
    enable.reset();
  };
  return (
    <div className="grid gap-4">
      {two_factor.is_enabled ? (
        <div className="flex flex-wrap items-center gap-3 text-sm">
          <Badge tone="good">on</Badge>
          <span className="flex-1 text-quiet">
            {two_factor.backup_codes_left} backup codes left
          </span>
          <Button onClick={() => setAsked("renew")}>Create backup codes…</Button>
          <Button onClick={() => setAsked("disable")}>Turn off second factor…</Button>
        </div>
      ) : (
        <div>
          <Button isBusy={enable.isPending} onClick={() => void begin().catch(() => undefined)}>
            Set up an authenticator app…
          </Button>
        </div>
      )}
      <FormError error={enable.error} />
      {totp && (
        <TotpDialog
          totp={totp}
          onClose={() => setTotp(null)}
          onConfirmed={() => {
            setCodes(totp.backup_codes);
            setTotp(null);
          }}
        />
      )}
      {codes && (
        <BackupCodesDialog
          codes={codes}
          onClose={() => {
            setCodes(null);
            onStored?.();
          }}
        />
      )}
      <ConfirmChange
        change={replace}
        input={{}}
        action="Create backup codes"
        toast="Backup codes created"
        isOpen={asked === "renew"}
        onClose={close}
        onSaved={({ backup_codes }) => {
          setCodes(backup_codes);
          replace.reset();
        }}
      >
        <p>The new codes are shown once.</p>
        <Consequences sentences={describeNewCodes(two_factor)} />
      </ConfirmChange>
      <ConfirmChange
        change={disable}
        input={{}}
        action="Turn off second factor"
        toast="Second factor turned off"
        isOpen={asked === "disable"}
        onClose={close}
      >
        <p>The authenticator app is no longer asked for. You can set it up again at any time.</p>
        <Consequences sentences={describeDisabledFactor(two_factor)} />
      </ConfirmChange>
    </div>
  );
}

function TotpDialog(props: { totp: Totp; onClose: () => void; onConfirmed: () => void }) {
  const { totp, onClose, onConfirmed } = props;
  const confirm = useChange("confirmTotp", ["getSession"]);
  const changeForm = useChangeForm(confirm, {
    defaultValues: { code: "" },
    toInput: (body) => ({ body }),
    onSaved: onConfirmed,
  });
  const { form } = changeForm;
  return (
    <Dialog
      title="Set up an authenticator app"
      description="Scan the code with the app, or enter the secret manually."
      isOpen
      onClose={onClose}
    >
      <div className="flex flex-wrap items-start gap-5">
        <Suspense fallback={<span className="size-44" />}>
          <QrCode text={totp.uri} label="QR code for the authenticator app" />
        </Suspense>
        <div className="grid flex-1 basis-52 content-start gap-3">
          <output className="block rounded-md bg-sunk px-3 py-2.5 font-mono text-sm leading-relaxed break-all select-all">
            {totp.secret.replace(/(.{4})(?=.)/g, "$1 ")}
          </output>
          <div>
            <CopyButton text={totp.secret} what="secret" />
          </div>
          <a href={totp.uri} className="link w-fit text-sm">
            Open in an app on this device
          </a>
        </div>
      </div>
      <DialogForm form={changeForm} action="Turn on second factor">
        <Field
          label="Code"
          hint="Six digits from the app."
          error={form.formState.errors.code?.message}
        >
          {(control) => (
            <Input
              {...control}
              inputMode="numeric"
              autoComplete="one-time-code"
              className="figures max-w-40 text-lg tracking-[0.2em]"
              {...form.register("code", needed("Enter the code."))}
            />
          )}
        </Field>
      </DialogForm>
    </Dialog>
  );
}

function BackupCodesDialog({ codes, onClose }: { codes: string[]; onClose: () => void }) {
  return (
    <Dialog
      title="Store the backup codes"
      description="Each code signs you in once without the app. The codes are shown only once."
      isOpen
      isGuarded
      onClose={onClose}
    >
      <ul className="grid grid-cols-2 gap-x-6 gap-y-1 rounded-md bg-sunk px-4 py-3 font-mono text-sm">
        {codes.map((code) => (
          <li key={code}>{code}</li>
        ))}
      </ul>
      <DialogActions>
        <CopyButton text={codes.join("\n")} what="codes" autoFocus />
        <Button kind="primary" onClick={onClose}>
          I stored them
        </Button>
      </DialogActions>
    </Dialog>
  );
}
