import { useSession } from "../../session.ts";
import { ContactList } from "../contact-list.tsx";

interface Contact {
  name: string;
  email: string;
}

/** Explains that no workspace allows a key, and whom to ask. */
export function NoWorkspace({ contacts }: { contacts: readonly Contact[] }) {
  const { organization, member } = useSession();
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
    </div>
  );
}
