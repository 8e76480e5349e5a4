import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

import busboy from 'busboy';

import { DomainError } from '#libs/kernel';

export interface FormFile {
  readonly field: string;
  /** Empty when the sender gave none. */
  readonly fileName: string;
  readonly contentType: string;
  readonly body: Readable;
}

export interface FileFormOptions<T> {
  /** Most files that one form brings. */
  readonly maxFiles: number;
  /** Told of each file when its bytes begin to come, one after the other; `fields` are those that came before it. Must read the body or resume it. */
  readonly take: (file: FormFile, fields: ReadonlyMap<string, string>) => Promise<T>;
}

const FIELD_BYTES = 64 * 1024;
const MOST_FIELDS = 200;

/**
 * Reads a multipart form with files in it, as it comes. Resolves with what `take` made of the files, and all fields, when the whole form has arrived;
 * rejects with the first error of any file, and with INVALID_ARGUMENT for a form that is malformed, cut off, or has too many parts.
 */
export function readFileForm<T>(
  request: IncomingMessage,
  { maxFiles, take }: FileFormOptions<T>,
): Promise<{ readonly files: readonly T[]; readonly fields: ReadonlyMap<string, string> }> {
  const fields = new Map<string, string>();
  const work: Promise<T>[] = [];
  return new Promise((resolve, reject) => {
    const fail = (cause: unknown): void => {
      request.unpipe(parser);
      request.resume();
      // Ends the file that is being read, and with that whoever reads it.
      parser.destroy();
      reject(cause instanceof DomainError ? cause : malformed(cause));
    };
    if (request.destroyed && !request.complete) {
      reject(malformed(new Error('the sender has left')));
      return;
    }
    let parser: busboy.Busboy;
    try {
      parser = busboy({
        headers: request.headers,
        defParamCharset: 'utf8',
        limits: { files: maxFiles, fields: MOST_FIELDS, fieldSize: FIELD_BYTES, parts: maxFiles + MOST_FIELDS },
        highWaterMark: 1024 * 1024,
        fileHwm: 256 * 1024,
      });
    } catch (error) {
      reject(malformed(error));
      return;
    }
    parser.on('field', (name, value) => fields.set(name, value));
    parser.on('file', (field, body, { filename, mimeType }) => {
      // A part that breaks off is told of by the parser, and by whoever reads it.
      body.on('error', () => undefined);
      const taken = take({ field, fileName: filename ?? '', contentType: mimeType, body }, fields);
      // What is left of a refused file is read and dropped: the sender hears of it when he has sent it.
      taken.catch(() => body.resume());
      work.push(taken);
    });
    for (const limit of ['filesLimit', 'fieldsLimit', 'partsLimit'] as const) parser.once(limit, () => fail(new Error('too many parts')));
    parser.once('error', fail);
    request.once('error', fail).once('close', () => request.complete || parser.destroy(new Error('the request was cut off')));
    parser.once('close', () => void Promise.all(work).then((files) => resolve({ files, fields }), reject));
    request.pipe(parser);
  });
}

function malformed(cause: unknown): DomainError {
  return new DomainError('INVALID_ARGUMENT', 'The form could not be read.', {}, { cause });
}
