import { Req, Res } from '@nestjs/common';
import type { Request, Response } from 'express';

import type { AccountActor } from '#libs/kernel';
import { LinkDoor } from '#libs/links';
import { Previews } from '#libs/previews';
import { ShareDoor } from '#libs/shares';

import { type Caller, CloudikeController, CurrentActor, CurrentCaller, OptionalActor, Params, Route } from '../http/index.js';
import { PreviewSender } from './preview-sender.js';
import { LinkFileDto, LinkPreviewDto, PreviewDto, PreviewFileDto, ShareFileDto, SharePreviewDto } from './previews.dto.js';

/** Previews: have them made, and look at them (contract 6). */
@CloudikeController('previews')
export class PreviewsController {
  constructor(
    private readonly previews: Previews,
    private readonly sender: PreviewSender,
    private readonly links: LinkDoor,
    private readonly shares: ShareDoor,
  ) {}

  @Route('files/create_extra', { auth: 'account', audit: 'derived', head: false, summary: 'Have the previews of a file made, or made again' })
  async create(@CurrentActor() actor: AccountActor, @Params(PreviewFileDto) { path, version }: PreviewFileDto) {
    return this.previews.start(actor, { path }, { versionNo: version || undefined });
  }

  @Route('files/get_preview', { auth: 'account', audit: 'derived', summary: 'A picture of a file' })
  async get(
    @CurrentActor() actor: AccountActor,
    @Params(PreviewDto) params: PreviewDto,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    await this.sender.send(actor, { path: params.path }, params, request, response);
  }

  @Route('links/create_extra', { auth: 'public', audit: 'derived', head: false, summary: 'Have the previews of a published file made' })
  async createOfLink(@Params(LinkFileDto) { hash, path = [], password, version }: LinkFileDto, @CurrentCaller() { ip }: Caller) {
    const { guest } = await this.links.open(hash, { password, ip, rights: 'download' });
    return this.previews.start(guest, { path }, { versionNo: version || undefined });
  }

  @Route('links/get_preview', { auth: 'public', audit: 'derived', summary: 'A picture of a published file' })
  async getOfLink(
    @Params(LinkPreviewDto) params: LinkPreviewDto,
    @CurrentCaller() { ip }: Caller,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { guest } = await this.links.open(params.hash, { password: params.password, ip, rights: 'download' });
    await this.sender.send(guest, { path: params.path ?? [] }, params, request, response);
  }

  @Route('shares/create_extra', { auth: 'optional', audit: 'derived', head: false, summary: 'Have the previews of a file of a shared folder made' })
  async createOfShare(@OptionalActor() caller: AccountActor | null, @Params(ShareFileDto) { inviteHash, path, version }: ShareFileDto) {
    const { actor, base } = await this.shares.byHash(inviteHash, caller);
    return this.previews.start(actor, { path: [...base, ...path] }, { versionNo: version || undefined });
  }

  @Route('shares/get_preview', { auth: 'optional', audit: 'derived', summary: 'A picture of a file of a shared folder' })
  async getOfShare(
    @OptionalActor() caller: AccountActor | null,
    @Params(SharePreviewDto) params: SharePreviewDto,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const { actor, base } = await this.shares.byHash(params.inviteHash, caller);
    await this.sender.send(actor, { path: [...base, ...params.path] }, params, request, response);
  }
}
