import { DomainError } from '#libs/kernel';

const DOMAIN = /^(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

/** The domain of a company in lower case; null for an empty text. INVALID_ARGUMENT. */
export function checkedDomain(text: string): string | null {
  const domain = text.trim().toLowerCase();
  if (domain === '') return null;
  if (!DOMAIN.test(domain)) throw new DomainError('INVALID_ARGUMENT', 'The domain of a company is a host name.');
  return domain;
}
