export interface Message {
  role: "user" | "assistant";
  content: string;
}

/** What is sent: the body of `POST /v1/messages`. */
export interface MessageRequest {
  model: string;
  max_tokens: number;
  system?: string;
  messages: readonly Message[];
  stream?: true;
}
