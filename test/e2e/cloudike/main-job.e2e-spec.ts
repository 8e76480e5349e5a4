import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Readable } from 'node:stream';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import yauzl from 'yauzl';

import { CloudikeUser, encodePath, type WireNode } from '../../support/cloudike-user.js';
import { type Stack, startStack } from '../../support/stack.js';
import { inParallel, type LocalFile, sha256OfFile, uploadTree, walk } from '../../support/uploader.js';

/** The memory of the S3 server of tests and the time of the suite are limited; what lies above the store is the same. */
const FILE_COUNT = process.env['STOWAGE_TEST_MODE'] === 'services' ? 2_000 : 20_000;

/** SHA-256 and time of every file entry of a zip, by its path inside. */
async function zipContents(path: string): Promise<Map<string, { sha256: string; modifiedMs: number }>> {
  const zip = await new Promise<yauzl.ZipFile>((done, fail) => {
    yauzl.open(path, { lazyEntries: true }, (error, opened) => (error ? fail(error) : done(opened)));
  });
  const found = new Map<string, { sha256: string; modifiedMs: number }>();
  await new Promise<void>((done, fail) => {
    zip.on('error', fail);
    zip.on('end', done);
    zip.on('entry', (entry: yauzl.Entry) => {
      if (entry.fileName.endsWith('/')) return zip.readEntry();
      zip.openReadStream(entry, (error, stream: Readable) => {
        if (error) return fail(error);
        const hash = createHash('sha256');
        stream.on('data', (chunk: Buffer) => hash.update(chunk));
        stream.on('error', fail);
        stream.on('end', () => {
          found.set(entry.fileName, { sha256: hash.digest('hex'), modifiedMs: entry.getLastModDate().getTime() });
          zip.readEntry();
        });
      });
    });
    zip.readEntry();
  });
  return found;
}

/** Every file of the account's tree by its path, through paged listings. */
async function listAll(user: CloudikeUser, root: string): Promise<Map<string, WireNode>> {
  const found = new Map<string, WireNode>();
  const folders = [root];
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
        for (let offset = 0, last = false; !last; offset += 500) {
          const page = await user.metadata(folder, { limit: 500, offset, order_by: 'name' });
          for (const node of page.content!) {
            if (node.folder) folders.push(node.path);
            else found.set(node.path, node);
          }
          last = page.is_last_page!;
        }
      }
    }),
  );
  return found;
}

describe('the main job on a real tree', () => {
  let stack: Stack;
  let user: CloudikeUser;
  let files: LocalFile[];
  let hashes: Map<string, string>;
  let scratch: string;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'stowage-main-job-'));
    stack = await startStack({ env: { STOWAGE_ACCOUNT_CONFIRMATION: 'off' } });
    user = await CloudikeUser.register(stack.baseUrl);
    files = await walk(resolve('node_modules'), FILE_COUNT);
    hashes = new Map();
    await inParallel(files, 8, async (file) => {
      hashes.set(file.relative, await sha256OfFile(file.absolute));
    });
  });

  afterAll(async () => {
    await stack?.stop();
    await rm(scratch, { recursive: true, force: true });
  });

  /** The whole tree below `root` equals what lies on the disk: names, sizes and dates by listing, bytes of a sample by download. */
  async function expectTree(root: string): Promise<void> {
    const stored = await listAll(user, root);
    expect(stored.size).toBe(files.length);
    for (const file of files) {
      const node = stored.get(`${root}/${file.relative}`);
      if (!node || node.bytes !== file.sizeBytes || node.modified !== file.modifiedMs || node.client_data.modified !== file.modifiedMs) {
        expect.fail(`${file.relative} is stored as ${JSON.stringify(node)}, but has ${file.sizeBytes} bytes and time ${file.modifiedMs}`);
      }
    }
  }

  it(`takes in ${FILE_COUNT} files from the disk`, async () => {
    expect(files.length).toBe(FILE_COUNT);
    await uploadTree(user, files, '/project');
    await expectTree('/project');
    const info = await user.http.get<{ bytes: number; files_count: number }>(`/api/1/fileops/folder_info/?path=${encodePath('/project')}`);
    expect(info).toMatchObject({ bytes: files.reduce((sum, file) => sum + file.sizeBytes, 0), files_count: files.length });
  });

  // the two archives bring every file, and there every byte is compared
  it('gives every byte back, of one file in ten by its own URL', async () => {
    const some = files.filter((_, index) => index % 10 === 0);
    await inParallel(some, 12, async (file) => {
      const sha256 = createHash('sha256')
        .update(await user.download(`/project/${file.relative}`))
        .digest('hex');
      if (sha256 !== hashes.get(file.relative)) expect.fail(`${file.relative} came back with other bytes`);
    });
  });

  it('moves and renames the folder without touching what is in it', async () => {
    await user.mkdir('/archive');
    await user.http.form('/api/1/fileops/move/', { from_path: '/project', to_path: '/archive' });
    await user.http.form('/api/1/fileops/rename/', { path: '/archive/project', newname: 'project 2026' });
    await user.http.get('/api/1/metadata/project', [404]);
    await expectTree('/archive/project 2026');
  });

  it('trashes it, lists it in the trash and restores it whole', async () => {
    await user.http.form('/api/1/fileops/multi/delete/', { path: '/archive/project 2026' });
    await user.http.get(`/api/1/metadata${encodePath('/archive/project 2026')}`, [404]);
    const trash = await user.http.get<WireNode>('/api/1/trash/');
    expect(trash.content!.map((item) => item.restore_path)).toEqual(['/archive/project 2026']);
    const { taskid } = await user.http.form<{ taskid: string }>('/api/1/trash/restore/', { paths: trash.content!.map((item) => item.name) });
    await user.finished(taskid);
    await expectTree('/archive/project 2026');
  });

  it('keeps versions of a changed file and brings an old one back', async () => {
    const path = '/archive/project 2026/notes.txt';
    await user.upload(path, Buffer.from('first'));
    await user.upload(path, Buffer.from('second, longer'), { overwrite: true });
    const versions = await user.http.get<{ version: number }[]>(`/api/1/files/versions${encodePath(path)}`);
    expect(versions.map((version) => version.version)).toEqual([2, 1]);
    await user.http.form('/api/1/files/restore/', { path, version: 1 });
    expect((await user.download(path)).toString()).toBe('first');
    expect((await user.download(path, '?version=2')).toString()).toBe('second, longer');
    await user.http.form('/api/1/fileops/delete/', { path, without_trash: true });
  });

  it.each(['worker', 'stream'])('packs it into an archive (%s form) with the same bytes and times', async (form) => {
    const target = join(scratch, `${form}.zip`);
    let url: string;
    if (form === 'worker') {
      const { taskid } = await user.http.form<{ taskid: string }>('/api/1/files/download_as_archive/', { path: ['/archive/project 2026'] });
      ({ url } = await user.finished<{ url: string }>(taskid, 240_000));
    } else {
      ({ url } = await user.http.form<{ url: string }>('/api/1/files/download_as_archive_stream/', { path: ['/archive/project 2026'] }));
    }
    const reply = await user.http.send(url, { sink: createWriteStream(target) });
    expect(reply.status).toBe(200);
    const packed = await zipContents(target);
    expect(packed.size).toBe(files.length);
    for (const file of files) {
      const entry = packed.get(`project 2026/${file.relative}`);
      if (entry?.sha256 !== hashes.get(file.relative)) expect.fail(`${file.relative} is not the same inside the archive`);
      if (Math.abs(entry!.modifiedMs - file.modifiedMs) > 2000) expect.fail(`${file.relative} has another time inside the archive`);
    }
  });

  it('purges what was thrown away and gives the space back', async () => {
    await user.http.form('/api/1/fileops/delete/', { path: '/archive', without_trash: true });
    const deadline = Date.now() + 120_000;
    let used = -1;
    while (used !== 0 && Date.now() < deadline) {
      used = (await user.http.get<{ storage_size: number }>('/api/1/accounts/get/')).storage_size;
      if (used !== 0) await new Promise((done) => setTimeout(done, 200));
    }
    expect(used).toBe(0);
  });
});
