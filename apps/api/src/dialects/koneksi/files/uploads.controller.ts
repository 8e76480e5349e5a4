import { Req } from '@nestjs/common';
import type { Request } from 'express';

import { ContentIds } from '#libs/content-ids';
import { DeclaredTypes, FileSharing } from '#libs/file-access';
import { type ArrivedFile, FileIntake } from '#libs/files';
import { type AccountActor, DomainError, type DomainErrorCode } from '#libs/kernel';
import { OwnTreeActions } from '#libs/own-tree';
import { Sealing } from '#libs/sealing';

import type { DialectCall, DialectRouteOptions } from '../../../http/dialect/dialect.js';
import { CurrentActor, CurrentCall } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { type FormFile, readFileForm } from '../../../http/file-form.js';
import { KoneksiController } from '../http/controller.js';
import { answerOf, envelope, trimmedMeta } from '../http/envelope.js';
import { directoryId, fitted, flag, invalid, Query } from '../http/input.js';

const FIELD = 'file';
const TEXT = { type: 'string' };
const NO_FILE = 'failed to get uploaded file';
const REFUSALS: readonly DomainErrorCode[] = ['INVALID_ARGUMENT', 'PARENT_NOT_FOUND', 'NAME_ILLEGAL', 'TOO_LARGE', 'FORBIDDEN', 'QUOTA_EXCEEDED'];

const UPLOAD = {
  auth: 'client',
  status: 201,
  streams: true,
  query: { directory_id: TEXT, stream: { type: 'boolean', default: false } },
  body: {
    types: ['multipart/form-data'],
    schema: {
      type: 'object',
      required: [FIELD],
      properties: { [FIELD]: { type: 'string', format: 'binary' }, directory_id: TEXT, passphrase: TEXT, is_public: { type: 'boolean' } },
    },
  },
  answer: answerOf({
    type: 'object',
    properties: {
      directory_id: TEXT,
      file_id: TEXT,
      name: TEXT,
      hash: TEXT,
      size: { type: 'integer' },
      content_type: TEXT,
      access: TEXT,
      is_encrypted: { type: 'boolean' },
    },
  }),
  refusals: REFUSALS,
  errors: { TOO_LARGE: [400, 'file size exceeds the limit for encrypted uploads'] },
} satisfies Omit<DialectRouteOptions, 'summary'>;

/** A file whose bytes are stored, and what was known of its form by then. */
interface Taken {
  readonly arrived: ArrivedFile;
  readonly directoryId: string | null;
  readonly isSealed: boolean;
  readonly name: string;
  readonly isTrimmed: boolean;
  /** As its part says. */
  readonly contentType: string;
}

@KoneksiController('files')
export class UploadsController {
  constructor(
    private readonly actions: OwnTreeActions,
    private readonly intake: FileIntake,
    private readonly contents: ContentIds,
    private readonly sealing: Sealing,
    private readonly sharing: FileSharing,
    private readonly types: DeclaredTypes,
  ) {}

  @Route('POST', 'files', { ...UPLOAD, summary: 'Bring a file, sealed when a passphrase comes with it' })
  upload(@CurrentActor() actor: AccountActor, @CurrentCall() call: DialectCall, @Query() query: URLSearchParams, @Req() request: Request) {
    return this.bring(actor, call, query, request);
  }

  @Route('POST', 'files/upload', { ...UPLOAD, summary: 'The same, with `is_public` to open it to anybody at once' })
  uploadShared(@CurrentActor() actor: AccountActor, @CurrentCall() call: DialectCall, @Query() query: URLSearchParams, @Req() request: Request) {
    return this.bring(actor, call, query, request);
  }

  private async bring(actor: AccountActor, call: DialectCall, query: URLSearchParams, request: Request) {
    const { taken, fields } = await this.form(actor, query, request);
    const passphrase = passphraseIn(fields, query);
    const isPublic = flag(new URLSearchParams({ is_public: fields.get('is_public') ?? '' }), 'is_public', false);
    // Clients put their fields behind the file: what the file must go through, and where it belongs, is then known only now.
    const late = passphrase !== undefined && !taken.isSealed ? await this.sealing.tap(passphrase) : null;
    const arrived = late ? await this.intake.again(taken.arrived, [late, this.contents.tap()]) : taken.arrived;
    const directory = directoryIn(fields, query);
    Object.assign(call.about, { directory_id: directory ?? 'root', name: taken.name });
    const node = await this.actions.confirm(actor, arrived, directory === taken.directoryId ? undefined : directory);
    if (isPublic) await this.sharing.share(actor, node.id, { mode: 'public' });
    const data = {
      directory_id: node.parentId,
      file_id: node.id,
      id: node.id,
      name: taken.name,
      hash: (await this.contents.of([node.id])).get(node.id) ?? null,
      size: node.sizeBytes,
      content_type: await this.types.keep(node, taken.contentType),
      access: isPublic ? 'public' : 'private',
      is_encrypted: passphrase !== undefined,
    };
    return envelope('file uploaded successfully', data, trimmedMeta(taken.isTrimmed));
  }

  private async form(actor: AccountActor, query: URLSearchParams, request: Request): Promise<{ taken: Taken; fields: ReadonlyMap<string, string> }> {
    let refusal: unknown;
    const take = async (file: FormFile, fields: ReadonlyMap<string, string>): Promise<Taken | null> => {
      try {
        return await this.take(actor, query, file, fields);
      } catch (error) {
        refusal = error;
        throw error;
      }
    };
    const { files, fields } = await readFileForm(request, { maxFiles: 1, take }).catch((error: unknown) => {
      throw error === refusal || !(error instanceof DomainError) || error.code !== 'INVALID_ARGUMENT' ? error : invalid(NO_FILE);
    });
    const taken = files.find((each) => each !== null);
    if (!taken) throw invalid(NO_FILE);
    return { taken, fields };
  }

  private async take(
    actor: AccountActor,
    query: URLSearchParams,
    { field, fileName, contentType, body }: FormFile,
    fields: ReadonlyMap<string, string>,
  ): Promise<Taken | null> {
    if (field !== FIELD || fileName === '') {
      body.resume();
      return null;
    }
    const passphrase = passphraseIn(fields, query);
    const directory = directoryIn(fields, query);
    const target = await this.actions.target(actor, directory);
    const taps = [...(passphrase === undefined ? [] : [await this.sealing.tap(passphrase)]), this.contents.tap()];
    const { name, isTrimmed } = fitted(fileName, 'file');
    const arrived = await this.intake.take(actor, { target, name, body, sizeBytes: null, onConflict: 'rename', taps });
    return { arrived, directoryId: directory, isSealed: passphrase !== undefined, name, isTrimmed, contentType };
  }
}

/** The form's own wins over the address's. */
function directoryIn(fields: ReadonlyMap<string, string>, query: URLSearchParams): string | null {
  return directoryId(fields.get('directory_id') || query.get('directory_id'));
}

function passphraseIn(fields: ReadonlyMap<string, string>, query: URLSearchParams): string | undefined {
  const passphrase = fields.get('passphrase') || undefined;
  if (passphrase !== undefined && flag(query, 'stream', false)) throw invalid('stream mode is not supported for encrypted uploads');
  return passphrase;
}
