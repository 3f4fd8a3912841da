import type { Caller, Origin } from "#src/domain/caller.ts";

/** What a use case knows of the request besides its input: who is asking, and from where. */
export interface Call {
  caller: Caller;
  origin: Origin;
}

/** The same of a route that is open to everybody: the console's own, before somebody is signed in. */
export interface PublicCall {
  origin: Origin;
}
