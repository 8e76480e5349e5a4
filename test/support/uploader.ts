import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { CloudikeUser, UploadTicket } from './cloudike-user.js';

export interface LocalFile {
  /** Path below the uploaded folder, `/`-separated. */
  readonly relative: string;
  readonly absolute: string;
  readonly sizeBytes: number;
  readonly modifiedMs: number;
}

/** Regular files below `root` in a fixed order, at most `limit`. Links are left out: they are not content. */
export async function walk(root: string, limit = Number.POSITIVE_INFINITY): Promise<LocalFile[]> {
  const found: LocalFile[] = [];
  const visit = async (relative: string): Promise<void> => {
    const entries = await readdir(join(root, relative), { withFileTypes: true });
    entries.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const entry of entries) {
      if (found.length >= limit) return;
      const path = relative === '' ? entry.name : `${relative}/${entry.name}`;
      if (entry.isDirectory()) await visit(path);
      else if (entry.isFile()) {
        const { size, mtimeMs } = await lstat(join(root, path));
        found.push({ relative: path, absolute: join(root, path), sizeBytes: size, modifiedMs: Math.floor(mtimeMs) });
      }
    }
  };
  await visit('');
  return found;
}

/** Calls `work` for every item with at most `width` at once; the first error ends it. */
export async function inParallel<T>(items: readonly T[], width: number, work: (item: T, index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let index = next++; index < items.length; index = next++) await work(items[index]!, index);
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
}

/** SHA-256 of a local file, as hex. */
export async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

/**
 * Uploads files below the folder `target`: files/create -> PUT -> confirm, of every tenth batch one by one and else through multi_confirm,
 * so that both ways are walked by the same tree.
 */
export async function uploadTree(user: CloudikeUser, files: readonly LocalFile[], target: string, width = 12): Promise<void> {
  const batch = 200;
  const batches: LocalFile[][] = [];
  for (let start = 0; start < files.length; start += batch) batches.push(files.slice(start, start + batch));
  for (const [index, group] of batches.entries()) {
    const tickets: UploadTicket[] = [];
    await inParallel(group, width, async (file) => {
      const ticket = await user.createUpload(`${target}/${file.relative}`, { size: file.sizeBytes, modified: file.modifiedMs });
      const status = await user.put(ticket, await readFile(file.absolute));
      if (status !== 200) throw new Error(`the storage answered ${status} for ${file.relative}`);
      if (index % 10 === 0) await user.http.form(ticket.confirm_url, {});
      else tickets.push(ticket);
    });
    if (tickets.length > 0) {
      const { taskid } = await user.http.form<{ taskid: string }>('/api/1/files/multi_confirm', {
        confirm_urls: tickets.map((ticket) => ticket.confirm_url),
      });
      await user.finished(taskid);
    }
  }
}
