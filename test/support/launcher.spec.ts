import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { findMissingPackage } from '../../scripts/lib/dependencies.mjs';
import { claimDataDir, openDataDir, secretKey } from '../../scripts/lib/instance.mjs';
import { freePorts, portProblem } from '../../scripts/lib/ports.mjs';
import { processIdentity } from '../../scripts/lib/process-tree.mjs';
import { parseAdmin } from '../../scripts/lib/stowage-run.mjs';
import { CrashCounter, visibleLine } from '../../scripts/lib/supervisor.mjs';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'launcher-'));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

describe('the list of installed packages', () => {
  const lock = {
    packages: {
      '': { version: '0.1.0' },
      'node_modules/a': { version: '1.0.0' },
      'node_modules/b': { version: '2.0.0', dev: true },
      'node_modules/c': { version: '3.0.0', optional: true },
    },
  };
  const a = { 'node_modules/a': { version: '1.0.0' } };

  it.each([
    ['everything is there', { ...a, 'node_modules/b': { version: '2.0.0' } }, true, undefined],
    ['a package of another platform is not', a, false, undefined],
    ['a development package is not, and none is needed', a, false, undefined],
    ['a development package is not, and it is needed', a, true, 'b'],
    ['a version differs', { 'node_modules/a': { version: '1.0.1' } }, false, 'a'],
    ['a package is missing', {}, false, 'a'],
    ['an optional package is of another version', { ...a, 'node_modules/c': { version: '3.0.1' } }, false, 'c'],
  ])('is judged when %s', (_, packages, dev, missing) => {
    expect(findMissingPackage(lock, { packages }, { dev })).toBe(missing);
  });
});

describe('the data folder', () => {
  it('belongs to one living launcher, and the second one learns which', () => {
    const claim = claimDataDir(dir);
    expect(() => claimDataDir(dir)).toThrow(`another Stowage (process ${process.pid}) already runs on the data folder ${dir}`);
    claim.release();
    expect(claimDataDir(dir).earlier).toBeUndefined();
  });

  it.each([
    ['a process that is gone', { pid: 2 ** 22 + 1, identity: '1' }],
    ['a process id that means another process now', { pid: process.pid, identity: 'something else' }],
  ])('is taken over from %s', (_, left) => {
    writeFileSync(join(dir, 'state.json'), JSON.stringify({ ...left, api: { pid: 5 } }));
    expect(claimDataDir(dir).earlier).toMatchObject({ ...left, api: { pid: 5 } });
    expect(JSON.parse(readFileSync(join(dir, 'state.json'), 'utf8'))).toMatchObject({ pid: process.pid, identity: processIdentity(process.pid) });
  });

  it('is taken over when its state is half written', () => {
    writeFileSync(join(dir, 'state.json'), '{"pid": 12');
    expect(claimDataDir(dir).earlier).toEqual({});
  });

  it('is made with its parents, closed to others', () => {
    const made = openDataDir(join(dir, 'a/b/c'));
    expect(made).toBe(join(dir, 'a/b/c'));
    expect(statSync(made).mode & 0o066).toBe(0);
  });

  it('that cannot be made is named', () => {
    writeFileSync(join(dir, 'file'), '');
    expect(() => openDataDir(join(dir, 'file/data'))).toThrow(/the data folder .*file\/data cannot be made or written .*ENOTDIR.*STOWAGE_DATA_DIR/);
  });

  it('keeps one secret key, readable by its owner only', () => {
    const key = secretKey(dir);
    expect(key.length).toBeGreaterThanOrEqual(32);
    expect(secretKey(dir)).toBe(key);
    expect(statSync(join(dir, 'secret.key')).mode & 0o777).toBe(0o600);
    writeFileSync(join(dir, 'secret.key'), 'short');
    expect(() => secretKey(dir)).toThrow(/no key of at least 32 characters/);
  });
});

describe('watching processes', () => {
  it('gives up only when the crashes lie close together', () => {
    const crashes = new CrashCounter(3, 1000);
    crashes.add(0);
    crashes.add(500);
    crashes.add(1400);
    expect(crashes.tooMany).toBe(false);
    crashes.add(1450);
    expect(crashes.tooMany).toBe(true);
  });

  it('waits longer after each crash', () => {
    const crashes = new CrashCounter();
    const waits = [0, 1, 2].map((time) => crashes.add(time) && crashes.backoffMs);
    expect(waits).toEqual([250, 500, 1000]);
  });

  it.each([
    ['plain text', 'plain text'],
    ['', undefined],
    ['{"level":30,"msg":"request"}', undefined],
    ['{"level":40,"msg":"slow"}', 'warning: slow'],
    ['{"level":50,"msg":"failed","err":{"message":"no route"}}', 'error: failed: no route'],
    ['{not json', '{not json'],
  ])('shows of the line %j: %j', (line, shown) => {
    expect(visibleLine(line)).toBe(shown);
  });

  it('finds the administrator among other lines', () => {
    expect(parseAdmin('{"admin":{"email":"a@b.c","created":true}}')).toEqual({ email: 'a@b.c', created: true });
    expect(parseAdmin('{"level":30}')).toBeUndefined();
    expect(parseAdmin('text')).toBeUndefined();
  });
});

describe('ports', () => {
  it('are told apart by whether something listens', async () => {
    const [port = 0, other] = await freePorts(2);
    expect(other).not.toBe(port);
    const server = (await import('node:net')).createServer();
    await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
    expect(await portProblem(port, '127.0.0.1')).toBe('EADDRINUSE');
    await new Promise((closed) => server.close(closed));
    expect(await portProblem(port, '127.0.0.1')).toBeUndefined();
  });
});
