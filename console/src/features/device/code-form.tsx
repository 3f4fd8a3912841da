import { useForm } from "react-hook-form";
import { Button } from "../../ui/button.tsx";
import { Field } from "../../ui/field.tsx";
import { needed } from "../../ui/form.ts";
import { Input } from "../../ui/input.tsx";

const MAX_LENGTH = 20;

/** Field for the code. A link can fill it in, and the member sends it. */
export function CodeForm({ code, onCheck }: { code: string; onCheck: (code: string) => void }) {
  const { register, handleSubmit, formState } = useForm({ defaultValues: { code } });
  return (
    <form
      noValidate
      className="grid max-w-xs gap-5"
      onSubmit={(event) => void handleSubmit((values) => onCheck(values.code.trim()))(event)}
    >
      <Field
        label="Code"
        hint={
          code === ""
            ? "Claude Code shows the code in the terminal, such as WDJB-MJHT."
            : "Compare it with the code in your terminal."
        }
        error={formState.errors.code?.message}
      >
        {(control) => (
          <Input
            {...control}
            {...register("code", needed("Enter the code of the terminal."))}
            className="font-mono text-lg tracking-widest uppercase"
            autoComplete="off"
            autoCapitalize="characters"
            spellCheck={false}
            maxLength={MAX_LENGTH}
          />
        )}
      </Field>
      <div>
        <Button kind="primary" type="submit">
          Check code
        </Button>
      </div>
    </form>
  );
}
