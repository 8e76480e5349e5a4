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

  async tell(what: 'sent' | 'accepted' | 'declined', request: ShareRequest, actorId: number, writer = false): Promise<void> {
    const { nodeId, ownerId, accountId, hash, message, folderName } = request;
    const facts = {
      kind: 'folder',
      owner: ownerId,
      directory_name: folderName,
      collab_id: accountId,
      hash,
      writer,
      ...(message === '' ? {} : { message }),
    };
    await this.changes.recordForAccounts(`share_request_${what}`, [ownerId, accountId], { actorId, nodeId, path: `/${folderName}`, facts });
  }

  /** Ends every request for a folder that is not on offer any more. */
  async declineAll(nodeId: string, actorId: number): Promise<void> {
    for (const request of await this.offers.removeRequests(nodeId)) await this.tell('declined', request, actorId);
  }
}
