import { type AccountActor, type Actor } from '#libs/kernel';
import { LinkDoor } from '#libs/links';
import type { NodeRef } from '#libs/nodes';
import { PreviewLinks, Previews } from '#libs/previews';

import { type Caller, CloudikeController, CurrentActor, CurrentCaller, Params, Route } from '../http/index.js';
import { LinkFileDto, PreviewFileDto } from './previews.dto.js';

const ERRORS = { NODE_NOT_FOUND: [404, 'FileNotFound'], VERSION_NOT_FOUND: [404, 'FileNotFound'], LINK_NOT_FOUND: [404, 'FileNotFound'] } as const;

/** Documents in the browser: a page of ours that shows them as pictures (contract 7). */
@CloudikeController('kukudocs')
export class KukudocsController {
  constructor(
    private readonly previews: Previews,
    private readonly urls: PreviewLinks,
    private readonly links: LinkDoor,
  ) {}

  @Route('kukudocs/view', { auth: 'account', audit: 'derived', head: false, summary: 'A page that shows a document', errors: ERRORS })
  async view(@CurrentActor() actor: AccountActor, @Params(PreviewFileDto) { path, version }: PreviewFileDto) {
    return this.pageOf(actor, { path }, version);
  }

  @Route('kukudocs/link/view', { auth: 'public', audit: 'derived', head: false, summary: 'A page that shows a published document', errors: ERRORS })
  async viewLink(@Params(LinkFileDto) { hash, path = [], password, version }: LinkFileDto, @CurrentCaller() { ip }: Caller) {
    const { guest } = await this.links.open(hash, { password, ip, rights: 'download' });
    return this.pageOf(guest, { path }, version);
  }

  /** What is known to have no view is refused here; what is still being made shows itself on the page. */
  private async pageOf(actor: Actor, ref: NodeRef, version: number | undefined): Promise<{ url: string }> {
    const { node, versionNo } = await this.previews.view(actor, ref, { versionNo: version || undefined });
    return { url: this.urls.of(actor, node.id, versionNo)('view') };
  }
}
