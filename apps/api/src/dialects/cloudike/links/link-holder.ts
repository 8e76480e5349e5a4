import { Injectable } from '@nestjs/common';

import { LinkDoor, type OpenedLink } from '#libs/links';

import type { Caller } from '../http/index.js';

/** Opens links for calls that carry a hash in their URL and a password in their parameters. */
@Injectable()
export class LinkHolder {
  constructor(private readonly door: LinkDoor) {}

  /** To see and take what is behind it. As LinkDoor.open. */
  forDownload(hash: string, { password }: { readonly password?: string }, { ip }: Caller): Promise<OpenedLink> {
    return this.door.open(hash, { password, ip, rights: 'download' });
  }

  /** To leave files behind it. As LinkDoor.open. */
  forUpload(hash: string, { password }: { readonly password?: string }, { ip }: Caller): Promise<OpenedLink> {
    return this.door.open(hash, { password, ip, rights: 'upload' });
  }
}
