import type { CreateUpload, OpenedUpload, UploadName } from '#libs/files';
import { DomainError } from '#libs/kernel';

/** The absolute URL that confirms an upload. It carries everything: no client adds a parameter. */
export function confirmUrl(publicUrl: string, accountId: number, command: CreateUpload, { tempName }: Pick<OpenedUpload, 'tempName'>): string {
  const query = new URLSearchParams({ user_id: String(accountId), temp_name: tempName, overwrite: String(command.overwrite) });
  const optional = {
    version: command.expectedVersionNo,
    size: command.sizeBytes,
    checksum: command.md5,
    created: command.clientCreatedMs,
    modified: command.clientModifiedMs,
  };
  for (const [name, value] of Object.entries(optional)) if (value !== undefined) query.set(name, String(value));
  return `${publicUrl}/api/1/files/confirm/${command.path.map(encodeURIComponent).join('/')}?${query.toString()}`;
}

/** The upload that a confirm_url names; the host does not matter. INVALID_ARGUMENT for a text that is no confirm_url. */
export function uploadOf(url: string): UploadName {
  const question = url.indexOf('?');
  const query = new URLSearchParams(question < 0 ? '' : url.slice(question + 1));
  const accountId = Number(query.get('user_id') ?? '');
  const tempName = query.get('temp_name') ?? '';
  if (!Number.isSafeInteger(accountId) || accountId < 1 || tempName === '' || !/\/files\/confirm(_from_diff)?(\/|\?|$)/.test(url)) {
    throw new DomainError('INVALID_ARGUMENT', 'The parameter "confirm_urls" must hold the confirm_url of uploads.');
  }
  return { accountId, tempName };
}
