import { Building } from "lucide-react";
import { useState } from "react";
import type { Answer } from "../../api-client.ts";
import { leaveForProvider } from "../../kit/sign-in/provider-response.ts";
import { Button } from "../../ui/button.tsx";
import { FormError } from "../../ui/states.tsx";

interface DirectoryButtonsProps {
  directories: Answer<"listSignInDirectories">["data"];
  /** Page to open after the sign-in. Null: the overview. */
  next: string | null;
}

/** One button for each directory. The browser leaves the console for the provider. */
export function DirectoryButtons({ directories, next }: DirectoryButtonsProps) {
  const [busyId, setBusyId] = useState<string | null>(null);
  const [error, setError] = useState<Error | null>(null);
  if (directories.length === 0) return null;
  const leave = async (id: string) => {
    setBusyId(id);
    setError(null);
    try {
      await leaveForProvider(id, { next: next ?? "/", isAgain: false });
    } catch (failure) {
      setError(failure as Error);
      setBusyId(null);
    }
  };
  return (
    <>
      {directories.map(({ id, name }) => (
        <Button
          key={id}
          onClick={() => void leave(id)}
          isBusy={busyId === id}
          disabled={busyId !== null}
        >
          <Building size={16} /> Sign in with {name}
        </Button>
      ))}
      <FormError error={error} />
    </>
  );
}
