import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { FsckService } from '#libs/files';
import { type AccountActor, type Actor, DomainError } from '#libs/kernel';
import type { LocatedNode } from '#libs/nodes';
import type { OpenPreview } from '#libs/previews';

import { previewPrograms } from '../support/services.js';
import { countStatements } from '../support/statement-count.js';
import { codeOf } from './bytes-harness.js';
import { pdfOf, picture, type PreviewsHarness, startPreviews } from './previews-harness.js';

let house: PreviewsHarness;
let actor: AccountActor;

beforeAll(async () => {
  house = await startPreviews();
  actor = await house.account();
});
afterAll(() => house?.close());

async function bytesOf(preview: OpenPreview): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of (await preview.body()) as AsyncIterable<Buffer>) parts.push(part);
  return Buffer.concat(parts);
}

const open = (who: Actor, node: LocatedNode, kind = 'small') => house.previews.open(who, { id: node.id }, { kind, waitMs: 0 });
const reasonOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'no refusal',
    (error: { details?: { reason?: unknown } }) => error.details?.reason,
  );

describe('pictures', () => {
  it('are made in three sizes, with the facts of the original', async () => {
    const node = await house.made(actor, '/wide.jpg', await picture(3000, 1000));
    const sizes = await Promise.all(
      ['small', 'middle', 'preview'].map(async (kind) => sharp(await bytesOf(await open(actor, node, kind))).metadata()),
    );
    expect(sizes.map(({ width, height, format }) => [width, height, format])).toEqual([
      [128, 43, 'jpeg'],
      [512, 171, 'jpeg'],
      [1280, 427, 'jpeg'],
    ]);
    const facts = (await house.facts.of(actor, [node])).get(node.id);
    expect(facts?.extradata).toMatchObject({ state: 'ready', pdf: null, metainfo: { width: 3000, height: 1000 } });
    expect(facts?.extradata?.thumbnails?.small).toMatch(/^http:\/\/localhost:\d+\/previews\//);
  });

  it('stand upright, on white, and tell when they were taken', async () => {
    const turned = await sharp({ create: { width: 80, height: 40, channels: 4, background: '#ff000000' } })
      .withExif({ IFD2: { DateTimeOriginal: '2024:05:06 07:08:09' } })
      .withMetadata({ orientation: 6 })
      .webp()
      .toBuffer();
    const node = await house.made(actor, '/turned.webp', turned);
    const small = await bytesOf(await open(actor, node));
    expect(await sharp(small).metadata()).toMatchObject({ width: 40, height: 80 });
    const { dominant } = await sharp(small).stats();
    expect(Math.min(dominant.r, dominant.g, dominant.b)).toBeGreaterThan(240);
    const facts = (await house.facts.of(actor, [node])).get(node.id);
    expect(facts?.extradata?.metainfo).toMatchObject({ width: 40, height: 80 });
  });

  it.each(['png', 'webp', 'gif', 'tiff', 'avif'] as const)('are made of %s', async (format) => {
    const node = await house.made(actor, `/one.${format}`, await picture(300, 200, format));
    expect(await house.stateOf(node)).toMatchObject({ image: { state: 'ready', kinds: ['preview', 'middle', 'small'] } });
  });

  it('belong to the content: a copy has them at once, and under another name it is taken for something else', async () => {
    const color = String(100_000 + (Date.now() % 900_000));
    const body = Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="50" height="50"><rect width="50" height="50" fill="#${color}"/></svg>`);
    const node = await house.made(actor, '/a.svg', body);
    const known = {
      overwrite: false,
      createParents: true,
      multipart: false,
      sizeBytes: body.length,
      md5: createHash('md5').update(body).digest('hex'),
    };
    const copies = await Promise.all(['b.svg', 'b.txt'].map((name) => house.uploads.create(actor, { path: [name], ...known })));
    const [same, text] = copies.map((copy) => (copy.kind === 'deduplicated' ? copy.node : node));
    expect((await open(actor, same!)).etag).toBe((await open(actor, node)).etag);
    expect(await reasonOf(open(actor, text!))).toBe('processing');
    await house.makeAll();
    expect(await house.stateOf(node)).toMatchObject({ image: { state: 'ready' }, text: { state: 'ready' } });
  });

  it('tell of themselves in the feed, and make the listing of their folder new', async () => {
    const node = await house.upload(actor, '/told/told.png', await picture(50, 50, 'png'));
    const revision = async () =>
      (await house.database.queryOne<{ revision: number }>('SELECT revision FROM nodes WHERE id = $1', [node.parentId]))?.revision ?? 0;
    const before = await revision();
    await house.previews.start(actor, { id: node.id });
    await house.makeAll();
    expect(await revision()).toBe(before + 1);
    const events = await house.database.query<{ path: string; facts: { processed: string[] } }>(
      `SELECT path, facts FROM change_events WHERE type = 'extradata_created' AND node_id = $1`,
      [node.id],
    );
    expect(events).toMatchObject([{ path: '/told/told.png', facts: { processed: ['preview', 'middle', 'small'] } }]);
  });
});

describe('texts', () => {
  it('need no program: pictures, and a PDF of their own', async () => {
    const node = await house.made(actor, '/code.ts', Buffer.from('const a = "<b>&amp;";\n\tif (a) return;\n'.repeat(100)));
    expect(await house.stateOf(node)).toMatchObject({ text: { state: 'ready', kinds: ['preview', 'middle', 'small', 'pdf'] } });
    expect((await bytesOf(await open(actor, node, 'pdf'))).subarray(0, 5).toString()).toBe('%PDF-');
    const { channels } = await sharp(await bytesOf(await open(actor, node, 'middle'))).stats();
    expect(channels[0]!.min).toBeLessThan(120);
  });

  it('that are no texts have no preview', async () => {
    const node = await house.made(actor, '/binary.txt', Buffer.concat([Buffer.from('text'), Buffer.alloc(1000), Buffer.from(String(Math.random()))]));
    expect(await house.stateOf(node)).toMatchObject({ text: { state: 'unsupported', reason: 'this is no text' } });
    expect(await reasonOf(open(actor, node))).toBe('unsupported');
    expect((await house.facts.of(actor, [node])).get(node.id)?.extradata).toBeNull();
  });

  it.each([
    ['empty lines', '\n'.repeat(5000)],
    ['one endless line', 'x'.repeat(700_000)],
    ['UTF-16', '\ufeffgrüße'],
    ['markup of the drawing library', '<span size="900pt">&nbsp;</span>&&<<<'],
    ['half a surrogate', 'a\ud800b'],
  ])('may be odd: %s', async (name, content) => {
    const body = name === 'UTF-16' ? Buffer.from(content, 'utf16le') : Buffer.from(content + (name === 'empty lines' ? '' : String(Math.random())));
    const node = await house.made(actor, `/${name}.md`, body);
    expect(await house.stateOf(node)).toMatchObject({ text: { state: 'ready' } });
  });
});

describe('programs', () => {
  it('draw documents, page by page for those who read them; without the program there is no preview, and no error', async () => {
    const node = await house.made(actor, '/paper.pdf', pdfOf(3));
    if (previewPrograms.pdftoppm) {
      expect(await house.stateOf(node)).toMatchObject({ pdf: { state: 'ready', kinds: ['preview', 'middle', 'small'] } });
      const first = await house.previews.view(actor, { id: node.id }, { waitMs: 0 });
      expect(first).toMatchObject({ state: 'processing', pictures: [] });
      await house.makeAll();
      const view = await house.previews.view(actor, { id: node.id }, { waitMs: 0 });
      expect(view).toMatchObject({ state: 'ready', pictures: ['page-1', 'page-2', 'page-3'] });
      expect((await sharp(await bytesOf(await open(actor, node, 'page-3'))).metadata()).height).toBe(1400);
    } else {
      expect(await house.stateOf(node)).toMatchObject({ pdf: { state: 'unsupported', reason: 'pdftoppm is not installed' } });
      expect(await codeOf(house.previews.view(actor, { id: node.id }, { waitMs: 0 }))).toBe('NO_PREVIEW');
    }
  });

  it('take a frame and facts of videos, or leave them alone', async () => {
    if (previewPrograms.ffmpeg) {
      const folder = await mkdtemp(join(tmpdir(), 'stowage-video-'));
      const file = join(folder, 'v.mp4');
      spawnSync(previewPrograms.ffmpeg, ['-v', 'error', '-f', 'lavfi', '-i', 'testsrc=duration=2:size=320x240:rate=10', file]);
      const node = await house.made(actor, '/clip.mp4', await readFile(file));
      await rm(folder, { recursive: true });
      expect(await house.stateOf(node)).toMatchObject({ video: { state: 'ready' } });
      const facts = (await house.facts.of(actor, [node])).get(node.id)?.extradata;
      expect(facts?.metainfo).toMatchObject({ width: 320, height: 240, duration: 2, video_stream: 0 });
      expect(await sharp(await bytesOf(await open(actor, node, 'preview'))).metadata()).toMatchObject({ width: 320, height: 240 });
    } else {
      const node = await house.made(actor, '/clip.mp4', Buffer.from(`video ${Math.random()}`));
      expect(await house.stateOf(node)).toMatchObject({ video: { state: 'unsupported', reason: 'ffmpeg is not installed' } });
    }
  });

  it('turn office documents into PDF, or leave them alone', async () => {
    const node = await house.made(actor, '/letter.rtf', Buffer.from(`{\\rtf1\\ansi Hello ${Math.random()}\\par}`));
    if (previewPrograms.soffice) {
      expect(await house.stateOf(node)).toMatchObject({ office: { state: 'ready' } });
      expect((await bytesOf(await open(actor, node, 'pdf'))).subarray(0, 5).toString()).toBe('%PDF-');
    } else expect(await house.stateOf(node)).toMatchObject({ office: { state: 'unsupported', reason: 'soffice is not installed' } });
  });

  it('that are installed later are used when previews are asked for again', async () => {
    const bare = await startPreviews({ STOWAGE_PREVIEW_PDFTOPPM: '/nowhere/pdftoppm' });
    const person = await bare.account();
    const node = await bare.made(person, '/paper.pdf', pdfOf(1));
    expect(await bare.stateOf(node)).toMatchObject({ pdf: { state: 'unsupported', reason: 'pdftoppm is not installed' } });
    expect(await bare.previews.start(person, { id: node.id })).toEqual({ started: false });
    bare.clock.offsetMs += 11 * 60_000;
    expect(await bare.previews.start(person, { id: node.id })).toEqual({ started: true });
    await bare.close();
  });
});

describe('asking', () => {
  it('starts what is missing, waits, and says what is being made', async () => {
    const node = await house.upload(actor, '/wait.jpg', await picture());
    expect(await reasonOf(open(actor, node))).toBe('processing');
    let waits = true;
    const waiting = house.previews.open(actor, { id: node.id }, { kind: 'small', waitMs: 20_000 }).finally(() => (waits = false));
    // A maker passes by a row that the request has just in its hands, and finds it at its next turn.
    while (waits) await house.makeAll();
    expect((await waiting).contentType).toBe('image/jpeg');
    expect((await open(actor, node)).etag).toBe((await waiting).etag);
  });

  it('again makes them anew, but not at every call, and the old ones go when the new are there', async () => {
    const node = await house.made(actor, '/again.jpg', await picture());
    const { etag } = await open(actor, node);
    expect(await house.previews.start(actor, { id: node.id })).toEqual({ started: false });
    house.clock.offsetMs += 11 * 60_000;
    expect(await house.previews.start(actor, { id: node.id })).toEqual({ started: true });
    expect((await open(actor, node)).etag).toBe(etag);
    await house.makeAll();
    expect((await open(actor, node)).etag).not.toBe(etag);
    await house.janitor.expireDerived();
    await house.janitor.deleteTombstones();
    expect((await house.storedKeys()).includes(`derived/${etag}`)).toBe(false);
  });

  it('of folders, unknown versions, and what has no preview is refused', async () => {
    const node = await house.upload(actor, '/d/archive.zip', `zip ${Math.random()}`);
    expect(await house.previews.start(actor, { id: node.id })).toEqual({ started: false });
    expect(await reasonOf(open(actor, node))).toBe('unsupported');
    expect(await codeOf(house.previews.start(actor, { path: ['d'] }))).toBe('NOT_A_FILE');
    expect(await codeOf(house.previews.start(actor, { path: ['nothing'] }))).toBe('NODE_NOT_FOUND');
    for (const versionNo of [0, -1, 99, 1.5, Number.NaN]) {
      expect(await codeOf(house.previews.start(actor, { id: node.id }, { versionNo }))).toBe('VERSION_NOT_FOUND');
    }
  });

  it('of an earlier version shows that version', async () => {
    const first = await house.made(actor, '/v.png', await picture(100, 50, 'png'));
    await house.upload(actor, '/v.png', await picture(50, 100, 'png'), { overwrite: true });
    expect(
      (await sharp(await bytesOf(await house.previews.open(actor, { id: first.id }, { kind: 'small', versionNo: 1, waitMs: 0 }))).metadata()).width,
    ).toBe(100);
  });

  it('needs at most one statement for all nodes of a listing, and none where nothing has previews', async () => {
    const files = await Promise.all([1, 2, 3].map(async (n) => house.upload(actor, `/many/${n}.png`, await picture(20, 20, 'png'))));
    expect(await countStatements(() => house.facts.of(actor, files))).toBe(1);
    const archives = await Promise.all([1, 2].map((n) => house.upload(actor, `/many/${n}.bin`, `${Math.random()}`)));
    expect(await countStatements(() => house.facts.of(actor, archives))).toBe(0);
  });
});

describe('who may look', () => {
  it('is decided at each look', async () => {
    const node = await house.made(actor, '/mine.jpg', await picture());
    const stranger = await house.account();
    expect(await codeOf(open(stranger, node))).toBe('NODE_NOT_FOUND');
    expect(await codeOf(house.previews.start(stranger, { id: node.id }))).toBe('NODE_NOT_FOUND');
    const grant = await house.database.queryOne<{ id: string }>(
      `INSERT INTO grants (id, node_id, account_id, can_download, granted_by) VALUES (gen_random_uuid(), $1, $2, true, $3) RETURNING id`,
      [node.parentId, stranger.accountId, actor.accountId],
    );
    await house.database.run(
      `INSERT INTO invitations (id, grant_id, account_id, hash, state) VALUES (gen_random_uuid(), $1, $2, gen_random_uuid()::text, 'accepted')`,
      [grant!.id, stranger.accountId],
    );
    const seen = await bytesOf(await open(stranger, node));
    expect(seen.equals(await bytesOf(await open(actor, node)))).toBe(true);
    await house.database.run('UPDATE grants SET can_download = false WHERE id = $1', [grant!.id]);
    expect((await bytesOf(await open(stranger, node))).equals(seen)).toBe(false);
    await house.database.run('DELETE FROM grants WHERE id = $1', [grant!.id]);
    expect(await codeOf(open(stranger, node))).toBe('NODE_NOT_FOUND');
  });

  it.each(['use_watermarks = true', 'can_download = false'])(
    'with his name on it where his account says %s, and not the document itself',
    async (setting) => {
      const person = await house.account();
      await house.database.run(`UPDATE accounts SET name = 'Ann <b>&"' WHERE id = $1`, [person.accountId]);
      const node = await house.made(person, '/plain.jpg', await picture(1600, 1200));
      const text = await house.made(person, '/plain.txt', Buffer.from(`words ${Math.random()}`));
      const plain = await open(person, node, 'preview');
      const without = await bytesOf(plain);
      await house.database.run(`UPDATE accounts SET ${setting} WHERE id = $1`, [person.accountId]);
      const marked = await open(person, node, 'preview');
      expect(marked.etag).not.toBe(plain.etag);
      const { data, info } = await sharp(await bytesOf(marked))
        .raw()
        .toBuffer({ resolveWithObject: true });
      const bare = await sharp(without).raw().toBuffer();
      expect([info.width, info.height]).toEqual([1280, 960]);
      let touched = 0;
      for (let at = 0; at < data.length; at += 3) if (Math.abs(data[at]! - bare[at]!) > 25) touched++;
      expect(touched / (data.length / 3)).toBeGreaterThan(0.01);
      expect((await open(person, text)).contentType).toBe('image/jpeg');
      expect(await codeOf(open(person, text, 'pdf'))).toBe('FORBIDDEN');
      expect((await bytesOf(await open(person, node, 'small'))).length).toBeGreaterThan(100);
    },
  );

  it('stands in the URL, which nobody can change or keep for long', async () => {
    const node = await house.upload(actor, '/url.jpg', await picture());
    const url = new URL(house.links.of(actor, node.id, 1)('small'));
    const target = url.pathname + url.search;
    expect(house.links.verify(target)).toEqual({
      viewer: { kind: 'account', accountId: actor.accountId, tokenId: null },
      nodeId: node.id,
      versionNo: 1,
      kind: 'small',
    });
    const changes = [
      target.replace(`by=a.${actor.accountId}.`, `by=a.${actor.accountId + 1}.`),
      target.replace('/1/small', '/2/small'),
      target.replace(node.id, '00000000-0000-7000-8000-000000000000'),
      target.replace(/exp=(\d+)/, (_, at: string) => `exp=${Number(at) + 1}`),
      target.replace(/sig=./, 'sig=_'),
      target.replace(/&sig=.*/, ''),
      target.replace('/small', '/small/more'),
      '/previews/',
    ];
    for (const changed of changes) expect(() => house.links.verify(changed)).toThrowError(/not valid/);
    house.clock.offsetMs += 25 * 3_600_000;
    expect(() => house.links.verify(target)).toThrowError(/expired/);
    const guest = { kind: 'guest', pass: 'link', passId: node.id, rootId: node.id, spaceId: node.spaceId, issuerId: actor.accountId } as const;
    const guestUrl = new URL(house.links.of(guest, node.id, 1)('small'));
    expect(house.links.verify(guestUrl.pathname + guestUrl.search).viewer).toEqual(guest);
  });
});

describe('the queue', () => {
  beforeEach(async () => {
    await house.scan.run();
    await house.makeAll();
  });

  /** The company of each preview in the order in which they are made. */
  async function order(most: number): Promise<number[]> {
    const served: number[] = [];
    for (let count = 0; count < most; count++) {
      const before = await ended();
      if (!(await house.maker.makeNext())) break;
      const after = await house.database.queryOne<{ tenant_id: number; blob_id: string }>(
        `SELECT tenant_id, blob_id FROM previews WHERE state NOT IN ('new', 'processing') AND NOT blob_id = ANY($1::uuid[]) LIMIT 1`,
        [before],
      );
      served.push(after!.tenant_id);
    }
    return served;
  }
  const ended = async () =>
    (await house.database.query<{ blob_id: string }>(`SELECT blob_id FROM previews WHERE state NOT IN ('new', 'processing')`)).map(
      (row) => row.blob_id,
    );

  it('serves companies in turns, however much one of them has waiting', async () => {
    const busy = await house.account({ companyLimitBytes: null });
    const quiet = await house.account({ companyLimitBytes: null });
    const alone = await house.account();
    for (let n = 0; n < 12; n++) await house.upload(busy, `/${n}.png`, await picture(10, 10, 'png'));
    await house.scan.run();
    for (const person of [quiet, alone]) for (let n = 0; n < 2; n++) await house.upload(person, `/${n}.png`, await picture(10, 10, 'png'));
    await house.scan.run();
    const served = await order(6);
    expect(served.filter((tenant) => tenant === busy.companyId)).toHaveLength(2);
    expect(served.filter((tenant) => tenant === quiet.companyId)).toHaveLength(2);
    expect(served.filter((tenant) => tenant === -alone.accountId)).toHaveLength(2);
    await house.makeAll();
  });

  it('serves those who wait first, yet never them alone', async () => {
    const [busy, eager] = [await house.account(), await house.account()];
    for (let n = 0; n < 4; n++) await house.upload(busy, `/${n}.png`, await picture(10, 10, 'png'));
    await house.scan.run();
    for (let n = 0; n < 8; n++) {
      const node = await house.upload(eager, `/${n}.png`, await picture(10, 10, 'png'));
      await house.previews.start(eager, { id: node.id });
    }
    const served = await order(8);
    expect(served.filter((tenant) => tenant === -eager.accountId).length).toBeGreaterThanOrEqual(6);
    expect(served.filter((tenant) => tenant === -busy.accountId).length).toBeGreaterThanOrEqual(1);
    await house.makeAll();
  });

  it('gives each preview to one of many makers', async () => {
    const person = await house.account();
    const nodes: LocatedNode[] = [];
    for (let n = 0; n < 10; n++) nodes.push(await house.upload(person, `/${n}.png`, await picture(10, 10, 'png')));
    await house.scan.run();
    expect(await house.scan.run()).toBe(0);
    const results = await Promise.all(Array.from({ length: 14 }, () => house.maker.makeNext()));
    expect(results.filter(Boolean)).toHaveLength(10);
    for (const node of nodes) expect((await house.stateOf(node))['image']?.state).toBe('ready');
    const counts = await house.database.query<{ attempts: number }>(`SELECT DISTINCT attempts FROM previews WHERE tenant_id = $1`, [
      -person.accountId,
    ]);
    expect(counts).toEqual([{ attempts: 1 }]);
  });

  it('gets back what a killed maker held, and gives up what kills its makers', async () => {
    const node = await house.upload(actor, '/lost.png', await picture(10, 10, 'png'));
    await house.previews.start(actor, { id: node.id });
    const lose = () =>
      house.database.run(
        `UPDATE previews SET state = 'processing', attempts = attempts + 1, lease_until = now() - interval '1 second'
          WHERE blob_id = (SELECT blob_id FROM versions WHERE node_id = $1 LIMIT 1)`,
        [node.id],
      );
    for (const expected of ['new', 'new', 'error']) {
      await lose();
      await house.maker.revive();
      expect((await house.stateOf(node))['image']?.state).toBe(expected);
    }
    house.clock.offsetMs += 11 * 60_000;
    expect(await house.previews.start(actor, { id: node.id })).toEqual({ started: true });
    await house.makeAll();
    expect((await house.stateOf(node))['image']?.state).toBe('ready');
  });

  it('waits for a store that is away, and gives up what has no bytes', async () => {
    const node = await house.upload(actor, '/away.png', await picture(10, 10, 'png'));
    await house.previews.start(actor, { id: node.id });
    const read = house.store.getRange.bind(house.store);
    house.store.getRange = () => Promise.reject(new DomainError('STORAGE_UNAVAILABLE', 'away'));
    for (let turn = 0; turn < 5; turn++) expect(await codeOf(house.maker.makeNext())).toBe('STORAGE_UNAVAILABLE');
    house.store.getRange = read;
    expect(await house.stateOf(node)).toMatchObject({ image: { state: 'new' } });
    await house.makeAll();
    expect(await house.stateOf(node)).toMatchObject({ image: { state: 'ready' } });

    const lost = await house.upload(actor, '/lost-bytes.png', await picture(10, 10, 'png'));
    const [blob] = await house.database.query<{ store_key: string }>(
      'SELECT b.store_key FROM blobs b JOIN versions v ON v.blob_id = b.id WHERE v.node_id = $1',
      [lost.id],
    );
    await house.store.delete(blob!.store_key);
    await house.previews.start(actor, { id: lost.id });
    await house.makeAll();
    expect(await house.stateOf(lost)).toMatchObject({ image: { state: 'error', reason: 'its bytes are missing' } });
  });

  it('learns of new pictures, videos and documents by itself, and passes by source code quickly', async () => {
    const person = await house.account();
    const body = await picture(30, 30, 'png');
    await house.upload(person, '/new.png', body);
    await house.upload(person, '/module.ts', `export const a = ${Math.random()};`);
    await house.upload(person, '/readme.md', `words ${Math.random()}`);
    await house.upload(person, '/data.bin', `${Math.random()}`);
    expect(await house.scan.run()).toBe(1);
    const source = await house.upload(person, '/index.js', `console.log(${Math.random()})`);
    await house.database.run(
      `INSERT INTO versions (node_id, no, id, space_id, blob_id, size_bytes, md5, mime_type, media, author_id)
       SELECT node_id, 1 + n, ('${source.id.slice(0, 15)}' || lpad(to_hex(n % 4096), 3, '0') || '-8000-' || lpad(to_hex(n), 12, '0'))::uuid, space_id, blob_id, size_bytes, md5,
              CASE WHEN n % 3 = 0 THEN 'video/mp2t' ELSE mime_type END, 'other', author_id
         FROM versions, generate_series(1, 20000) n WHERE node_id = $1`,
      [source.id],
    );
    const begun = performance.now();
    expect(await house.scan.run()).toBe(0);
    expect(performance.now() - begun).toBeLessThan(15_000);
    await house.makeAll();
  });
});

describe('the ledger', () => {
  it('knows every object, before it is there and until it is gone with its content', async () => {
    const person = await house.account();
    const node = await house.made(person, '/end.jpg', await picture());
    const findings = async () => (await house.app.get(FsckService, { strict: false }).run({ deep: false, quarantine: false })).findings;
    const ofRenditions = ['unknown-object', 'missing-derived', 'wrong-size', 'unreadable', 'unused-object', 'stuck-deletion'];
    expect((await findings()).filter(({ kind }) => ofRenditions.includes(kind))).toEqual([]);
    const keys = await house.database.query<{ store_key: string }>(
      `SELECT r.store_key FROM renditions r JOIN versions v ON v.blob_id = r.blob_id WHERE v.node_id = $1`,
      [node.id],
    );
    expect(keys).toHaveLength(3);
    await house.database.run('DELETE FROM versions WHERE node_id = $1', [node.id]);
    await house.database.run('UPDATE nodes SET blob_id = NULL, removal = NULL WHERE id = $1', [node.id]).catch(() => undefined);
    await house.database.run('DELETE FROM nodes WHERE id = $1', [node.id]);
    await house.database.run(
      `INSERT INTO blob_candidates (blob_id, due_at) SELECT DISTINCT blob_id, now() FROM renditions WHERE store_key = ANY($1::text[]) ON CONFLICT DO NOTHING`,
      [keys.map((row) => row.store_key)],
    );
    await house.janitor.collectBlobs();
    await house.janitor.expireDerived();
    await house.janitor.deleteTombstones();
    const stored = await house.storedKeys();
    expect(keys.filter(({ store_key }) => stored.includes(store_key))).toEqual([]);
    expect(await house.database.query(`SELECT 1 FROM derived_objects WHERE store_key = ANY($1::text[])`, [keys.map((row) => row.store_key)])).toEqual(
      [],
    );
  });

  it('forgets what was being made for a content that is gone meanwhile', async () => {
    const person = await house.account();
    const node = await house.upload(person, '/gone.jpg', await picture());
    await house.previews.start(person, { id: node.id });
    const before = await house.storedKeys();
    const making = house.maker.makeNext();
    await house.database.run(`DELETE FROM previews WHERE blob_id = (SELECT blob_id FROM versions WHERE node_id = $1)`, [node.id]);
    await making;
    house.clock.offsetMs += 16 * 60_000;
    await house.janitor.expireDerived();
    await house.janitor.deleteTombstones();
    expect(await house.storedKeys()).toEqual(before);
  });
});
