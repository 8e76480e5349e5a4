import { pipeline } from 'node:stream/promises';

import { Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';

import { contentDisposition } from '#libs/blob-store';
import { AppConfig } from '#libs/config';
import { DomainError, isDomainError } from '#libs/kernel';
import { Logger } from '#libs/observability';
import { decodeUtf7, ProofCheck, type RelativeTarget, WopiAccess, type WopiBody, WopiFiles, WopiLocks, type WopiSession } from '#libs/office';

import { resolveRange } from '../../../blobs/http-range.js';
import { limitBodySilence } from '../../../http/body-time.js';
import { CloudikeController, Route, UrlSegment } from '../http/index.js';
import { presentFileInfo, presentRelative, presentRenamed, presentSaved } from './office.presenter.js';
import { answerWopi, refuseWopi } from './wopi-answer.js';

/** The host side of the WOPI protocol: what office servers call, with the access token in the query. Its statuses and headers are the protocol's. */
@CloudikeController('wopi')
export class WopiController {
  private readonly logger: Logger;

  constructor(
    private readonly access: WopiAccess,
    private readonly files: WopiFiles,
    private readonly locks: WopiLocks,
    private readonly proofs: ProofCheck,
    private readonly config: AppConfig,
    logger: Logger,
  ) {
    this.logger = logger.with({ part: 'office' });
  }

  @Route('wopi/files/<file_id>', { auth: 'public', head: false, summary: 'WOPI: CheckFileInfo (GET), and what X-WOPI-Override names (POST)' })
  async file(@UrlSegment('file_id') fileId: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    await this.guarded(request, response, fileId, async (session) => {
      if (request.method !== 'POST') return answerWopi(request, response, presentFileInfo(await this.files.info(session), this.publicUrl));
      await this.operation(session, request, response);
    });
  }

  @Route('wopi/files/<file_id>/contents', { auth: 'public', head: false, summary: 'WOPI: GetFile (GET) and PutFile (POST)' })
  async contents(@UrlSegment('file_id') fileId: string, @Req() request: Request, @Res() response: Response): Promise<void> {
    await this.guarded(request, response, fileId, async (session) => {
      if (request.method !== 'POST') return this.sendContent(session, request, response);
      if (overrideOf(request) !== 'PUT') throw notImplemented();
      limitBodySilence(request);
      const seen = Date.parse(header(request, 'x-cool-wopi-timestamp') ?? header(request, 'x-lool-wopi-timestamp') ?? '');
      const version = await this.files.put(session, lockOf(request) ?? null, bodyOf(request), Number.isNaN(seen) ? null : seen);
      answerWopi(request, response, presentSaved(version), { 'X-WOPI-ItemVersion': String(version.no) });
    });
  }

  private async operation(session: WopiSession, request: Request, response: Response): Promise<void> {
    const { id } = session.node;
    const itemVersion = { 'X-WOPI-ItemVersion': String(session.node.versionNo) };
    switch (overrideOf(request)) {
      case 'GET_LOCK':
        return answerWopi(request, response, undefined, { 'X-WOPI-Lock': (await this.locks.current(id)) ?? '' });
      case 'LOCK': {
        const [lock, old] = [this.lockFor(session, request), header(request, 'x-wopi-oldlock')];
        await (old === undefined ? this.locks.lock(id, lock) : this.locks.relock(id, lock, old));
        return answerWopi(request, response, undefined, itemVersion);
      }
      case 'REFRESH_LOCK':
        await this.locks.refresh(id, this.lockFor(session, request));
        return answerWopi(request, response, undefined, itemVersion);
      case 'UNLOCK':
        await this.locks.unlock(id, this.lockFor(session, request));
        return answerWopi(request, response, undefined, itemVersion);
      case 'PUT_RELATIVE': {
        limitBodySilence(request);
        const saved = await this.files.putRelative(session, targetOf(request), bodyOf(request));
        return answerWopi(request, response, presentRelative(saved, this.publicUrl));
      }
      case 'RENAME_FILE': {
        const renamed = await this.files.rename(session, lockOf(request) ?? null, nameOf(header(request, 'x-wopi-requestedname')));
        return answerWopi(request, response, presentRenamed(renamed.name));
      }
      case 'DELETE':
        await this.files.remove(session);
        return answerWopi(request, response);
      default:
        throw notImplemented();
    }
  }

  private async sendContent(session: WopiSession, request: Request, response: Response): Promise<void> {
    const { version, stream } = await this.files.content(session);
    const most = header(request, 'x-wopi-maxexpectedsize');
    if (most !== undefined && /^\d{1,15}$/.test(most) && version.sizeBytes > Number(most)) {
      response.status(412).end();
      return;
    }
    response.setHeader('X-WOPI-ItemVersion', String(version.no));
    response.setHeader('Accept-Ranges', 'bytes');
    response.setHeader('Content-Disposition', contentDisposition('attachment', session.node.name));
    response.setHeader('Content-Security-Policy', "sandbox; default-src 'none'");
    const range = resolveRange(request.headers.range, version.sizeBytes);
    if (range === 'unsatisfiable') {
      response.setHeader('Content-Range', `bytes */${version.sizeBytes}`).status(416).end();
      return;
    }
    if (range) response.setHeader('Content-Range', `bytes ${range.start}-${range.endInclusive}/${version.sizeBytes}`);
    const length = range ? range.endInclusive - range.start + 1 : version.sizeBytes;
    response.setHeader('Content-Type', 'application/octet-stream').setHeader('Content-Length', length);
    response.status(range ? 206 : 200);
    if (length === 0) response.end();
    else await this.pump(await stream(range ?? undefined), response);
  }

  private async pump(body: NodeJS.ReadableStream, response: Response): Promise<void> {
    let failure: Error | undefined;
    body.once('error', (error: Error) => (failure = error));
    try {
      await pipeline(body, response);
    } catch (error) {
      // An office server that leaves is no fault of ours; a store that breaks is.
      if (failure && (failure as NodeJS.ErrnoException).code !== 'ERR_STREAM_PREMATURE_CLOSE') this.logger.error('a document broke off', { error });
      response.destroy();
    }
  }

  /** Runs `work` for who holds a good token, when the office server has signed the call, and says refusals as the protocol does. */
  private async guarded(request: Request, response: Response, fileId: string, work: (session: WopiSession) => Promise<void>): Promise<void> {
    try {
      const accessToken = tokenOf(request);
      const session = await this.access.open(accessToken, fileId);
      await this.proofs.require({
        accessToken,
        url: this.publicUrl + request.originalUrl,
        timestamp: header(request, 'x-wopi-timestamp') ?? '',
        proof: header(request, 'x-wopi-proof') ?? '',
        proofOld: header(request, 'x-wopi-proofold') ?? '',
      });
      await work(session);
    } catch (error) {
      if (isDomainError(error, 'ROUTE_NOT_FOUND')) {
        response.status(501).end();
        return;
      }
      const status = refuseWopi(request, response, error);
      const leftInTheMiddle = request.destroyed && !request.complete;
      if (status === 500 && !leftInTheMiddle) this.logger.error('a call of the office server failed', { error });
    }
  }

  private lockFor(session: WopiSession, request: Request): string {
    if (!session.mayWrite) throw new DomainError('FORBIDDEN', 'This file was opened for reading.');
    const lock = lockOf(request);
    if (lock === undefined) throw new DomainError('INVALID_ARGUMENT', 'The header X-WOPI-Lock is required.');
    return lock;
  }

  private get publicUrl(): string {
    return this.config.http.publicUrl;
  }
}

function header(request: Request, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function lockOf(request: Request): string | undefined {
  return header(request, 'x-wopi-lock');
}

function overrideOf(request: Request): string {
  return header(request, 'x-wopi-override')?.trim().toUpperCase() ?? '';
}

/** The token of the query, as the protocol has it; the header only says the same. */
function tokenOf(request: Request): string {
  const question = request.originalUrl.indexOf('?');
  const given = question < 0 ? null : new URLSearchParams(request.originalUrl.slice(question + 1)).get('access_token');
  return given ?? /^Bearer (\S+)$/i.exec(header(request, 'authorization') ?? '')?.[1] ?? '';
}

function bodyOf(request: Request): WopiBody {
  const length = header(request, 'content-length');
  const isEmpty = length === undefined && request.headers['transfer-encoding'] === undefined;
  return { stream: request, sizeBytes: isEmpty ? 0 : length === undefined ? null : Number(length) };
}

function targetOf(request: Request): RelativeTarget {
  const [suggested, exact] = [header(request, 'x-wopi-suggestedtarget'), header(request, 'x-wopi-relativetarget')];
  if ((suggested === undefined) === (exact === undefined))
    throw new DomainError('INVALID_ARGUMENT', 'Exactly one of X-WOPI-SuggestedTarget and X-WOPI-RelativeTarget is required.');
  if (suggested !== undefined) return { suggested: nameOf(suggested) };
  return { exact: nameOf(exact), overwrite: /^true$/i.test(header(request, 'x-wopi-overwriterelativetarget')?.trim() ?? '') };
}

function nameOf(encoded: string | undefined): string {
  const name = encoded === undefined ? null : decodeUtf7(encoded.trim());
  if (name === null || name === '') throw new DomainError('NAME_ILLEGAL', 'The name must be UTF-7 and not empty.');
  return name;
}

function notImplemented(): DomainError {
  return new DomainError('ROUTE_NOT_FOUND', 'This host does not know the operation.');
}
