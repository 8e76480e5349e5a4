import { isIP } from 'node:net';

import { DomainError } from '#libs/kernel';

const MAX_ENTRIES = 500;

/** A list of addresses and CIDR blocks, comma-separated as it is stored; separators may also be semicolons and white space. INVALID_ARGUMENT. */
export function checkedIps(text: string): string {
  const entries = text.split(/[\s,;]+/).filter((entry) => entry !== '');
  if (entries.length > MAX_ENTRIES) throw new DomainError('INVALID_ARGUMENT', `"allowed_ips" can have ${MAX_ENTRIES} entries at most.`);
  for (const entry of entries) {
    if (!isBlock(entry))
      throw new DomainError('INVALID_ARGUMENT', `"allowed_ips" must list addresses or CIDR blocks; "${entry.slice(0, 60)}" is none.`);
  }
  return entries.join(',');
}

function isBlock(entry: string): boolean {
  const [address, prefix, ...more] = entry.split('/');
  // a zone is a matter of one machine
  const family = address!.includes('%') ? 0 : isIP(address!);
  if (family === 0 || more.length > 0) return false;
  return prefix === undefined || (/^\d{1,3}$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128));
}
