export interface Message {
  role: "user" | "assistant";
  content: string;
}

/** Body of `POST /v1/messages`. */
export interface MessageRequest {
  model: string;
  max_tokens: number;
  system?: string;
  messages: readonly Message[];
  stream?: true;
}
