import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import busboy from 'busboy';
import { DomainError } from '#libs/kernel';

const FIELD_BYTES = 1024 * 1024;
const MOST_PARTS = 200;

/** True when the request carries a form, of which one part is the body. */
export function isForm(req: IncomingMessage): boolean {
  return /^\s*multipart\/form-data\b/i.test(req.headers['content-type'] ?? '');
}

/**
 * The part `wanted` of a multipart/form-data request. Other parts, before and after, are read and dropped, also when they pretend to be
 * files. The body ends only when the whole form has arrived, so that a form cut off behind its file counts as cut off. INVALID_ARGUMENT for a
 * malformed form or one without that part.
 */
export function formFile(req: IncomingMessage, wanted = 'file'): Promise<Readable> {
  return new Promise((resolve, reject) => {
    let parser: busboy.Busboy;
    try {
      const limits = { fieldSize: FIELD_BYTES, fields: MOST_PARTS, files: MOST_PARTS, parts: MOST_PARTS };
      // latin1 keeps the bytes of a part that came without a file name and is therefore handed over as text.
      parser = busboy({ headers: req.headers, limits, defCharset: 'latin1', highWaterMark: 1024 * 1024, fileHwm: 256 * 1024 });
    } catch (error) {
      reject(malformed(error));
      return;
    }
    let found = false;
    const whole = new Promise<void>((done, broken) => {
      const fail = (error: unknown): void => {
        req.unpipe(parser);
        broken(error instanceof DomainError ? error : malformed(error));
      };
      parser.once('close', done).once('error', fail);
      for (const limit of ['partsLimit', 'filesLimit', 'fieldsLimit'] as const) parser.once(limit, () => fail(new Error('too many parts')));
      req.once('error', broken).once('close', () => req.complete || broken(new Error('The request was aborted')));
    });
    const take = (body: Readable | Buffer): void => {
      found = true;
      resolve(Readable.from(untilWhole(body, whole), { objectMode: false, highWaterMark: 256 * 1024 }));
    };
    parser.on('file', (name, stream) => {
      // A part that breaks off is reported through the parser.
      stream.on('error', () => undefined);
      if (name === wanted && !found) take(stream);
      else stream.resume();
    });
    parser.on('field', (name, value, info) => {
      if (name !== wanted || found) return;
      if (info.valueTruncated) reject(new DomainError('TOO_LARGE', `A part ${wanted} of this size needs a file name`));
      else take(Buffer.from(value, 'latin1'));
    });
    whole.then(
      () => reject(new DomainError('INVALID_ARGUMENT', `The form has no part named "${wanted}"`)),
      (error: Error) => reject(error),
    );
    req.pipe(parser);
  });
}

async function* untilWhole(body: Readable | Buffer, whole: Promise<void>): AsyncGenerator<Buffer> {
  if (Buffer.isBuffer(body)) yield body;
  else {
    whole.catch((error: Error) => body.destroy(error));
    try {
      yield* body as AsyncIterable<Buffer>;
    } catch (error) {
      // Why the form broke says more than that its file did.
      await whole;
      throw error;
    }
  }
  await whole;
}

function malformed(cause: unknown): DomainError {
  return new DomainError('INVALID_ARGUMENT', 'The form could not be read', {}, { cause });
}
