import type { Company, CompanyMember, CompanyView, FoundCompanies, MemberResult, MembersOfCompany } from '#libs/companies';
import type { AccountOverviewView } from '#libs/files';
import { formatLogin, mainLogin } from '#libs/accounts';

import { presentAccount } from '../accounts/account.presenter.js';
import { wireError } from '../http/errors.js';

type LogoUrl = (logoId: string | null) => string;

/** What every member sees. Sizes are bytes, times ms; 0 = none or not limited. */
function presentPublic(company: Company, logoUrl: LogoUrl) {
  const logo = logoUrl(company.logoId);
  return {
    company_id: company.id,
    name: company.name,
    owner_id: company.ownerId ?? 0,
    employees_count: company.employeesCount,
    logo,
    logo_url: logo,
    domain: company.domain,
    storage_size: company.usedBytes,
    quota_size: company.softLimitBytes ?? company.limitBytes ?? 0,
    registration_date: company.createdMs,
  };
}

/** The company object: administrators see the settings too, save the password for the directory, which is never shown again. */
export function presentCompany({ company, asAdmin }: CompanyView, logoUrl: LogoUrl) {
  if (!asAdmin) return presentPublic(company, logoUrl);
  const { settings } = company;
  return {
    ...presentPublic(company, logoUrl),
    status: company.status,
    hard_quota_size: company.limitBytes ?? 0,
    quota_employees_count: company.quotaEmployeesCount,
    plan: company.plan,
    plan_expired: company.status === 'expired',
    plan_remaining: 0,
    reference_email: company.referenceEmail,
    payment_method: company.paymentMethod,
    phone_number: settings.phoneNumber,
    public_links_allow: settings.publicLinksAllow,
    sharing_outside_allow: settings.sharingOutsideAllow,
    folder_create_admin_only: settings.folderCreateAdminOnly,
    folder_limit_creation_allow: settings.folderLimitCreationAllow,
    company_folder_creation_allow: settings.companyFolderCreationAllow,
    pay_by_bank: settings.payByBank,
    restrict_mobile_using: settings.restrictMobileUsing,
    mobile_using_start_at: settings.mobileUsingStartAt,
    mobile_using_end_at: settings.mobileUsingEndAt,
    can_use_mobile: settings.canUseMobile,
    can_use_pc_client: settings.canUsePcClient,
    wizard_state: settings.wizardState,
    use_custom_agreement: settings.useCustomAgreement,
    custom_agreement_shown: settings.customAgreementShown,
    custom_agreement: settings.customAgreement,
    password_lifetime: settings.passwordLifetime,
    password_reuse_allow: settings.passwordReuseAllow,
    second_factor_required: settings.secondFactorRequired,
    notification_email: settings.notificationEmail,
    lang: settings.lang,
    logout_timeout: settings.logoutTimeout,
    logout_timeout_enable: settings.logoutTimeoutEnable,
    ldap_is_enabled: settings.ldapIsEnabled,
    ldap_address: settings.ldapAddress,
    ldap_port: settings.ldapPort,
    ldap_basedn: settings.ldapBasedn,
    ldap_user_attribute: settings.ldapUserAttribute,
    ldap_user_agent_dn: settings.ldapUserAgentDn,
    ldap_user_agent_password: '',
    auth_methods: { email: true, ldap: settings.ldapIsEnabled },
    traffic_size: 0,
  };
}

/** What everybody learns of a company by its domain. */
export function presentDomain(company: Company, logoUrl: LogoUrl) {
  return {
    status: company.status,
    domain: company.domain,
    name: company.name,
    company_id: company.id,
    logo: logoUrl(company.logoId),
    auth_method: { email: true, ...(company.settings.ldapIsEnabled ? { ldap: true } : {}) },
  };
}

export function presentFound({ companies, count, limit, offset }: FoundCompanies, logoUrl: LogoUrl) {
  return {
    companies: companies.map((company) => ({
      ...presentPublic(company, logoUrl),
      hard_quota_size: company.limitBytes ?? 0,
      quota_employees_count: company.quotaEmployeesCount,
      plan: company.plan,
      status: company.status,
      public_links_allow: company.settings.publicLinksAllow,
      sharing_outside_allow: company.settings.sharingOutsideAllow,
      company_folder_creation_allow: company.settings.companyFolderCreationAllow,
    })),
    limit,
    offset,
    count,
  };
}

/** Members and invited people. `views`: the overviews of those who are members, by account. */
export function presentMembers({ members, count, limit }: MembersOfCompany, offset: number, views: ReadonlyMap<number, AccountOverviewView>) {
  return { content: members.map((member) => presentMember(member, views.get(member.profile.account.id))), count, limit, offset };
}

function presentMember(member: CompanyMember, view: AccountOverviewView | undefined) {
  const { account, logins } = member.profile;
  const position = account.extraInfo['position'];
  if (view) return { ...presentAccount(view), position: typeof position === 'string' ? position : '', quota_request: member.quotaRequestMs ?? 0 };
  return {
    userid: account.id,
    login: mainLogin(account.id, logins),
    logins: logins.map(formatLogin),
    name: account.name,
    company_id: account.companyId ?? 0,
    company_name: account.companyName,
    created: account.createdMs,
    expires: member.invitedUntilMs ?? 0,
    is_approved: false,
    is_active: false,
    status: 'waiting',
  };
}

/**
 * What became of each of several accounts. Of one account it is its user data too, and its refusal is that of the call. Throws that refusal.
 */
export function presentResults(results: readonly MemberResult[], views: ReadonlyMap<number, AccountOverviewView>) {
  const [first] = results;
  if (results.length === 1 && first?.error) throw first.error;
  const nodes = results.map(({ accountId, error }) => {
    const view = views.get(accountId);
    if (error === null && view) return { ...presentAccount(view), error_code: null };
    return { userid: accountId, error_code: error === null ? 404 : wireError(error.code).status, error_info: error?.message ?? '' };
  });
  const failed = results.filter(({ error }) => error !== null).length;
  return { ...(results.length === 1 ? nodes[0] : {}), success: results.length - failed, failed, nodes };
}
