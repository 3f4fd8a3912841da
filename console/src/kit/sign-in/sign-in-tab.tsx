import { Building } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Button } from "../../ui/button.tsx";
import { FormError } from "../../ui/states.tsx";
import { openProvider, watchSignIns } from "./provider-response.ts";

interface SignInTabProps {
  directories: readonly { id: string; name: string }[];
  /** Asks the provider for a new proof of identity. */
  isAgain: boolean;
  isPrimary: boolean;
  /** Called after a sign-in in another tab, which can be that of another member. */
  onSignedIn: () => void;
}

/** One button for each directory. The provider opens in another tab, so that this page keeps its input. */
export function SignInTab({ directories, isAgain, isPrimary, onSignedIn }: SignInTabProps) {
  const [openedId, setOpenedId] = useState<string | null>(null);
  const [error, setError] = useState<Error | null>(null);
  const listener = useRef(onSignedIn);
  listener.current = onSignedIn;
  useEffect(() => watchSignIns(() => listener.current()), []);
  const open = async (id: string) => {
    setError(null);
    setOpenedId(null);
    try {
      await openProvider(id, { isAgain });
      setOpenedId(id);
    } catch (failure) {
      setError(failure as Error);
    }
  };
  return (
    <div className="grid gap-3">
      {directories.map(({ id, name }, index) => (
        <Button
          key={id}
          kind={isPrimary && index === 0 ? "primary" : "plain"}
          autoFocus={isPrimary && index === 0}
          onClick={() => void open(id)}
        >
          <Building size={16} /> Sign in with {name}
        </Button>
      ))}
      {openedId !== null && (
        <p role="status" className="text-sm text-quiet">
          Sign in in the new tab. This page then continues by itself.
        </p>
      )}
      <FormError error={error} />
    </div>
  );
}
