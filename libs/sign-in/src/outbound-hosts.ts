import { lookup } from 'node:dns/promises';
import { readFileSync } from 'node:fs';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { rootCertificates } from 'node:tls';

import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { DomainError } from '#libs/kernel';

/** Addresses that lead to this machine, its network or nowhere: RFC 6890 and its successors. Apart by family: a list takes `::ffff:0:0/96` for all of IPv4. */
const PRIVATE = { ipv4: new BlockList(), ipv6: new BlockList() };
for (const range of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['::', 96],
  ['::ffff:0:0', 96],
  ['64:ff9b::', 96],
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['fc00::', 7],
  ['fe80::', 9],
  ['ff00::', 8],
] as const) {
  const family = familyOf(range[0]);
  PRIVATE[family].addSubnet(range[0], range[1], family);
}

/** True for an address that is not on the public internet. */
export function isPrivateAddress(address: string): boolean {
  const family = familyOf(address);
  return PRIVATE[family].check(address, family);
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv6(address) ? 'ipv6' : 'ipv4';
}

/**
 * Where identity providers and directories may be: administrators of companies name them, and must not reach into the network of this installation with
 * that. What is connected to is the address that was judged, so that a name cannot change its meaning in between.
 */
@Injectable()
export class OutboundHosts {
  private readonly listed: ReadonlySet<string>;
  private readonly caFile: string | undefined;
  private authorities: string[] | undefined;

  constructor(config: AppConfig) {
    this.listed = new Set(config.signIn.privateHosts);
    this.caFile = config.signIn.caFile;
  }

  /** Whether the operator of the installation has named this host: it may be private, and spoken to by plain http. */
  isListed(host: string): boolean {
    return this.listed.has('*') || this.listed.has(bare(host));
  }

  /** An address of `host` that may be connected to. PROVIDER_UNAVAILABLE when there is none. */
  async addressOf(host: string): Promise<string> {
    const name = bare(host);
    let addresses: readonly string[];
    try {
      addresses = isIP(name) ? [name] : (await lookup(name, { all: true })).map(({ address }) => address);
    } catch (error) {
      throw unavailable(`There is no host "${name}".`, error);
    }
    const allowed = addresses.find((address) => this.isListed(name) || !isPrivateAddress(address));
    if (allowed === undefined) throw unavailable(`The host "${name}" is in a private network.`);
    return allowed;
  }

  /** Certificate authorities to trust; undefined = those of Node. */
  get ca(): string[] | undefined {
    if (this.caFile === undefined) return undefined;
    return (this.authorities ??= [...rootCertificates, readFileSync(this.caFile, 'utf8')]);
  }
}

/** PROVIDER_UNAVAILABLE; what happened is for the log. */
export function unavailable(message: string, cause?: unknown): DomainError {
  return new DomainError('PROVIDER_UNAVAILABLE', message, {}, cause === undefined ? undefined : { cause });
}

/** A host name of a URL as it is compared: lower case, an IPv6 address without brackets. */
function bare(host: string): string {
  return host.toLowerCase().replace(/^\[|\]$/g, '');
}
