import { GroupDirectory } from '#libs/groups';
import type { AccountActor } from '#libs/kernel';

import { CurrentActor } from '../../http/dialect/request-decorators.js';
import { Route } from '../../http/dialect/route.js';
import { FileagoController } from './http/controller.js';
import { success } from './http/success.js';

const TEXT = { type: 'string' };

@FileagoController('groups')
export class GroupsController {
  constructor(private readonly groups: GroupDirectory) {}

  @Route('GET', 'api/groups', {
    auth: 'token',
    summary: 'The groups that the caller is in',
    answer: {
      type: 'object',
      properties: { status: TEXT, msg: TEXT, data: { type: 'array', items: { type: 'object', properties: { group_name: TEXT, group_uuid: TEXT } } } },
    },
  })
  async list(@CurrentActor() actor: AccountActor) {
    const groups = await this.groups.mine(actor);
    return success(
      'Groups fetched successfully',
      groups.map(({ name, publicId }) => ({ group_name: name, group_uuid: publicId })),
    );
  }
}
