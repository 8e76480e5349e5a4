import { randomUUID } from 'node:crypto';

import sharp from 'sharp';

import { NodeFacts, NodeFactsModule } from '#libs/node-facts';
import { PreviewJobsModule, PreviewLinks, PreviewMaker, Previews, PreviewScan, PreviewsModule } from '#libs/previews';
import type { AccountActor } from '#libs/kernel';
import type { LocatedNode } from '#libs/nodes';

import { previewPrograms } from '../support/services.js';
import { type BytesHarness, startBytes } from './bytes-harness.js';

/** Previews on a database, a store and the byte side of the core of their own. */
export interface PreviewsHarness extends BytesHarness {
  readonly previews: Previews;
  readonly maker: PreviewMaker;
  readonly scan: PreviewScan;
  readonly links: PreviewLinks;
  readonly facts: NodeFacts;
  /** Uploads a file and makes its previews by the way of the worker. */
  made(actor: AccountActor, path: string, body: Buffer): Promise<LocatedNode>;
  /** Makes all that waits; how many there were. */
  makeAll(): Promise<number>;
  /** State and reason of the previews of a file's content, by format. */
  stateOf(node: LocatedNode): Promise<Record<string, { state: string; reason: string | null; kinds: string[] }>>;
}

export async function startPreviews(env: Record<string, string> = {}): Promise<PreviewsHarness> {
  const programs = Object.fromEntries(
    (['pdftoppm', 'ffmpeg', 'ffprobe', 'soffice'] as const).map((name) => [
      `STOWAGE_PREVIEW_${name.toUpperCase()}`,
      previewPrograms[name] ?? '/nowhere/at/all',
    ]),
  );
  const bytes = await startBytes({ PATH: process.env.PATH ?? '', ...programs, ...env }, undefined, [
    PreviewsModule,
    PreviewJobsModule,
    NodeFactsModule,
  ]);
  const get = <T>(type: new (...args: never[]) => T): T => bytes.app.get<T>(type, { strict: false });
  const maker = get(PreviewMaker);
  const previews = get(Previews);
  const makeAll = async (): Promise<number> => {
    let count = 0;
    while (await maker.makeNext()) count++;
    return count;
  };
  return {
    ...bytes,
    previews,
    maker,
    scan: get(PreviewScan),
    links: get(PreviewLinks),
    facts: get(NodeFacts),
    makeAll,
    made: async (actor, path, body) => {
      const node = await bytes.upload(actor, path, body);
      await previews.start(actor, { id: node.id });
      await makeAll();
      return node;
    },
    stateOf: async (node) => {
      const rows = await bytes.database.query<{ format: string; state: string; reason: string | null; kinds: string[] }>(
        `SELECT p.format, p.state, p.reason, p.kinds FROM previews p JOIN versions v ON v.blob_id = p.blob_id WHERE v.node_id = $1 AND v.no = $2`,
        [node.id, node.versionNo],
      );
      return Object.fromEntries(rows.map(({ format, ...row }) => [format, row]));
    },
  };
}

/** A picture of one colour that no other call gives again, as JPEG unless told otherwise. */
export async function picture(width = 400, height = 300, format: 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif' = 'jpeg'): Promise<Buffer> {
  const [r, g, b] = Buffer.from(randomUUID().slice(0, 6), 'hex') as unknown as [number, number, number];
  return sharp({ create: { width, height, channels: 3, background: { r, g, b } } })
    .toFormat(format)
    .toBuffer();
}

/** A PDF of `pages` pages with one line of text each, written by hand. */
export function pdfOf(pages = 1): Buffer {
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    `<< /Type /Pages /Count ${pages} /Kids [${Array.from({ length: pages }, (_, i) => `${4 + 2 * i} 0 R`).join(' ')}] >>`,
  ];
  objects.push('<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>');
  for (let page = 0; page < pages; page++) {
    const text = `BT /F1 24 Tf 72 700 Td (Page ${page + 1} ${randomUUID()}) Tj ET`;
    objects.push(`<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> /Contents ${5 + 2 * page} 0 R >>`);
    objects.push(`<< /Length ${text.length} >>\nstream\n${text}\nendstream`);
  }
  let body = '%PDF-1.4\n';
  const offsets = objects.map((object, index) => {
    const at = body.length;
    body += `${index + 1} 0 obj\n${object}\nendobj\n`;
    return at;
  });
  const table = offsets.map((at) => `${String(at).padStart(10, '0')} 00000 n \n`).join('');
  body += `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer << /Size ${objects.length + 1} /Root 1 0 R >>\nstartxref\n${body.length}\n%%EOF\n`;
  return Buffer.from(body, 'latin1');
}
