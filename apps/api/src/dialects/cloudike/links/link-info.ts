import { Injectable } from '@nestjs/common';

import { AccountDirectory } from '#libs/accounts';
import type { AccountActor } from '#libs/kernel';
import { LinkDoor } from '#libs/links';

import { presentLink } from './link.presenter.js';

/** What a link tells of itself before it is opened. */
@Injectable()
export class LinkInfo {
  constructor(
    private readonly door: LinkDoor,
    private readonly directory: AccountDirectory,
  ) {}

  /** As LinkDoor.info. */
  async of(hash: string, actor: AccountActor | null) {
    const link = await this.door.info(hash, actor);
    const issuer = (await this.directory.find([link.issuerId])).get(link.issuerId);
    return presentLink(link, issuer?.lang ?? 'en');
  }
}
