import { PersonalKeys } from "../../kit/personal-keys/personal-keys.tsx";
import { Page } from "../../ui/page.tsx";

/** Keys that the member created for themselves or received. */
export function PersonalKeysPage() {
  return (
    <Page
      title="Personal keys"
      guide="personal-keys"
      lead="Keys that belong to you. Their requests count as yours, and they stop when you leave."
    >
      <PersonalKeys />
    </Page>
  );
}
