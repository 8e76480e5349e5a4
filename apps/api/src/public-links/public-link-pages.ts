import type { IncomingMessage, ServerResponse } from 'node:http';

import { Injectable } from '@nestjs/common';

import { ArchiveService } from '#libs/archives';
import { AppConfig } from '#libs/config';
import { BrowseService, DownloadService } from '#libs/files';
import { DomainError, type DomainErrorCode, isDomainError } from '#libs/kernel';
import { LinkDoor, LinkUsage, type OpenedLink } from '#libs/links';
import { Logger } from '#libs/observability';

import { answer, type Exchange } from '../blobs/http-answer.js';
import { clientAddress } from '../http/client-address.js';
import { FormIntake } from './form-intake.js';
import { PAGE_HEADERS } from './page.js';
import { type Dropped, dropBoxPage, errorPage, filePage, folderPage, passwordPage } from './views.js';

const PREFIX = '/public/';
const ENTRIES = 500;
const TICKET_SECONDS = 3600;

const STATUS: Partial<Record<DomainErrorCode, readonly [status: number, title: string]>> = {
  LINK_NOT_FOUND: [404, 'This link does not work'],
  NODE_NOT_FOUND: [404, 'Not found'],
  NOT_A_FILE: [404, 'Not found'],
  LINK_BLOCKED: [403, 'This link is blocked'],
  FORBIDDEN: [403, 'Not allowed'],
  LINK_PASSWORD_WRONG: [403, 'Wrong password'],
  RATE_LIMITED: [429, 'Too many tries'],
  INVALID_ARGUMENT: [400, 'Not understood'],
  TOO_LARGE: [413, 'Too large'],
  QUOTA_EXCEEDED: [402, 'No room left'],
  BUSY: [503, 'Too much to do'],
  STORAGE_UNAVAILABLE: [503, 'Not available'],
};

/** One request, as far as the pages care. */
interface Visit {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly hash: string;
  readonly path: readonly string[];
  readonly query: URLSearchParams;
  readonly exchange: Exchange;
}

/**
 * The pages of public links, for people with nothing but a browser: no script, nothing loaded from elsewhere. `/public/<hash>/<path>` shows a file
 * or a folder, asks for the password, or takes files; `?download` and `?archive` lead to the bytes.
 */
@Injectable()
export class PublicLinkPages {
  constructor(
    private readonly door: LinkDoor,
    private readonly usage: LinkUsage,
    private readonly browse: BrowseService,
    private readonly downloads: DownloadService,
    private readonly archives: ArchiveService,
    private readonly forms: FormIntake,
    private readonly config: AppConfig,
    private readonly logger: Logger,
  ) {}

  /** Serves a request below /public/ and resolves when it is answered; false, at once, for any other. Never rejects. */
  readonly handle = (request: IncomingMessage, response: ServerResponse, continuePending = false): false | Promise<true> => {
    const [path = '', query = ''] = (request.url ?? '').split(/\?(.*)/s, 2);
    if (!path.startsWith(PREFIX)) return false;
    const segments = segmentsOf(path.slice(PREFIX.length));
    const [hash = '', ...below] = segments ?? [];
    // An API has its public files there; no hash is that short.
    if (hash === 'files') return false;
    return this.serve(
      { request, response, hash, path: below, query: new URLSearchParams(query), exchange: { req: request, res: response, continuePending } },
      path,
    );
  };

  private async serve(visit: Visit, path: string): Promise<true> {
    const { request, hash } = visit;
    try {
      if (hash === '') throw new DomainError('LINK_NOT_FOUND', 'There is no such link.');
      if (request.method === 'POST') await this.post(visit);
      else if (request.method !== 'GET' && request.method !== 'HEAD')
        this.answer(visit, 405, errorPage('Not allowed', 'This page is read, not changed.'));
      else if (path === `${PREFIX}${hash}`) this.redirect(visit, 302, `${path}/`);
      else await this.get(visit);
    } catch (error) {
      this.refuse(visit, error);
    }
    return true;
  }

  private async get(visit: Visit): Promise<void> {
    const opened = await this.open(visit);
    const { query, hash, path, request } = visit;
    if (opened.link.rights === 'upload') {
      if (path.length > 0) throw new DomainError('NODE_NOT_FOUND', 'There is nothing to see here.');
      this.answer(visit, 200, dropBoxPage({ hash, rootName: opened.root.name }));
      return;
    }
    if (query.has('download') || query.has('archive')) {
      // Programs that only look at a link must not use it up.
      if (request.method === 'HEAD') this.answer(visit, 405, '');
      else this.redirect(visit, 302, await (query.has('archive') ? this.archiveUrl(opened, path) : this.fileUrl(opened, path)));
      return;
    }
    const place = { hash, path, rootName: opened.root.name };
    const node = path.length === 0 ? opened.root : await this.browse.get(opened.guest, { node: { path } });
    if (node.kind === 'file') this.answer(visit, 200, filePage(place, node));
    else this.answer(visit, 200, folderPage(place, await this.list(opened, path, query.get('after'))));
  }

  private async post(visit: Visit): Promise<void> {
    const { request, response, hash } = visit;
    const isForm = /^\s*multipart\/form-data\b/i.test(request.headers['content-type'] ?? '');
    if (isForm) {
      const opened = await this.open(visit, 'upload');
      this.letIn(visit);
      await this.usage.uploadBegun(opened);
      const outcomes = await this.forms.files(opened.guest, request);
      const whole: readonly Dropped[] = outcomes.length > 0 ? outcomes : [{ asked: 'The form', error: 'It holds no file.' }];
      this.answer(visit, whole.some(({ error }) => error !== undefined) ? 400 : 200, dropBoxPage({ hash, rootName: opened.root.name }, whole));
      return;
    }
    this.letIn(visit);
    const password = await this.forms.password(request);
    const { ticket } = await this.door.open(hash, { password, ip: clientAddress(request) });
    if (ticket !== null) {
      const secure = this.config.http.publicUrl.startsWith('https:') ? '; Secure' : '';
      const scope = `Path=${PREFIX}${encodeURIComponent(hash)}/; Max-Age=${TICKET_SECONDS}; HttpOnly; SameSite=Strict${secure}`;
      response.setHeader('Set-Cookie', `${cookieName(hash)}=${ticket}; ${scope}`);
    }
    this.redirect(visit, 303, request.url ?? '/');
  }

  private open({ hash, request }: Visit, rights?: 'upload'): Promise<OpenedLink> {
    return this.door.open(hash, { ticket: cookieOf(request, cookieName(hash)), ip: clientAddress(request), rights });
  }

  private list({ guest }: OpenedLink, path: readonly string[], cursor: string | null) {
    const page = { dirsOnly: false, includeRemoved: false, orderBy: 'name', descending: false, offset: 0, limit: ENTRIES, cursor } as const;
    return this.browse.list(guest, { node: { path }, ...page });
  }

  private async fileUrl(opened: OpenedLink, path: readonly string[]): Promise<string> {
    const wanted = { node: { path }, inline: false, includeRemoved: false };
    return (await this.usage.counted(opened, () => this.downloads.link(opened.guest, wanted))).url;
  }

  private async archiveUrl(opened: OpenedLink, path: readonly string[]): Promise<string> {
    const selection = { nodes: [{ path }], windows: false };
    const { privateHash } = await this.usage.counted(opened, () => this.archives.createStream(opened.guest, selection));
    return `${this.config.http.publicUrl}/api/1/files/download_as_archive_stream/${privateHash}/`;
  }

  /** Now the sender may send, when he has waited to hear so. */
  private letIn({ exchange }: Visit): void {
    if (exchange.continuePending) exchange.res.writeContinue();
    exchange.continuePending = false;
  }

  private redirect(visit: Visit, status: 302 | 303, location: string): void {
    visit.response.setHeader('Location', location);
    this.answer(visit, status, '');
  }

  private refuse(visit: Visit, error: unknown): void {
    const { request, response, hash, path } = visit;
    if (response.headersSent || (request.destroyed && !request.complete)) {
      response.destroy();
      return;
    }
    const known = isDomainError(error) ? STATUS[error.code] : undefined;
    if (!known || !isDomainError(error)) {
      this.logger.error('a page of a public link failed', { error });
      const requestId = String(response.getHeader('X-Request-Id') ?? 'unknown');
      this.answer(visit, 500, errorPage('Something went wrong', `The server could not show this page (request ${requestId}).`));
      return;
    }
    const [status, title] = known;
    const { code, message, details } = error;
    const retryAfterMs = details['retryAfterMs'];
    if (typeof retryAfterMs === 'number') response.setHeader('Retry-After', Math.max(1, Math.ceil(retryAfterMs / 1000)));
    if (code === 'LINK_PASSWORD_WRONG' && details['reason'] === 'PasswordRequired' && request.method !== 'POST')
      this.answer(visit, 200, passwordPage({ hash, path }, null));
    else if (code === 'LINK_PASSWORD_WRONG') this.answer(visit, status, passwordPage({ hash, path }, message));
    else this.answer(visit, status, errorPage(title, message));
  }

  private answer({ response, exchange }: Visit, status: number, body: string): void {
    for (const [name, value] of Object.entries(PAGE_HEADERS)) response.setHeader(name, value);
    answer(exchange, status, body);
  }
}

/** Decoded segments, empty ones dropped; null for an encoding that is none. A slash that was encoded separates nothing: no name holds one. */
function segmentsOf(path: string): string[] | null {
  try {
    return path
      .split('/')
      .filter((segment) => segment !== '')
      .map(decodeURIComponent);
  } catch {
    return null;
  }
}

/** Each link has a cookie of its own: its path keeps it from the others, its name from being mistaken. */
function cookieName(hash: string): string {
  return `link_${/^[A-Za-z0-9_-]{22,64}$/.test(hash) ? hash : 'none'}`;
}

function cookieOf(request: IncomingMessage, name: string): string | undefined {
  const cookies = request.headers.cookie?.split(';').map((cookie) => cookie.trim()) ?? [];
  return cookies.find((cookie) => cookie.startsWith(`${name}=`))?.slice(name.length + 1);
}
