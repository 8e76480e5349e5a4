import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { AuditChain, AuditExporter, type AuditFinding, AuditModule, AuditRecorder, AuditVerifier, type CallFacts } from '#libs/audit';
import { UnitOfWork } from '#libs/database';
import { FilesModule, FolderService } from '#libs/files';
import { type AccountActor, DomainError } from '#libs/kernel';

import { lockWaits } from '../support/lock-waits.js';
import { withStatements } from '../support/statement-count.js';
import { type BytesHarness, segments, startBytes } from './bytes-harness.js';
import { codeOf } from './tree-harness.js';

interface Row {
  action: string;
  outcome: string;
  error: string | null;
  actor_id: number | null;
  xid: string;
  position: number | null;
  subjects: Record<string, string[]>;
  params: Record<string, unknown>;
}

let h: BytesHarness;
let actor: AccountActor;
let owner: pg.Client;

const service = <T>(type: new (...args: never[]) => T): T => h.app.get<T>(type, { strict: false });
const facts = (action: string, more: Partial<CallFacts> = {}): CallFacts => ({
  action,
  dialect: 'test',
  client: 'vitest',
  address: '203.0.113.5',
  requestId: 'r1',
  actor: () => actor,
  params: () => ({ kept: { path: '/ü "quoted"\n\0 \ud800' }, logins: ['Somebody@Example.org'] }),
  ...more,
});
const call = <T>(action: string, work: () => Promise<T>, signsIn = false): Promise<T> => service(AuditRecorder).run(facts(action), { signsIn }, work);
const records = (action: string): Promise<Row[]> =>
  h.database.query<Row & Record<string, unknown>>('SELECT * FROM audit_records WHERE action = $1 ORDER BY id', [action]);
const value = (key: string) => h.database.run('INSERT INTO account_values (account_id, key, value) VALUES ($1, $2, $3)', [actor.accountId, key, '1']);
const folder = (path: string) => service(FolderService).create(actor, { path: segments(path), createParents: true });

beforeAll(async () => {
  h = await startBytes({}, undefined, [AuditModule, FilesModule]);
  actor = await h.account();
  await folder('/first');
  owner = new pg.Client(h.databaseUrl);
  await owner.connect();
});
afterAll(async () => {
  await owner.end();
  await h.close();
});

describe('the record of a call', () => {
  it('is in the transaction of the change, and of the first one only', async () => {
    const xids = await call('two transactions', async () => {
      const first = await service(UnitOfWork).run(async () => {
        await value('a1');
        await value('a2');
        return h.database.queryOne<{ xid: string }>('SELECT pg_current_xact_id()::text AS xid');
      });
      await value('a3');
      return first!.xid;
    });
    const made = await records('two transactions');
    expect(made).toMatchObject([{ outcome: 'changed', actor_id: actor.accountId, xid: xids }]);
    expect(made[0]!.params).toMatchObject({ path: '/ü "quoted"\n \ufffd' });
    expect(JSON.stringify(made[0])).not.toMatch(/example\.org/i);
  });

  it('is undone with the change, and is in the next transaction then', async () => {
    await call('second try', async () => {
      const failing = service(UnitOfWork).run(async () => {
        await value('b1');
        throw new DomainError('BUSY', 'no');
      });
      expect(await codeOf(failing)).toBe('BUSY');
      expect(await records('second try')).toEqual([]);
      await value('b2');
      expect(await records('second try')).toHaveLength(1);
    });
    expect(await records('second try')).toMatchObject([{ outcome: 'changed' }]);
  });

  it('is one also after a deadlock made the transaction run again', async () => {
    await value('c1');
    await value('c2');
    const both: (() => void)[] = [];
    const touch = (first: string, second: string) =>
      call('deadlock', () =>
        service(UnitOfWork).run(async () => {
          await h.database.run('UPDATE account_values SET value = value WHERE key = $1', [first]);
          if (both.length < 2) await new Promise<void>((go) => (both.push(go), both.length === 2 && both.forEach((each) => each())));
          await h.database.run('UPDATE account_values SET value = value WHERE key = $1', [second]);
        }),
      );
    await Promise.all([touch('c1', 'c2'), touch('c2', 'c1')]);
    expect(await records('deadlock')).toHaveLength(2);
  });

  it('comes with a statement that stands alone, and not with one that changes nothing', async () => {
    const { statements } = await withStatements(() => call('alone', () => value('d1')));
    expect(statements).toHaveLength(2);
    expect(
      await codeOf(
        call('refused', async () => {
          await h.database.run('UPDATE account_values SET value = $2 WHERE key = $1', ['no such key', '2']);
          throw new DomainError('NODE_NOT_FOUND', 'no');
        }),
      ),
    ).toBe('NODE_NOT_FOUND');
    expect(await records('alone')).toMatchObject([{ outcome: 'changed' }]);
    expect(await records('refused')).toEqual([]);
  });

  it('does not come with a change that waited for another one and then was none', async () => {
    await value('e1');
    await owner.query('BEGIN');
    await owner.query(`UPDATE account_values SET value = '2' WHERE key = 'e1'`);
    const late = codeOf(
      call('late', async () => {
        expect(await h.database.run(`UPDATE account_values SET value = '3' WHERE key = $1 AND value = '1'`, ['e1'])).toBe(0);
        throw new DomainError('NODE_NOT_FOUND', 'no');
      }),
    );
    await expect.poll(() => lockWaits(h.database), { timeout: 30_000 }).toHaveLength(1);
    await owner.query('COMMIT');
    expect(await late).toBe('NODE_NOT_FOUND');
    expect(await records('late')).toEqual([]);
  });

  it('says so when nothing was to be changed, and which sign-ins were refused', async () => {
    await call('nothing', () => h.database.query('SELECT 1'));
    expect(await records('nothing')).toMatchObject([{ outcome: 'unchanged', error: null }]);
    const wrong = (code: 'INVALID_CREDENTIALS' | 'RATE_LIMITED') => call('sign in', () => Promise.reject(new DomainError(code, 'no')), true);
    for (const code of ['INVALID_CREDENTIALS', 'RATE_LIMITED'] as const) expect(await codeOf(wrong(code))).toBe(code);
    expect(await records('sign in')).toMatchObject([{ outcome: 'refused', error: 'INVALID_CREDENTIALS' }]);
    for (let tries = 0; tries < 70; tries++) await codeOf(wrong('INVALID_CREDENTIALS'));
    expect((await records('sign in')).length).toBe(60);
  });

  it('costs an upload and a new folder no statement, and is in theirs', async () => {
    const created = await withStatements(() => call('create', () => h.create(actor, '/first/a.txt')));
    await h.put(created.result, Buffer.from('abc'));
    const plain = await h.create(actor, '/first/plain.txt');
    await h.put(plain, Buffer.from('abc'));
    const without = await withStatements(() => h.confirms.confirm({ accountId: actor.accountId, tempName: plain, actor }));
    const confirmed = await withStatements(() =>
      call('confirm', () => h.confirms.confirm({ accountId: actor.accountId, tempName: created.result, actor })),
    );
    const unrecorded = await withStatements(() => folder('/first/unrecorded'));
    const made = await withStatements(() => call('folder', () => folder('/first/made')));
    expect(confirmed.statements).toHaveLength(without.statements.length);
    expect(made.statements).toHaveLength(unrecorded.statements.length);
    for (const action of ['confirm', 'folder']) {
      const [record] = await records(action);
      const [id] = record!.subjects.node!;
      expect(await h.database.queryOne('SELECT xmin::text AS xid FROM nodes WHERE id = $1', [id])).toEqual({ xid: record!.xid });
    }
    expect(await records('create')).toMatchObject([{ outcome: 'changed' }]);
    expect(await codeOf(call('taken', () => folder('/first/made')))).toBe('NAME_TAKEN');
    expect(await records('taken')).toEqual([]);
  });
});

describe('the chain', () => {
  const verify = async (anchor?: { position: number; hash: string }) => {
    const findings: AuditFinding[] = [];
    const report = await service(AuditVerifier).run({ anchor, onFinding: (finding) => findings.push(finding) });
    expect(report.findings).toBe(findings.length);
    return { report, findings: findings.map(({ kind, subject }) => `${kind} ${subject}`) };
  };
  const fill = async (count: number) => {
    for (let i = 0; i < count; i++) await call('filler', () => value(`f${Math.random()}`));
  };
  /** What whoever owns the database can do; undone afterwards. */
  const tampered = async (...statements: string[]) => {
    await owner.query('ALTER TABLE audit_records DISABLE TRIGGER USER');
    await owner.query('CREATE TABLE saved AS TABLE audit_records');
    await owner.query('CREATE TABLE saved_head AS TABLE audit_heads');
    for (const statement of statements) await owner.query(statement);
    const { findings } = await verify();
    await owner.query('DELETE FROM audit_records; INSERT INTO audit_records SELECT * FROM saved; DROP TABLE saved');
    await owner.query('DELETE FROM audit_heads; INSERT INTO audit_heads SELECT * FROM saved_head; DROP TABLE saved_head');
    await owner.query('ALTER TABLE audit_records ENABLE TRIGGER USER');
    expect((await verify()).findings).toEqual([]);
    return findings;
  };

  it('takes every record once, whoever seals', async () => {
    await fill(20);
    expect((await verify()).report.unsealed).toBeGreaterThanOrEqual(20);
    const counts = await Promise.all([1, 2, 3].map(() => service(AuditChain).seal()));
    const [{ n }] = (await h.database.query<{ n: number }>('SELECT count(*) AS n FROM audit_records')) as [{ n: number }];
    expect(counts.reduce((a, b) => a + b, 0)).toBe(n);
    const { report, findings } = await verify();
    expect(findings).toEqual([]);
    expect(report).toMatchObject({ sealed: n, unsealed: 0, position: n });
    expect(await service(AuditChain).seal()).toBe(0);
  });

  it.each([
    ['a changed actor', [`UPDATE audit_records SET actor_id = 4711 WHERE position = 7`], ['changed 7']],
    ['a changed moment', [`UPDATE audit_records SET at_ms = at_ms - 1 WHERE position = 7`], ['changed 7']],
    ['a changed parameter', [`UPDATE audit_records SET params = '{}' WHERE position = 8`], ['changed 8']],
    ['a changed transaction', [`UPDATE audit_records SET xid = '5' WHERE position = 8`], ['broken-link 8']],
    ['a removed record', [`DELETE FROM audit_records WHERE position = 9`], ['missing 9']],
    [
      'a removed record whose place was closed',
      [
        `DELETE FROM audit_records WHERE position = 9`,
        `ALTER TABLE audit_records DROP CONSTRAINT uq_audit_records_position`,
        `UPDATE audit_records SET position = position - 1 WHERE position > 9`,
        `ALTER TABLE audit_records ADD CONSTRAINT uq_audit_records_position UNIQUE (position)`,
      ],
      expect.arrayContaining(['broken-link 9']),
    ],
    [
      'two records that changed places',
      [
        `UPDATE audit_records SET position = CASE position WHEN 3 THEN -4 ELSE -3 END WHERE position IN (3, 4)`,
        `UPDATE audit_records SET position = -position WHERE position < 0`,
      ],
      expect.arrayContaining(['broken-link 3', 'broken-link 4']),
    ],
    [
      'a copy put between',
      [
        `INSERT INTO audit_records SELECT gen_random_uuid(), at_ms, action, outcome, error, dialect, actor_id, impersonator_id, company_id, credential, client, address, request_id, subjects, params, mac, xid, 5000, hash FROM audit_records WHERE position = 2`,
      ],
      expect.arrayContaining(['changed 5000', 'beyond-head 5000']),
    ],
    [
      'a record that nobody wrote',
      [
        `INSERT INTO audit_records SELECT '00000000-0000-7000-8000-000000000001', at_ms, action, outcome, error, dialect, 1, impersonator_id, company_id, credential, client, address, request_id, subjects, params, mac, xid, NULL, NULL FROM audit_records WHERE position = 2`,
      ],
      ['forged 00000000-0000-7000-8000-000000000001'],
    ],
    [
      'a head that was set back with its tail cut',
      [
        `DELETE FROM audit_records WHERE position > 10`,
        `UPDATE audit_heads SET position = 10, hash = (SELECT hash FROM audit_records WHERE position = 10)`,
      ],
      ['bad-head 10'],
    ],
    ['a removed head', [`DELETE FROM audit_heads`], [expect.stringMatching(/^bad-head/)]],
    ['a beginning that was cut', [`DELETE FROM audit_records WHERE position <= 2`], ['missing 1']],
  ])('shows %s', async (_what, statements, findings) => {
    expect(await tampered(...statements)).toEqual(findings);
  });

  it('shows a cut tail, also with an older head when its end was noted elsewhere', async () => {
    const older = await owner.query<{ position: string; hash: Buffer }>('SELECT * FROM audit_heads');
    await fill(3);
    await service(AuditChain).seal();
    const { report } = await verify();
    expect(await tampered(`DELETE FROM audit_records WHERE position > ${report.position - 2}`)).toEqual([`cut-tail ${report.position - 1}`]);
    const anchor = { position: report.position, hash: report.hash };
    expect((await verify(anchor)).findings).toEqual([]);
    expect((await verify({ ...anchor, hash: '00'.repeat(32) })).findings).toEqual([`anchor ${report.position}`]);
    // what the database alone cannot show: the older head was signed
    const [head] = older.rows as unknown as Record<string, unknown>[];
    await owner.query('BEGIN');
    await owner.query('ALTER TABLE audit_records DISABLE TRIGGER USER');
    await owner.query('DELETE FROM audit_records WHERE position > $1', [head!.position]);
    await owner.query('UPDATE audit_heads SET position = $1, hash = $2, mac = $3', [head!.position, head!.hash, head!.mac]);
    await owner.query('ALTER TABLE audit_records ENABLE TRIGGER USER');
    await owner.query('COMMIT');
    expect((await verify()).findings).toEqual([]);
    expect((await verify(anchor)).findings).toEqual([`anchor ${report.position}`]);
  });

  it('tells of a record that no worker seals', async () => {
    await fill(1);
    expect((await verify()).findings).toEqual([]);
    h.clock.offsetMs = 3_600_000;
    try {
      expect((await verify()).findings).toEqual([expect.stringMatching(/^unsealed /)]);
    } finally {
      h.clock.offsetMs = 0;
    }
    await service(AuditChain).seal();
  });

  it('begins later when old records are removed, and holds', async () => {
    const { report } = await verify();
    const kept = await h.database.queryOne<{ at_ms: number }>('SELECT at_ms FROM audit_records WHERE position = 12');
    expect(await service(AuditChain).expire(kept!.at_ms, 5)).toBe(5);
    expect(await service(AuditChain).expire(kept!.at_ms, 500)).toBeLessThanOrEqual(6);
    expect(await service(AuditChain).expire(0, 500)).toBe(0);
    const after = await verify({ position: report.position, hash: report.hash });
    expect(after.findings).toEqual([]);
    expect(after.report.basePosition).toBeGreaterThanOrEqual(5);
    expect(after.report.position).toBe(report.position);
    await fill(2);
    await service(AuditChain).seal();
    expect((await verify()).findings).toEqual([]);
    expect(await tampered(`DELETE FROM audit_records WHERE position <= ${after.report.basePosition + 1}`)).toEqual([
      `missing ${after.report.basePosition + 1}`,
    ]);
  });

  it('is kept from mistakes by the database', async () => {
    for (const statement of [
      'UPDATE audit_records SET actor_id = 1',
      `UPDATE audit_records SET position = NULL, hash = NULL WHERE position IS NOT NULL`,
      'DELETE FROM audit_records',
      'TRUNCATE audit_records',
    ])
      await expect(owner.query(statement)).rejects.toThrow(/audit records are kept/);
  });
});

describe('the export', () => {
  const text = async (admin: AccountActor, format: 'jsonl' | 'csv', filter = {}, company?: number) => {
    const exporter = service(AuditExporter);
    const { body } = await (company === undefined ? exporter.ofSystem(admin, filter, format) : exporter.ofCompany(admin, company, filter, format));
    const chunks: Buffer[] = [];
    for await (const chunk of body) chunks.push(chunk);
    return Buffer.concat(chunks).toString();
  };

  it('gives administrators all records in pages, by filters, and others none', async () => {
    const admin = await h.account();
    await h.database.run(`UPDATE accounts SET role = 'admin' WHERE id = $1`, [admin.accountId]);
    await h.database.query(
      `SELECT audit_write(json_build_object('id', gen_random_uuid(), 'at_ms', 5, 'action', '=cmd()', 'outcome', 'changed', 'dialect', 'test', 'client', 'a', 'address', 'b',
                                            'request_id', 'c', 'subjects', json_build_object(), 'params', json_build_object(), 'mac', ''))
         FROM generate_series(1, 1200)`,
    );
    const [{ n }] = (await h.database.query<{ n: number }>('SELECT count(*) AS n FROM audit_records')) as [{ n: number }];
    const { result, statements } = await withStatements(() => text(admin, 'jsonl'));
    const lines = result
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { id: string; action: string; params: object });
    expect(lines).toHaveLength(n);
    expect(new Set(lines.map(({ id }) => id)).size).toBe(n);
    expect(statements.length).toBeLessThanOrEqual(2 + Math.ceil((n + 1) / 500));
    const csv = (await text(admin, 'csv', { action: '=cmd()' })).trimEnd().split('\r\n');
    expect(csv).toHaveLength(1201);
    expect(csv[1]).toContain(",'=cmd(),");
    expect((await text(admin, 'jsonl', { accountId: actor.accountId, action: 'folder' })).trimEnd().split('\n')).toHaveLength(1);
    expect(await text(admin, 'jsonl', { accountId: actor.accountId, toMs: 1000 })).toBe('');
    expect(await codeOf(text(actor, 'jsonl'))).toBe('FORBIDDEN');
    expect(await codeOf(text(actor, 'jsonl', {}, 1))).toBe('COMPANY_NOT_FOUND');
  });
});
