import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

export const BASE_DN = 'dc=acme,dc=example';
export const AGENT_DN = `cn=agent,${BASE_DN}`;
export const AGENT_PASSWORD = 'agent-password';

export interface DirectoryUser {
  readonly uid: string;
  readonly password: string;
  readonly cn?: string;
  readonly mail?: string;
}

/** A real LDAP server with people in it, that only its agent may search. It knows StartTLS; its certificate is for localhost alone. */
export interface TestDirectory {
  readonly port: number;
  readonly tlsPort: number;
  /** The certificate authority to trust. */
  readonly caFile: string;
  stop(): Promise<void>;
}

/** Starts OpenLDAP's slapd, which the test runner has found, on free ports of 127.0.0.1. */
export async function startDirectory(users: readonly DirectoryUser[]): Promise<TestDirectory> {
  const given = process.env.STOWAGE_TEST_SLAPD;
  if (!given) throw new Error('STOWAGE_TEST_SLAPD is not set: run this through "npm test"');
  const { program, root, libraries } = JSON.parse(given) as { program: string; root: string; libraries: string };
  const env = { PATH: process.env.PATH ?? '', ...(libraries ? { LD_LIBRARY_PATH: libraries } : {}) };
  const dir = await mkdtemp(join(tmpdir(), 'stowage-slapd-'));
  const at = (name: string) => join(dir, name);
  await mkdir(at('data'));
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  await run('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', ...subject, '-keyout', at('key.pem'), '-out', at('cert.pem')]);
  await writeFile(at('slapd.conf'), configuration(root, dir));
  await writeFile(at('people.ldif'), people(users));
  await run(program, ['-Tadd', '-f', at('slapd.conf'), '-l', at('people.ldif')], { env });
  const [port, tlsPort] = [await freePort(), await freePort()];
  const listen = `ldap://127.0.0.1:${port}/ ldaps://127.0.0.1:${tlsPort}/`;
  const child = spawn(program, ['-d', '0', '-f', at('slapd.conf'), '-h', listen], { env, stdio: 'ignore' });
  const stop = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const end = once(child, 'exit');
      child.kill('SIGTERM');
      await end;
    }
    await rm(dir, { recursive: true, force: true });
  };
  try {
    await answering(port, () => child.exitCode !== null);
  } catch (error) {
    await stop();
    throw error;
  }
  return { port, tlsPort, caFile: at('cert.pem'), stop };
}

function configuration(root: string, dir: string): string {
  const schemas = ['core', 'cosine', 'inetorgperson'].map((name) => `include ${join(root, 'etc/ldap/schema', `${name}.schema`)}`);
  return [
    ...schemas,
    `modulepath ${join(root, 'usr/lib/ldap')}`,
    'moduleload back_mdb',
    `pidfile ${join(dir, 'pid')}`,
    `TLSCertificateFile ${join(dir, 'cert.pem')}`,
    `TLSCertificateKeyFile ${join(dir, 'key.pem')}`,
    'database mdb',
    'maxsize 10485760',
    `suffix "${BASE_DN}"`,
    `directory ${join(dir, 'data')}`,
    'access to attrs=userPassword by anonymous auth by * none',
    `access to * by dn.exact="${AGENT_DN}" read by * none`,
    '',
  ].join('\n');
}

function people(users: readonly DirectoryUser[]): string {
  const entry = (dn: string, lines: readonly string[]) => [`dn: ${dn}`, ...lines, ''].join('\n');
  return [
    entry(BASE_DN, ['objectClass: dcObject', 'objectClass: organization', 'dc: acme', 'o: Acme']),
    entry(AGENT_DN, ['objectClass: organizationalRole', 'objectClass: simpleSecurityObject', 'cn: agent', `userPassword: ${AGENT_PASSWORD}`]),
    ...users.map(({ uid, password, cn = uid, mail }, index) =>
      entry(`employeeNumber=${index},${BASE_DN}`, [
        'objectClass: inetOrgPerson',
        `employeeNumber: ${index}`,
        `uid:: ${Buffer.from(uid).toString('base64')}`,
        `cn:: ${Buffer.from(cn).toString('base64')}`,
        'sn: x',
        ...(mail ? [`mail: ${mail}`] : []),
        `userPassword:: ${Buffer.from(password).toString('base64')}`,
      ]),
    ),
  ].join('\n');
}

async function freePort(): Promise<number> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((closed) => server.close(closed));
  return port;
}

async function answering(port: number, hasEnded: () => boolean): Promise<void> {
  for (let tries = 0; tries < 200; tries++) {
    if (hasEnded()) throw new Error('slapd ended before it was ready');
    const socket = connect(port, '127.0.0.1');
    const open = await new Promise<boolean>((resolve) => socket.once('connect', () => resolve(true)).once('error', () => resolve(false)));
    socket.destroy();
    if (open) return;
    await sleep(50);
  }
  throw new Error('slapd does not answer');
}
