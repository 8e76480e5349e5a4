import { SecondFactorService } from '#libs/accounts';
import type { AccountActor } from '#libs/kernel';

import { type Caller, CloudikeController, CurrentActor, CurrentCaller, ok, Params, Route } from '../http/index.js';
import { CodeDto, SecondFactorUserDto } from './sign-in.dto.js';

const WRITE = { auth: 'account', head: false } as const;
/** Also for who has yet to set up what their company demands. */
const ENROLS = { auth: 'account', enrols: true } as const;
const ON_ALREADY = { ALREADY_CONFIRMED: [403, 'AlreadyEnabled'] } as const;

/** The second factor of accounts (ours; contract 22). */
@CloudikeController('sign-in')
export class SecondFactorController {
  constructor(private readonly factors: SecondFactorService) {}

  @Route('accounts/totp/status', { ...ENROLS, summary: 'Whether signing in takes a code' })
  async status(@CurrentActor() actor: AccountActor) {
    const { enabled, pending, recoveryCodesLeft, required } = await this.factors.state(actor);
    return { enabled, pending, recovery_codes_left: recoveryCodesLeft, required };
  }

  @Route('accounts/totp/enrol', { ...ENROLS, head: false, summary: 'A secret for an authenticator program', errors: ON_ALREADY })
  async enrol(@CurrentActor() actor: AccountActor) {
    const { secret, url } = await this.factors.enrol(actor);
    return { secret, otpauth_url: url };
  }

  @Route('accounts/totp/confirm', {
    ...ENROLS,
    head: false,
    summary: 'Turn the second factor on by a code of it; answers the recovery codes',
    errors: ON_ALREADY,
  })
  async confirm(@CurrentActor() actor: AccountActor, @Params(CodeDto) { otp }: CodeDto) {
    return { recovery_codes: await this.factors.confirm(actor, otp) };
  }

  @Route('accounts/totp/recovery_codes', { ...WRITE, summary: 'New recovery codes in place of all earlier ones' })
  async renew(@CurrentActor() actor: AccountActor, @CurrentCaller() caller: Caller, @Params(CodeDto) { otp }: CodeDto) {
    return { recovery_codes: await this.factors.renewRecoveryCodes(actor, otp, caller.ip) };
  }

  @Route('accounts/totp/disable', { ...WRITE, summary: 'Turn the second factor off' })
  async disable(@CurrentActor() actor: AccountActor, @CurrentCaller() caller: Caller, @Params(CodeDto) { otp }: CodeDto) {
    await this.factors.disable(actor, otp, caller.ip);
    return ok('The second factor is off.');
  }

  @Route('accounts/totp/reset', { ...WRITE, summary: 'Take the second factor of somebody away who lost it, as their administrator' })
  async reset(@CurrentActor() actor: AccountActor, @Params(SecondFactorUserDto) { userId }: SecondFactorUserDto) {
    await this.factors.reset(actor, userId);
    return ok('The second factor is off.');
  }
}
