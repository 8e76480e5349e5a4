/** The JSON protocol of SignalR hubs: JSON texts, each ended by one character. */
const END = '\x1e';

/** A record of a client. */
export type ClientRecord =
  | { readonly kind: 'handshake'; readonly protocol: string; readonly version: number }
  /** Asks for a method of the hub; with an id it waits for an answer. */
  | { readonly kind: 'invocation'; readonly invocationId: string | null }
  | { readonly kind: 'ping' }
  | { readonly kind: 'close' }
  | { readonly kind: 'other' };

/** Numbers of messages, as the protocol has them. */
const INVOCATION = 1;
const STREAM_INVOCATION = 4;
const COMPLETION = 3;
const PING = 6;
const CLOSE = 7;

/** The records of one frame; null for what is no such frame. */
export function readRecords(text: string): ClientRecord[] | null {
  if (!text.endsWith(END)) return null;
  const records: ClientRecord[] = [];
  for (const part of text.slice(0, -1).split(END)) {
    const record = readRecord(part);
    if (record === null) return null;
    records.push(record);
  }
  return records;
}

function readRecord(text: string): ClientRecord | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const { type, protocol, version, invocationId } = value as Record<string, unknown>;
  if (typeof protocol === 'string' && typeof version === 'number') return { kind: 'handshake', protocol, version };
  switch (type) {
    case INVOCATION:
    case STREAM_INVOCATION:
      return { kind: 'invocation', invocationId: typeof invocationId === 'string' ? invocationId : null };
    case PING:
      return { kind: 'ping' };
    case CLOSE:
      return { kind: 'close' };
    default:
      return { kind: 'other' };
  }
}

export function handshakeAnswer(error?: string): string {
  return record(error === undefined ? {} : { error });
}

/** Calls `target` of the client. */
export function invocation(target: string, payload: object): string {
  return record({ type: INVOCATION, target, arguments: [payload] });
}

export function failedCompletion(invocationId: string, error: string): string {
  return record({ type: COMPLETION, invocationId, error });
}

export function ping(): string {
  return record({ type: PING });
}

export function closing(allowReconnect: boolean, error?: string): string {
  return record({ type: CLOSE, allowReconnect, ...(error === undefined ? {} : { error }) });
}

function record(value: object): string {
  return JSON.stringify(value) + END;
}
