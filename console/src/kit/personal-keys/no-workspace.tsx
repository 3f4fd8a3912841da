import { useSession } from "../../session.ts";
import { CodeBlock } from "../../ui/code-block.tsx";
import { useBaseUrl } from "../code-samples/use-base-url.ts";
import { ContactList } from "../contact-list.tsx";
import { writeAccessRequest } from "./access-request.ts";

interface Contact {
  name: string;
  email: string;
}

/** Explains that no workspace allows a key, whom to ask, and a message to send. */
export function NoWorkspace({ contacts }: { contacts: readonly Contact[] }) {
  const { organization, member } = useSession();
  const baseUrl = useBaseUrl();
  const others = contacts.filter(({ email }) => email !== member.email);
  return (
    <div className="grid gap-4 border-y border-line py-8">
      <div className="grid gap-1">
        <h2>No workspace lets you create a key yet</h2>
        <p className="max-w-2xl text-pretty text-quiet">
          A key belongs to a workspace of {organization.name}. Ask one of these people to allow
          personal keys in a workspace, to add you to one, or to create a key for you.
        </p>
      </div>
      <ContactList people={others} />
      <div className="grid max-w-xl gap-1.5">
        <p className="text-sm text-quiet">Message to send</p>
        <CodeBlock
          what="message"
          isWrapped
          text={writeAccessRequest({ email: member.email, baseUrl })}
        />
      </div>
    </div>
  );
}
