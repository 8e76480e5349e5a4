import { execFileSync } from 'node:child_process';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import type { AccountActor } from '#libs/kernel';
import type { LocatedNode } from '#libs/nodes';

import { hostileFiles } from './hostile-files.js';
import { type PreviewsHarness, startPreviews } from './previews-harness.js';

const CAP_MEGABYTES = 512;
/** Pages of programs and libraries are in what a process holds, but not in what it may allocate. */
const SHARED_MEGABYTES = 128;
const OWN_GROWTH_MEGABYTES = 256;
const AT_ONCE = 2;

let house: PreviewsHarness;
let actor: AccountActor;

beforeAll(async () => {
  house = await startPreviews({ STOWAGE_PREVIEW_MEMORY_MB: String(CAP_MEGABYTES), STOWAGE_PREVIEW_TIMEOUT_SECONDS: '8' });
  actor = await house.account();
});
afterAll(() => house?.close());

/** Greatest resident memory in MiB of any process that works in a folder of previews. */
class Watch {
  peak = 0;
  private timer: NodeJS.Timeout | undefined;
  private looking = Promise.resolve();

  start(): void {
    this.timer = setInterval(() => {
      this.looking = this.looking.then(() => this.look());
    }, 40);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  private async look(): Promise<void> {
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      const folder = await readlink(`/proc/${pid}/cwd`).catch(() => '');
      if (!folder.includes('stowage-preview-')) continue;
      const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
      this.peak = Math.max(this.peak, Number(/VmHWM:\s+(\d+)/.exec(status)?.[1] ?? 0) / 1024);
    }
  }
}

const folders = async (): Promise<string[]> => (await readdir(tmpdir())).filter((name) => name.startsWith('stowage-preview-'));

describe('300 malformed files and bombs', () => {
  it('all end with a state, within their memory, and leave nothing behind', { timeout: 900_000 }, async () => {
    const files = await hostileFiles();
    expect(files.length).toBeGreaterThanOrEqual(300);
    const foldersBefore = await folders();
    const rssBefore = process.memoryUsage.rss() / 2 ** 20;
    const nodes: (LocatedNode & { label: string })[] = [];
    for (const [index, { name, body }] of files.entries()) {
      const node = await house.upload(actor, `/h/${index}-${name}`, body);
      await house.previews.start(actor, { id: node.id });
      nodes.push({ ...node, label: name });
    }
    const watch = new Watch();
    watch.start();
    const makers = Array.from({ length: AT_ONCE }, async () => {
      while (await house.maker.makeNext());
    });
    await Promise.all(makers);
    await watch.stop();

    const counts: Record<string, number> = {};
    for (const node of nodes) {
      const states = Object.values(await house.stateOf(node));
      expect(states, node.label).toHaveLength(1);
      expect(['ready', 'error', 'unsupported'], `${node.label}: ${states[0]!.reason}`).toContain(states[0]!.state);
      counts[states[0]!.state] = (counts[states[0]!.state] ?? 0) + 1;
    }
    const rssAfter = process.memoryUsage.rss() / 2 ** 20;
    process.stdout.write(
      `hostile files: ${JSON.stringify(counts)}, peak of a converter ${Math.round(watch.peak)} MiB, own growth ${Math.round(rssAfter - rssBefore)} MiB\n`,
    );
    expect(counts['error']).toBeGreaterThan(20);
    expect(watch.peak).toBeGreaterThan(20);
    expect(watch.peak).toBeLessThan(CAP_MEGABYTES + SHARED_MEGABYTES);
    expect(rssAfter - rssBefore).toBeLessThan(OWN_GROWTH_MEGABYTES);
    expect(await folders()).toEqual(foldersBefore);
    expect(execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })).not.toContain('convert.mjs');
    const lost = await house.database.query(
      `SELECT 1 FROM derived_objects WHERE kind = 'rendition' AND NOT ready AND expires_at > now() + interval '1 minute'`,
    );
    expect(lost).toEqual([]);
  });
});
