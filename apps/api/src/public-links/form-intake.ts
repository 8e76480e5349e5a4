import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';

import { Injectable } from '@nestjs/common';
import busboy from 'busboy';

import { ConfirmService, UploadIntake, UploadService } from '#libs/files';
import { DomainError, type GuestActor, isDomainError } from '#libs/kernel';
import { Logger } from '#libs/observability';

import type { Dropped } from './views.js';

const MOST_FILES = 100;
const PASSWORD_FORM_BYTES = 8 * 1024;
/** A sender that is silent for this long is cut off. */
const IDLE_MS = 120_000;

/** Takes the forms of link pages. */
@Injectable()
export class FormIntake {
  constructor(
    private readonly uploads: UploadService,
    private readonly confirms: ConfirmService,
    private readonly intake: UploadIntake,
    private readonly logger: Logger,
  ) {}

  /** The field `password` of an urlencoded form; empty when it has none. TOO_LARGE. */
  async password(request: IncomingMessage): Promise<string> {
    request.setTimeout(IDLE_MS, () => request.destroy());
    const text = await new Promise<string>((resolve, reject) => {
      let read = '';
      request.on('data', (chunk: Buffer) => {
        read += chunk.toString('latin1');
        if (read.length <= PASSWORD_FORM_BYTES) return;
        request.removeAllListeners('data').pause();
        reject(new DomainError('TOO_LARGE', 'The form is too large.'));
      });
      request.once('end', () => resolve(read)).once('error', reject);
    });
    return new URLSearchParams(text).get('password') ?? '';
  }

  /**
   * Stores the files of a multipart form one after the other, each as an upload of its own. A refused one does not keep the others out; what comes
   * behind the 100th is refused. INVALID_ARGUMENT.
   */
  async files(guest: GuestActor, request: IncomingMessage): Promise<Dropped[]> {
    const work: Promise<Dropped>[] = [];
    request.setTimeout(IDLE_MS, () => request.destroy(new Error('The sender was silent for too long')));
    await new Promise<void>((resolve, reject) => {
      const fail = (cause: unknown): void => reject(new DomainError('INVALID_ARGUMENT', 'The form could not be read.', {}, { cause }));
      let parser: busboy.Busboy;
      try {
        parser = busboy({
          headers: request.headers,
          defParamCharset: 'utf8',
          limits: { files: MOST_FILES, fields: 10, fieldSize: 1024 },
          fileHwm: 256 * 1024,
        });
      } catch (error) {
        fail(error);
        return;
      }
      parser.on('file', (_field, stream, { filename }) => {
        // A file that breaks off is told of by the store that reads it.
        stream.on('error', () => undefined);
        if (filename === undefined || filename === '') stream.resume();
        else work.push(this.take(guest, filename, stream));
      });
      parser.once('filesLimit', () => work.push(Promise.resolve({ asked: 'What came behind', error: `A form brings ${MOST_FILES} files at most.` })));
      parser.once('close', resolve).once('error', fail);
      request.once('error', fail).once('close', () => request.complete || parser.destroy(new Error('The request was aborted')));
      request.pipe(parser);
    });
    return Promise.all(work);
  }

  private async take(guest: GuestActor, asked: string, body: Readable): Promise<Dropped> {
    try {
      const upload = await this.uploads.create(guest, { path: [asked], overwrite: false, createParents: false, multipart: false });
      if (upload.kind === 'deduplicated') return { asked, name: upload.node.name };
      await this.intake.take(upload, body, null);
      const node = await this.confirms.confirm({ accountId: guest.issuerId, tempName: upload.tempName, actor: null });
      return { asked, name: node.name };
    } catch (error) {
      // What is left of it is read and dropped, so that the files behind it arrive.
      body.resume();
      if (isDomainError(error) && error.code !== 'INTERNAL') return { asked, error: error.message };
      this.logger.error('a file left by a public link was not stored', { error });
      return { asked, error: 'Something went wrong on the server.' };
    }
  }
}
