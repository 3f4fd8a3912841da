import { type Exchange, type Received, startFakeUpstream } from "../fake-upstream.ts";

/** A cloud platform on loopback that checks each request as the service does. */
export interface TestPlatform<Request> {
  origin: string;
  /** Requests with a valid credential and a valid body. */
  requests: Request[];
  /** Faults of refused requests. */
  refused: string[];
  close(): Promise<void>;
}

interface PlatformRules<Request> {
  /** Returns the fault of the credential. Null: it is valid. */
  findCredentialFault: (received: Received) => string | null;
  /** Returns the request, or the text of its fault. */
  readRequest: (received: Received) => Request | string;
  /** Sends the refusal of a request. */
  refuse: (exchange: Exchange, refusal: { isCredential: boolean; fault: string }) => void;
  /** Sends the answer of a valid request. */
  answer: (exchange: Exchange, request: Request) => void | Promise<void>;
}

export async function startPlatform<Request extends object>(
  rules: PlatformRules<Request>,
): Promise<TestPlatform<Request>> {
  const upstream = await startFakeUpstream();
  const requests: Request[] = [];
  const refused: string[] = [];
  upstream.script = async (exchange) => {
    const refuse = (fault: string, isCredential: boolean) => {
      refused.push(fault);
      rules.refuse(exchange, { isCredential, fault });
    };
    const credentialFault = rules.findCredentialFault(exchange.received);
    if (credentialFault !== null) return refuse(credentialFault, true);
    const request = rules.readRequest(exchange.received);
    if (typeof request === "string") return refuse(request, false);
    requests.push(request);
    await rules.answer(exchange, request);
  };
  return { origin: upstream.origin, requests, refused, close: () => upstream.close() };
}
