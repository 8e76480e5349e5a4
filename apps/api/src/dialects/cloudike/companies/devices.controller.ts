import { Devices } from '#libs/accounts';
import type { AccountActor } from '#libs/kernel';

import { presentToken } from '../accounts/session.presenter.js';
import { CloudikeController, CurrentActor, ok, Params, Route } from '../http/index.js';
import { DeviceDto, ListDevicesDto } from './company.dto.js';
import { underCompany } from './company-id.js';

const WRITE = { auth: 'account', head: false } as const;

/** Devices of members, for their administrators (contract 13). */
@CloudikeController('companies')
export class DevicesController {
  constructor(private readonly devices: Devices) {}

  @Route(underCompany('user_permanent_tokens', 'user_tokens'), { auth: 'account', summary: 'The devices of a member' })
  async list(@CurrentActor() actor: AccountActor, @Params(ListDevicesDto) { userid, includeNotPermanent }: ListDevicesDto) {
    const tokens = await this.devices.list(actor, userid, { includeTemporary: includeNotPermanent ?? false });
    return { content: tokens.map((token) => ({ ...presentToken(token), is_synced: false })) };
  }

  @Route(underCompany('user_permanent_token/remove', 'user_permanent_tokens/remove', 'user_tokens/remove', 'user_token/remove'), {
    ...WRITE,
    summary: 'End a token of a member, or have the device wiped',
  })
  async remove(@CurrentActor() actor: AccountActor, @Params(DeviceDto) { tokenId, remoteWipe }: DeviceDto) {
    await this.devices.remove(actor, tokenId, { wipe: remoteWipe ?? false });
    return ok(remoteWipe ? 'The device will be wiped.' : 'The token was removed.');
  }

  @Route(
    underCompany(
      'user_permanent_token/cancel_remove',
      'user_permanent_tokens/cancel_remove',
      'user_tokens/cancel_remove',
      'user_token/cancel_remove',
    ),
    {
      ...WRITE,
      summary: 'Take the order to wipe a device back',
    },
  )
  async cancel(@CurrentActor() actor: AccountActor, @Params(DeviceDto) { tokenId }: DeviceDto) {
    await this.devices.cancelWipe(actor, tokenId);
    return ok('The device will not be wiped.');
  }
}
