/** Node of the holds and records of message batches. No process has this id. */
export const BATCHES_NODE = "message_batches";
