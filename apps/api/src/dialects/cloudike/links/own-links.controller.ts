import { AccountDirectory } from '#libs/accounts';
import type { AccountActor } from '#libs/kernel';
import { type LinkedNode, LinkService } from '#libs/links';

import { CloudikeController, CurrentActor, Params, Route } from '../http/index.js';
import { NodeWire } from '../presenters/node-wire.js';
import { linkFacts } from './link.presenter.js';
import { CreateLinkDto, LinkPathDto, ListLinksDto } from './links.dto.js';

/** The links of the signed-in user (contract 11). */
@CloudikeController('links')
export class OwnLinksController {
  constructor(
    private readonly links: LinkService,
    private readonly wire: NodeWire,
    private readonly directory: AccountDirectory,
  ) {}

  @Route('links/create', {
    auth: 'account',
    head: false,
    summary: 'A public link to a file or folder; the one that is there is changed in what is given',
  })
  async create(@CurrentActor() actor: AccountActor, @Params(CreateLinkDto) { path, ttl, ...options }: CreateLinkDto) {
    return (await this.present(actor, [await this.links.create(actor, { node: { path }, ttlSeconds: ttl, ...options })]))[0];
  }

  @Route('links/delete', { auth: 'account', head: false, summary: 'Withdraw a public link' })
  async delete(@CurrentActor() actor: AccountActor, @Params(LinkPathDto) { path }: LinkPathDto) {
    return this.wire.node(actor, await this.links.delete(actor, { path }));
  }

  @Route('links', { auth: 'account', summary: 'The public links of the user' })
  async list(@CurrentActor() actor: AccountActor, @Params(ListLinksDto) { hash }: ListLinksDto) {
    return this.present(actor, await this.links.list(actor, hash || undefined));
  }

  private async present(actor: AccountActor, linked: readonly LinkedNode[]) {
    const lang = (await this.directory.find([actor.accountId])).get(actor.accountId)?.lang ?? 'en';
    const nodes = await this.wire.nodes(
      actor,
      linked.map(({ node }) => node),
    );
    return nodes.map((node, index) => ({ ...node, ...linkFacts(linked[index]!.link, lang) }));
  }
}
