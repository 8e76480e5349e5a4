import { Injectable } from '@nestjs/common';

import { isUuid } from '#libs/kernel';

import { type Identity, IdentityRepository } from './repositories/identity.repository.js';

/** The UUIDs under which programs know people, and back. */
@Injectable()
export class Identities {
  constructor(private readonly identities: IdentityRepository) {}

  /** By account id; unknown ids are absent. One statement. */
  async of(ids: Iterable<number>): Promise<Map<number, Identity>> {
    const wanted = [...new Set(ids)];
    const found = wanted.length === 0 ? [] : await this.identities.ofIds(wanted);
    return new Map(found.map((identity) => [identity.id, identity]));
  }

  /** By public id, of accounts that are not switched off; others, and what is no UUID, are absent. One statement. */
  async find(publicIds: Iterable<string>): Promise<Map<string, Identity>> {
    const wanted = [...new Set(publicIds)].filter(isUuid);
    const found = wanted.length === 0 ? [] : await this.identities.ofPublicIds(wanted);
    return new Map(found.map((identity) => [identity.publicId, identity]));
  }
}
