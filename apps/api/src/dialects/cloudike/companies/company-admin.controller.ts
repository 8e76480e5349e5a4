import { COMPANY_ORDERS, CompanyLogo, CompanyQuotas, CompanySearch, CompanyStates } from '#libs/companies';
import { type AccountActor, DomainError } from '#libs/kernel';

import { CloudikeController, CurrentActor, ok, Params, Route, UrlSegment } from '../http/index.js';
import { CompanyQuotaDto, DenyDto, ExpiredDto, FindCompaniesDto } from './company.dto.js';
import { companyIdOf, underCompany } from './company-id.js';
import { presentFound } from './company.presenter.js';

const WRITE = { auth: 'account', head: false } as const;
const DEFAULT_LIMIT = 20;
const DESCENDING = new Set(['descending', 'desc', '-1']);

/** What administrators of the system decide about companies (contract 2). */
@CloudikeController('companies')
export class CompanyAdminController {
  constructor(
    private readonly states: CompanyStates,
    private readonly search: CompanySearch,
    private readonly quotas: CompanyQuotas,
    private readonly logos: CompanyLogo,
  ) {}

  @Route('admin/find_companies', { auth: 'account', summary: 'Companies by filters' })
  async find(@CurrentActor() actor: AccountActor, @Params(FindCompaniesDto) params: FindCompaniesDto) {
    const found = await this.search.find(actor, {
      filter: {
        companyIds: both(params.companyId, params.companyIdIn),
        statuses: both(params.status || undefined, undefined),
        names: both(params.name || undefined, textsOf('name_in', params.nameIn)),
        ownerIds: both(params.ownerId, params.ownerIdIn),
        domains: both(params.domain || undefined, textsOf('domain_in', params.domainIn)),
        registeredMs: params.registrationDate,
        employeesCount: params.employeesCount,
        quotaEmployeesCount: params.quotaEmployeesCount,
        usedBytes: params.storageSize,
        usedBytesFrom: params.storageSizeFrom,
        usedBytesTo: params.storageSizeTo,
      },
      orderBy: COMPANY_ORDERS.find((known) => known === params.orderField) ?? 'company_id',
      descending: DESCENDING.has((params.orderDirection ?? '').toLowerCase()),
      offset: params.offset ?? 0,
      limit: params.limit ?? DEFAULT_LIMIT,
    });
    return presentFound(found, (logoId) => this.logos.urlOf(logoId));
  }

  @Route('admin/company/<company_id>/approve', { ...WRITE, summary: 'Let a company in that waits' })
  async approve(@CurrentActor() actor: AccountActor, @UrlSegment('company_id') companyId: string) {
    await this.states.approve(actor, companyIdOf(companyId));
    return ok('The company was approved.');
  }

  @Route('admin/company/<company_id>/deny', { ...WRITE, summary: 'Refuse a company that waits' })
  async deny(@CurrentActor() actor: AccountActor, @UrlSegment('company_id') companyId: string, @Params(DenyDto) { reason = '' }: DenyDto) {
    await this.states.deny(actor, companyIdOf(companyId), reason);
    return ok('The company was denied.');
  }

  @Route('admin/company/<company_id>/edit_user', { ...WRITE, summary: 'Change what a company may have' })
  async editQuota(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') companyId: string,
    @Params(CompanyQuotaDto) params: CompanyQuotaDto,
  ) {
    await this.quotas.edit(actor, companyIdOf(companyId), {
      softLimitBytes: limitOf(params.quotaSize),
      limitBytes: limitOf(params.hardQuotaSize),
      quotaEmployeesCount: params.quotaEmployeesCount,
      plan: params.plan,
    });
    return ok('The company was changed.');
  }

  @Route(underCompany('<company_id>/set_expired'), { ...WRITE, summary: 'End the plan of a company' })
  async setExpired(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('company_id') companyId: string,
    @Params(ExpiredDto) { expired = true }: ExpiredDto,
  ) {
    await this.states.setExpired(actor, companyIdOf(companyId), expired);
    return ok(expired ? 'The plan has ended.' : 'The plan goes on.');
  }

  @Route(underCompany('<company_id>/remove'), { ...WRITE, summary: 'Remove an empty company for good, in the background' })
  async remove(@CurrentActor() actor: AccountActor, @UrlSegment('company_id') companyId: string) {
    const taskId = await this.states.remove(actor, companyIdOf(companyId));
    return { ...ok('The company is being removed.'), taskid: taskId };
  }
}

/** A limit in bytes; null = not limited, undefined = not given. */
export function limitOf(bytes: number | undefined): number | null | undefined {
  return bytes === undefined ? undefined : bytes > 0 ? bytes : null;
}

/** What fits a filter for one value and one for several: both must, when both are given. */
function both<T>(one: T | undefined, many: readonly T[] | undefined): readonly T[] | undefined {
  if (one === undefined) return many;
  return many === undefined || many.includes(one) ? [one] : [];
}

function textsOf(name: string, value: unknown): string[] | undefined {
  if (value === undefined || value === '') return undefined;
  const values: unknown[] = Array.isArray(value) ? value : [value];
  if (values.length > 1_000 || !values.every((item) => typeof item === 'string' && !item.includes('\0'))) {
    throw new DomainError('INVALID_ARGUMENT', `"${name}" must be a JSON array of texts.`);
  }
  return values as string[];
}
