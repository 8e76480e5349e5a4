import type { IncomingMessage } from 'node:http';

import busboy from 'busboy';

import { DomainError } from '#libs/kernel';

import { ParamBag } from './param-bag.js';

/** Largest body of a call in bytes: multi_confirm and multi/delete carry thousands of paths. */
export const BODY_LIMIT_BYTES = 16 * 1024 * 1024;
/** Largest body of a call that nobody signed for. */
export const PUBLIC_BODY_LIMIT_BYTES = 256 * 1024;

const FORM = 'application/x-www-form-urlencoded';

const invalid = (message: string) => new DomainError('INVALID_ARGUMENT', message);

/**
 * All parameters of a request as contract 1.3 has them: query, then form, multipart or JSON body, the body winning. Throws INVALID_ARGUMENT for
 * what cannot be read and TOO_LARGE beyond `limitBytes`. `form`: the body, when `readForm` has read it.
 */
export async function readParams(request: IncomingMessage, limitBytes: number, form?: string): Promise<ParamBag> {
  const url = request.url ?? '';
  const query = new ParamBag();
  const question = url.indexOf('?');
  try {
    if (question >= 0) addForm(query, url.slice(question + 1));
    return query.overlaidBy(await readBody(request, limitBytes, form));
  } catch (error) {
    if (error instanceof RangeError) throw new DomainError('TOO_LARGE', 'The request has too many parameters.', {}, { cause: error });
    throw error;
  }
}

/** The text of a body that is a form by its type; undefined, and nothing read, for any other. Throws as `readParams`. */
export async function readForm(request: IncomingMessage, limitBytes: number): Promise<string | undefined> {
  if (bodyType(request, limitBytes) !== FORM) return undefined;
  return decode(await collect(request, limitBytes));
}

/** The type of the body in small letters, empty when it has none; null when there is no body. */
function bodyType(request: IncomingMessage, limitBytes: number): string | null {
  const length = Number(request.headers['content-length'] ?? Number.NaN);
  if (length === 0 || (Number.isNaN(length) && request.headers['transfer-encoding'] === undefined)) return null;
  if (length > limitBytes) throw tooLarge(limitBytes);
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') throw invalid('A compressed request body is not supported.');
  return request.headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
}

async function readBody(request: IncomingMessage, limitBytes: number, form: string | undefined): Promise<ParamBag> {
  const bag = new ParamBag();
  const type = bodyType(request, limitBytes);
  if (type === null) return bag;
  if (form !== undefined) {
    addText(bag, form, type);
    return bag;
  }
  if (type === 'multipart/form-data') {
    await readMultipart(request, bag, limitBytes);
    return bag;
  }
  const text = decode(await collect(request, limitBytes));
  addText(bag, text, type);
  return bag;
}

/** A body without a type that says otherwise: JSON when it looks like an object, else a form. Clients send JSON under the default type of their library. */
function addText(bag: ParamBag, text: string, type: string): void {
  if (text.trim() === '') return;
  const isJson = type === 'application/json' || type.endsWith('+json');
  if (!isJson && !text.trimStart().startsWith('{')) {
    addForm(bag, text);
    return;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!isJson && type === FORM) return addForm(bag, text);
    throw new DomainError('INVALID_ARGUMENT', 'The request body is not valid JSON.', {}, { cause: error });
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw invalid('A JSON request body must be an object.');
  bag.addObject(value as Record<string, unknown>);
}

function addForm(bag: ParamBag, text: string): void {
  for (const [name, value] of formPairs(text)) bag.add(name, value);
}

/** Names and values of a form or a query, decoded, as they come. Throws INVALID_ARGUMENT. */
export function* formPairs(text: string): Generator<[name: string, value: string]> {
  for (const pair of text.split('&')) {
    if (pair === '') continue;
    const equals = pair.indexOf('=');
    yield [unescape(equals < 0 ? pair : pair.slice(0, equals)), equals < 0 ? '' : unescape(pair.slice(equals + 1))];
  }
}

function unescape(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    throw new DomainError('INVALID_ARGUMENT', 'A parameter is not valid percent-encoded UTF-8.', {}, { cause: error });
  }
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new DomainError('INVALID_ARGUMENT', 'The request body is not valid UTF-8.', {}, { cause: error });
  }
}

async function collect(request: IncomingMessage, limitBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Fields of a multipart body; file parts are read to their end and dropped, because no call of this dialect takes a file in itself. */
async function readMultipart(request: IncomingMessage, bag: ParamBag, limitBytes: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    let size = 0;
    let form: busboy.Busboy;
    try {
      form = busboy({
        headers: request.headers,
        defParamCharset: 'utf8',
        limits: { fieldSize: limitBytes, fields: 50_000, parts: 50_000, fieldNameSize: 256 },
      });
    } catch (error) {
      reject(new DomainError('INVALID_ARGUMENT', 'The multipart body has no boundary.', {}, { cause: error }));
      return;
    }
    const fail = (error: unknown): void => {
      request.unpipe(form);
      reject(error instanceof Error ? error : invalid(String(error)));
    };
    form.on('field', (name, value) => {
      try {
        bag.add(name, value);
      } catch (error) {
        fail(error);
      }
    });
    form.on('file', (_name, stream) => void stream.resume());
    form.on('fieldsLimit', () => fail(new RangeError('too many fields')));
    form.on('partsLimit', () => fail(new RangeError('too many parts')));
    form.on('error', (error) => fail(new DomainError('INVALID_ARGUMENT', 'The multipart body is not well formed.', {}, { cause: error })));
    form.on('close', resolve);
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limitBytes) fail(tooLarge(limitBytes));
    });
    request.once('aborted', () => fail(invalid('The request ended before its body did.')));
    request.pipe(form);
  });
}

function tooLarge(limitBytes: number): DomainError {
  return new DomainError('TOO_LARGE', `The request body is larger than ${limitBytes} bytes.`);
}
