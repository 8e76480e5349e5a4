import { createHash } from 'node:crypto';

import { LRUCache } from 'lru-cache';

import { FONT_FILE } from './making/converter.js';

const KEPT_BYTES = 64 * 2 ** 20;
const KEPT_MS = 5 * 60_000;
const MAX_CHARACTERS = 60;
const QUALITY = 82;

/** Loaded at the first mark: where the library has no binary for this system, all else goes on. */
const library = async () => (await import('sharp')).default;

const kept = new LRUCache<string, Buffer>({ maxSize: KEPT_BYTES, ttl: KEPT_MS, sizeCalculation: (picture) => picture.length || 1 });

/** Says of which bytes and for whom a marked picture is. */
export function watermarkTag(etag: string, text: string): string {
  return createHash('sha256').update(`${etag}\n${text}`).digest('hex').slice(0, 32);
}

/**
 * `picture` (one of our own JPEG renditions) with `text` all over it, as JPEG. Kept for some minutes under `tag`. The font comes with the program: where
 * a system has none, the mark must not be missing.
 */
export async function watermarked(picture: () => Promise<Buffer>, text: string, tag: string): Promise<Buffer> {
  const known = kept.get(tag);
  if (known) return known;
  const sharp = await library();
  const source = sharp(await picture());
  const { width, height } = await source.metadata();
  const mark = await tile(text, width, height);
  const marked = await source
    .composite([{ input: mark, tile: true, blend: 'over' }])
    .jpeg({ quality: QUALITY })
    .toBuffer();
  kept.set(tag, marked);
  return marked;
}

/** One tile: the text aslant, light with a dark edge, so that it shows on every ground. */
async function tile(text: string, groundWidth: number, groundHeight: number): Promise<Buffer> {
  const sharp = await library();
  const escaped = [...text].slice(0, MAX_CHARACTERS).join('').replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
  const size = Math.max(6, Math.round(Math.max(groundWidth, groundHeight) / 45));
  const write = (color: string) =>
    sharp({
      text: {
        text: `<span foreground="${color}" alpha="45%">${escaped}</span>`,
        font: `DejaVu Sans Mono ${size}`,
        fontfile: FONT_FILE,
        rgba: true,
        dpi: 96,
      },
    })
      .png()
      .toBuffer({ resolveWithObject: true });
  const [dark, light] = await Promise.all([write('#202020'), write('#ffffff')]);
  const { width, height } = dark.info;
  const flat = await sharp({ create: { width: width + 4, height: height + 4, channels: 4, background: '#00000000' } })
    .composite([
      { input: light.data, left: 1, top: 1 },
      { input: dark.data, left: 2, top: 2 },
    ])
    .png()
    .toBuffer();
  const turned = await sharp(flat).rotate(-30, { background: '#00000000' }).png().toBuffer();
  const tileSize = await sharp(turned).metadata();
  if (tileSize.width <= groundWidth && tileSize.height <= groundHeight) return turned;
  // a tile must not be larger than what it lies on
  return sharp(turned).resize(groundWidth, groundHeight, { fit: 'inside' }).png().toBuffer();
}
