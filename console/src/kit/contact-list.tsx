/** People with links to their addresses. */
export function ContactList({ people }: { people: readonly { name: string; email: string }[] }) {
  return (
    <ul className="max-w-xl divide-y divide-line border-y border-line text-sm">
      {people.map(({ name, email }) => (
        <li key={email} className="flex flex-wrap gap-x-4 gap-y-0.5 py-2.5">
          <span className="flex-1 basis-40 font-medium">{name}</span>
          <a href={`mailto:${email}`} className="link break-all">
            {email}
          </a>
        </li>
      ))}
    </ul>
  );
}
