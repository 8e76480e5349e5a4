import { Injectable } from '@nestjs/common';

import { ChangeLog } from '#libs/nodes';

import { CompanyShareRepository, type ShareRequest } from './repositories/company-share.repository.js';

/** Tells both sides what becomes of a request for a folder. Joins the surrounding transaction. */
@Injectable()
export class RequestLog {
  constructor(
    private readonly changes: ChangeLog,
    private readonly offers: CompanyShareRepository,
  ) {}

  async tell(what: 'sent' | 'accepted' | 'declined', requests: readonly ShareRequest[], actorId: number, writer = false): Promise<void> {
    const told = requests.map(({ nodeId, ownerId, accountId, hash, message, folderName }) => {
      const who = { owner: ownerId, directory_name: folderName, collab_id: accountId };
      const facts = { kind: 'folder', ...who, hash, writer, ...(message === '' ? {} : { message }) };
      return { accountIds: [ownerId, accountId], nodeId, path: `/${folderName}`, facts };
    });
    await this.changes.recordEach(`share_request_${what}`, actorId, told);
  }

  /** Ends every request for a folder that is not on offer any more. */
  async declineAll(nodeId: string, actorId: number): Promise<void> {
    await this.tell('declined', await this.offers.removeRequests(nodeId), actorId);
  }
}
