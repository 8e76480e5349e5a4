import type { CreateUpload, OpenedUpload, UploadName } from '#libs/files';
import { DomainError } from '#libs/kernel';

/** What a confirm_url says of an upload beside its name. */
export type ConfirmFacts = Pick<CreateUpload, 'path'> & Partial<Omit<CreateUpload, 'path'>>;

/** The absolute URL that confirms an upload by `route`. It carries everything: no client adds a parameter. */
export function confirmUrl(
  publicUrl: string,
  route: 'confirm' | 'confirm_from_diff',
  accountId: number,
  facts: ConfirmFacts,
  { tempName }: Pick<OpenedUpload, 'tempName'>,
): string {
  const query = new URLSearchParams({ user_id: String(accountId), temp_name: tempName });
  const optional = {
    overwrite: facts.overwrite,
    version: facts.expectedVersionNo,
    size: facts.sizeBytes,
    checksum: facts.md5,
    created: facts.clientCreatedMs,
    modified: facts.clientModifiedMs,
  };
  for (const [name, value] of Object.entries(optional)) if (value !== undefined) query.set(name, String(value));
  return `${publicUrl}/api/1/files/${route}/${facts.path.map(encodeURIComponent).join('/')}?${query.toString()}`;
}

/** The upload that a confirm_url names; the host does not matter. INVALID_ARGUMENT for a text that is no confirm_url. */
export function uploadOf(url: string): UploadName {
  const question = url.indexOf('?');
  const query = new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
  const accountId = Number(query.get('user_id') ?? '');
  const tempName = query.get('temp_name') ?? '';
  if (!Number.isSafeInteger(accountId) || accountId < 1 || tempName === '' || !/\/files\/confirm(\/|\?|$)/.test(url)) {
    throw new DomainError('INVALID_ARGUMENT', 'The parameter "confirm_urls" must hold the confirm_url of uploads.');
  }
  return { accountId, tempName };
}
