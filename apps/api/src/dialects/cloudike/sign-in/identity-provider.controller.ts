import type { AccountActor } from '#libs/kernel';
import { IdentityProviders, type IdentityProviderView } from '#libs/sign-in';

import { companyIdOf, underCompany } from '../companies/company-id.js';
import { CloudikeController, CurrentActor, ok, Params, Route, UrlSegment } from '../http/index.js';
import { IdentityProviderDto } from './sign-in.dto.js';

/** The identity provider that a company signs its people in with (ours; contract 22). */
@CloudikeController('sign-in')
export class IdentityProviderController {
  constructor(private readonly providers: IdentityProviders) {}

  @Route(underCompany('<company_id>/oidc'), { auth: 'account', summary: 'The identity provider of the company, without its secret' })
  async get(@CurrentActor() actor: AccountActor, @UrlSegment('company_id') companyId: string) {
    return present(await this.providers.get(actor, companyIdOf(companyId)));
  }

  @Route(underCompany('<company_id>/oidc/change'), { auth: 'account', head: false, summary: 'Set or change the identity provider of the company' })
  async change(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') companyId: string,
    @Params(IdentityProviderDto) params: IdentityProviderDto,
  ) {
    return present(await this.providers.change(actor, companyIdOf(companyId), params));
  }

  @Route(underCompany('<company_id>/oidc/remove'), { auth: 'account', head: false, summary: 'Let nobody in by the identity provider any more' })
  async remove(@CurrentActor() actor: AccountActor, @UrlSegment('company_id') companyId: string) {
    await this.providers.remove(actor, companyIdOf(companyId));
    return ok('The identity provider was removed.');
  }
}

function present(view: IdentityProviderView) {
  return {
    enabled: view.enabled,
    issuer: view.issuer,
    client_id: view.clientId,
    client_secret: '',
    has_secret: view.hasSecret,
    domains: view.domains,
    auto_create: view.autoCreate,
  };
}
