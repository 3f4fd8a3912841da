import { details } from "virtual:reference-details";
import { type ReactNode, useId } from "react";
import { readCodeSpans } from "../../kit/documents/blocks.ts";
import { Inlines } from "../../kit/documents/document-blocks.tsx";
import { makeObservable, useObservable } from "../../observable.ts";
import { CodeBlock } from "../../ui/code-block.tsx";
import { Facts } from "../../ui/page.tsx";
import { Segments } from "../../ui/tabs.tsx";
import { FieldList, ShapeView } from "./field-list.tsx";
import type { Message, OperationDetails, OperationEntry } from "./reference.ts";
import { writeSamples } from "./write-samples.ts";

/** Language of the samples, for all operations of the page. */
const language = makeObservable("curl");

const places = [
  ["path", "Path"],
  ["query", "Query"],
  ["header", "Headers"],
] as const;

/** Details of an operation: rights, samples, parameters, body, response and errors. */
export function OperationView({ operation }: { operation: OperationEntry }) {
  const found = details.operations[operation.id];
  if (!found) return null;
  const { about, parameters, body, response, headers = [], errors } = found;
  return (
    <div className="grid gap-5 pt-1 pb-7 pl-6">
      {about?.split("\n\n").map((text) => (
        <p key={text} className="max-w-[44rem] text-pretty break-words">
          <Inlines content={readCodeSpans(text)} />
        </p>
      ))}
      <Facts items={listFacts(found)} />
      <Samples entry={operation} found={found} />
      {places.map(([place, title]) => {
        const fields = parameters.filter((parameter) => parameter.place === place);
        return (
          fields.length > 0 && (
            <Part key={place} title={title}>
              <FieldList fields={fields} />
            </Part>
          )
        );
      })}
      {body && <MessagePart title="Body" message={body} />}
      <MessagePart title="Response" message={response}>
        {headers.map(({ name, about: text }) => (
          <p key={name} className="text-sm text-quiet">
            Header <code>{name}</code>: {text}
          </p>
        ))}
      </MessagePart>
      <Errors places={errors} />
    </div>
  );
}

function listFacts({ needs, stepUp, event }: OperationDetails): [string, ReactNode][] {
  return [
    ["Rights", <Inlines key="needs" content={readCodeSpans(needs)} />],
    ...(stepUp === undefined ? [] : [["Step-up", stepUp] as [string, ReactNode]]),
    ...(event === undefined
      ? []
      : [["Audit event", <code key="event">{event}</code>] as [string, ReactNode]]),
  ];
}

function Samples({ entry, found }: { entry: OperationEntry; found: OperationDetails }) {
  const chosen = useObservable(language);
  const samples = writeSamples({
    entry,
    details: found,
    shapes: details.shapes,
    baseUrl: location.origin,
  });
  const sample = samples.find((each) => each.language === chosen) ?? samples[0];
  if (!sample) {
    return (
      <p className="text-sm text-quiet">Only the console calls this operation, with a session.</p>
    );
  }
  return (
    <div className="grid gap-2">
      {samples.length > 1 && (
        <div className="no-print">
          <Segments
            label="Language"
            value={sample.language}
            options={samples.map((each) => [each.language, each.language])}
            onChange={language.set}
          />
        </div>
      )}
      <CodeBlock text={sample.text} what="code" />
    </div>
  );
}

function Part({ title, note, children }: { title: string; note?: string; children: ReactNode }) {
  const id = useId();
  return (
    <section aria-labelledby={id} className="grid gap-1.5">
      <h5 id={id} className="text-sm font-semibold">
        {title} {note && <code className="font-normal text-quiet">{note}</code>}
      </h5>
      {children}
    </section>
  );
}

interface MessagePartProps {
  title: string;
  message: Message;
  children?: ReactNode;
}

function MessagePart({ title, message: { mediaTypes, shape }, children }: MessagePartProps) {
  return (
    <Part title={title} note={mediaTypes.join(", ")}>
      {children}
      <ShapeView shape={shape} />
    </Part>
  );
}

function Errors({ places: errors }: { places: readonly number[] }) {
  return (
    <details>
      <summary className="target w-fit rounded-sm text-sm font-semibold">Errors</summary>
      <ul className="mt-2 grid gap-1 text-sm">
        {errors.map((place) => {
          const meaning = details.statuses[place];
          return (
            meaning && (
              <li key={place} className="grid grid-cols-[3rem_1fr]">
                <code>{meaning.status}</code>
                <span>
                  <Inlines content={readCodeSpans(meaning.about)} />
                </span>
              </li>
            )
          );
        })}
      </ul>
    </details>
  );
}
