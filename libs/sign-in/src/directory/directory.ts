import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

import { Injectable } from '@nestjs/common';
import { Client, EqualityFilter, InvalidCredentialsError, NoSuchObjectError } from 'ldapts';

import { AppConfig } from '#libs/config';
import { isDomainError } from '#libs/kernel';

import { OutboundHosts, unavailable } from '../outbound-hosts.js';

const TIMEOUT_MS = 5_000;
/** For all of it: a server may answer each message in time and still never end, or stop in the middle of StartTLS. */
const LIMIT_MS = 10_000;
const TLS_PORT = 636;
const PLAIN_PORT = 389;

/** How to reach a directory, as companies set it. */
export interface DirectorySettings {
  /** A host, with or without `ldap://` or `ldaps://` and a port. */
  readonly ldapAddress: string;
  readonly ldapPort: number;
  readonly ldapBasedn: string;
  /** The attribute that holds what people type: `uid`, `sAMAccountName` ... */
  readonly ldapUserAttribute: string;
  /** Who searches; empty = anonymous. */
  readonly ldapUserAgentDn: string;
  readonly ldapUserAgentPassword: string;
}

export interface DirectoryPerson {
  /** What does not change when the person is renamed: entryUUID or objectGUID, else the DN. */
  readonly subject: string;
  readonly email: string | null;
  readonly name: string;
}

/** Asks directories by LDAP (RFC 4511) whether a password is right. */
@Injectable()
export class Directory {
  constructor(
    private readonly config: AppConfig,
    private readonly hosts: OutboundHosts,
  ) {}

  /**
   * The person whose name and password these are; null when there is none, the name is that of several, or the password is wrong. `password` must not be
   * empty: a directory takes that as no password at all (RFC 4513 5.1.2). PROVIDER_UNAVAILABLE, also when the directory refuses its own agent.
   */
  async authenticate(settings: DirectorySettings, name: string, password: string): Promise<DirectoryPerson | null> {
    const { host, port, secure } = serverOf(settings);
    const address = await this.hosts.addressOf(host);
    const tls = { ca: this.hosts.ca, servername: isIP(host) ? '' : host, host: isIP(host) ? host : undefined };
    const opened: Socket[] = [];
    const noted = <T extends Socket>(socket: T): T => {
      opened.push(socket);
      return socket;
    };
    const client = new Client({
      url: `${secure ? 'ldaps' : 'ldap'}://${address.includes(':') ? `[${address}]` : address}:${port}`,
      timeout: TIMEOUT_MS,
      connectTimeout: TIMEOUT_MS,
      ...(secure ? { tlsOptions: tls } : {}),
      createConnection: ((...given: Parameters<typeof connect>) => noted(connect(...given))) as typeof connect,
      createSecureConnection: ((...given: Parameters<typeof connectTls>) => noted(connectTls(...given))) as typeof connectTls,
    });
    const work = async () => {
      if (!secure && !this.config.signIn.ldapPlaintext) await client.startTLS(tls);
      return this.ask(client, settings, name, password);
    };
    try {
      return await inTime(work());
    } catch (error) {
      throw isDomainError(error) ? error : unavailable('The directory of the company does not answer.', error);
    } finally {
      // a polite end could wait for a server that is silent
      for (const socket of opened) socket.destroy();
    }
  }

  private async ask(client: Client, settings: DirectorySettings, name: string, password: string): Promise<DirectoryPerson | null> {
    const { ldapBasedn, ldapUserAttribute: attribute, ldapUserAgentDn, ldapUserAgentPassword } = settings;
    if (ldapUserAgentDn !== '') await client.bind(ldapUserAgentDn, ldapUserAgentPassword);
    const { searchEntries } = await client.search(ldapBasedn, {
      scope: 'sub',
      // the value is encoded as it is, so nothing in a name can become a part of the filter
      filter: new EqualityFilter({ attribute, value: name }),
      sizeLimit: 2,
      timeLimit: TIMEOUT_MS / 1_000,
      attributes: ['entryUUID', 'objectGUID', 'mail', 'displayName', 'cn'],
      explicitBufferAttributes: ['objectGUID'],
    });
    const entry = searchEntries.length === 1 ? searchEntries[0] : undefined;
    // an unknown name takes the way of a wrong password
    const dn = entry?.dn ?? `${attribute}=nobody-${randomBytes(8).toString('hex')},${ldapBasedn}`;
    try {
      await client.bind(dn, password);
    } catch (error) {
      if (error instanceof InvalidCredentialsError || (entry === undefined && error instanceof NoSuchObjectError)) return null;
      throw error;
    }
    if (entry === undefined) return null;
    const [uuid, guid] = [firstOf(entry['entryUUID']), firstOf(entry['objectGUID'])];
    const subject = uuid ? `uuid:${String(uuid)}` : guid ? `guid:${Buffer.from(guid).toString('hex')}` : `dn:${entry.dn.toLowerCase()}`;
    const email = firstOf(entry['mail']);
    const shown = firstOf(entry['displayName']) ?? firstOf(entry['cn']);
    return { subject, email: email ? String(email) : null, name: shown ? String(shown) : '' };
  }
}

async function inTime<T>(work: Promise<T>): Promise<T> {
  const done = new AbortController();
  const limit = AbortSignal.timeout(LIMIT_MS);
  const late = once(limit, 'abort', { signal: done.signal }).then(() => Promise.reject(new Error(`no end after ${LIMIT_MS} ms`)));
  late.catch(() => undefined);
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    done.abort();
  }
}

function serverOf({ ldapAddress, ldapPort }: DirectorySettings): { host: string; port: number; secure: boolean } {
  const url = new URL(/^ldaps?:\/\//.test(ldapAddress) ? ldapAddress : `ldap://${ldapAddress}`);
  const secure = url.protocol === 'ldaps:' || (ldapPort === TLS_PORT && !ldapAddress.startsWith('ldap://'));
  const port = url.port !== '' ? Number(url.port) : secure && ldapPort === PLAIN_PORT ? TLS_PORT : ldapPort;
  return { host: url.hostname.replace(/^\[|\]$/g, ''), port, secure };
}

function firstOf(value: string | string[] | Buffer | Buffer[] | undefined): string | Buffer | undefined {
  const first = Array.isArray(value) ? value[0] : value;
  return first === undefined || first.length === 0 ? undefined : first;
}
