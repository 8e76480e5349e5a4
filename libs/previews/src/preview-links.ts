import { createHmac, timingSafeEqual } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { type Actor, Clock, DomainError, type Viewer, viewerFrom, viewerText } from '#libs/kernel';

/** First segment of every URL of a preview. */
export const PREVIEW_PATH = '/previews/';
/** A URL works for 12 to 24 hours, and stays the same for 12, so that what a browser keeps is found again. */
const STEP_SECONDS = 12 * 3600;
/** Without a token whose end would end it, a URL works for 15 to 30 minutes. */
const TOKENLESS_STEP_SECONDS = 15 * 60;

/** What a preview URL names. It grants nothing: whoever serves it asks again whether the viewer may see the node. */
export interface PreviewAddress {
  readonly viewer: Viewer;
  readonly nodeId: string;
  readonly versionNo: number;
  /** `small`, `pdf`, `page-3`, ...; or `view`, the page that shows the document. */
  readonly kind: string;
}

/** URLs of previews that need no header: signed for one viewer and one version of a file. */
@Injectable()
export class PreviewLinks {
  private readonly base: string;
  private readonly secret: Buffer;

  constructor(
    config: AppConfig,
    private readonly clock: Clock,
  ) {
    this.base = config.http.publicUrl.replace(/\/+$/, '');
    this.secret = createHmac('sha256', config.secretKey).update('preview urls 1').digest();
  }

  /** URLs of one version of a file for this actor, by kind. One signature covers all kinds, because lists have many thousands of them. */
  of(actor: Actor, nodeId: string, versionNo: number): (kind: string) => string {
    const by = viewerText(actor);
    const step = actor.kind === 'account' && actor.tokenId === null ? TOKENLESS_STEP_SECONDS : STEP_SECONDS;
    const expires = (Math.floor(this.clock.nowMs() / 1000 / step) + 2) * step;
    const query = `?by=${by}&exp=${expires}&sig=${this.signature(by, nodeId, String(versionNo), String(expires))}`;
    return (kind) => `${this.base}${PREVIEW_PATH}${nodeId}/${versionNo}/${kind}${query}`;
  }

  /** What the target of a request (path and query) names. FORBIDDEN when it is unsigned, altered or too old. */
  verify(target: string): PreviewAddress {
    const url = new URL(target, 'http://preview.invalid');
    const [nodeId = '', version = '', kind = '', ...rest] = url.pathname.slice(PREVIEW_PATH.length).split('/');
    const by = url.searchParams.get('by') ?? '';
    const expires = url.searchParams.get('exp') ?? '';
    const given = Buffer.from(url.searchParams.get('sig') ?? '', 'base64url');
    const wanted = Buffer.from(this.signature(by, nodeId, version, expires), 'base64url');
    const viewer = viewerFrom(by);
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted) || viewer === null || rest.length > 0) {
      throw new DomainError('FORBIDDEN', 'This URL is not valid.');
    }
    if (!(Number(expires) * 1000 > this.clock.nowMs())) throw new DomainError('FORBIDDEN', 'This URL has expired.');
    return { viewer, nodeId, versionNo: Number(version), kind };
  }

  private signature(by: string, nodeId: string, versionNo: string, expires: string): string {
    return createHmac('sha256', this.secret).update(`${by}\n${nodeId}\n${versionNo}\n${expires}`).digest('base64url');
  }
}
