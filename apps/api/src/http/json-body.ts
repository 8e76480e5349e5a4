import type { IncomingMessage } from 'node:http';

import { DomainError } from '#libs/kernel';

/**
 * The body as a JSON object; `{}` when there is none. The content type does not matter: clients send JSON under the default type of their library.
 * INVALID_ARGUMENT, TOO_LARGE beyond `limitBytes`.
 */
export async function readJsonObject(request: IncomingMessage, limitBytes: number): Promise<Readonly<Record<string, unknown>>> {
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') throw new DomainError('INVALID_ARGUMENT', 'A compressed request body is not supported.');
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) throw tooLarge(limitBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  if (size === 0) return {};
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(Buffer.concat(chunks)));
  } catch (error) {
    throw new DomainError('INVALID_ARGUMENT', 'The request body is not valid JSON.', {}, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new DomainError('INVALID_ARGUMENT', 'The request body must be a JSON object.');
  }
  return value as Record<string, unknown>;
}

function tooLarge(limitBytes: number): DomainError {
  return new DomainError('TOO_LARGE', `The request body is larger than ${limitBytes} bytes.`);
}
