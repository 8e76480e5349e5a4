import { Injectable } from '@nestjs/common';

import { AdminRights, companyNotFound, ProfileService } from '#libs/accounts';
import { UnitOfWork } from '#libs/database';
import { type AccountActor, DomainError } from '#libs/kernel';

import { CompanyRepository } from '../repositories/company.repository.js';
import { PaymentProviders } from './payment-provider.js';

export interface BillingProfile {
  readonly methods: readonly { readonly id: string; readonly name: string }[];
  readonly current: string;
}

/** How companies pay. */
@Injectable()
export class Billing {
  constructor(
    private readonly providers: PaymentProviders,
    private readonly companies: CompanyRepository,
    private readonly profiles: ProfileService,
    private readonly rights: AdminRights,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** The ways to pay, and that of the actor's company; who has none pays nothing. */
  async profile(actor: AccountActor): Promise<BillingProfile> {
    const { companyId } = (await this.profiles.ofAccount(actor.accountId)).account;
    const company = companyId === null ? null : await this.companies.find(companyId);
    const methods = this.providers.all.map(({ id, name }) => ({ id, name }));
    return { methods, current: company?.paymentMethod ?? this.providers.all[0].id };
  }

  /** Chooses the way to pay of the actor's company. FORBIDDEN for who does not administrate one, INVALID_ARGUMENT for an unknown way. */
  async choose(actor: AccountActor, method: string): Promise<void> {
    const { companyId } = await this.rights.requireAnyAdmin(actor);
    if (!this.providers.all.some(({ id }) => id === method)) throw new DomainError('INVALID_ARGUMENT', 'There is no such payment method.');
    if (companyId === null) throw new DomainError('FORBIDDEN', 'Only companies pay.');
    await this.rights.requireCompanyAdmin(actor, companyId);
    await this.companies.change(companyId, { paymentMethod: method });
  }

  /** Forgets the card of a company, which pays by no way from then on. COMPANY_NOT_FOUND, FORBIDDEN. */
  async forgetCard(actor: AccountActor, companyId: number): Promise<void> {
    await this.rights.requireCompanyAdmin(actor, companyId);
    const company = await this.companies.find(companyId);
    if (company === null) throw companyNotFound();
    // the card first: should it fail, the company still shows that there is one
    await this.providers.all.find(({ id }) => id === company.paymentMethod)?.forgetCard(companyId);
    await this.unitOfWork.run(async () => {
      const held = await this.companies.lock(companyId);
      if (held?.paymentMethod === company.paymentMethod) await this.companies.change(companyId, { paymentMethod: this.providers.all[0].id });
    });
  }
}
