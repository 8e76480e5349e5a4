// Turns one file into pictures. It runs as a process of its own, with limits on memory, time and pixels, in a folder of its own, because its
// input is whatever anybody has uploaded: when it dies, nothing but this preview is lost.
// convert.mjs image|text <input> <output folder> <settings as JSON>; the last line of its output is its result as JSON.
import { createWriteStream } from 'node:fs';
import { open, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

const [what, input, folder, settingsText] = process.argv.slice(2);
/** @type {{ sizes: Record<string, number>, maxPixels: number, font: string }} */
const settings = JSON.parse(settingsText);
const QUALITY = 82;
const WHITE = '#ffffff';

/** The content cannot be shown by this program: no fault of anybody. */
class Unsupported extends Error {}

let sharp;

/** The image library has a binary of its own for each kind of system; where it has none, there are no previews. */
async function loadLibrary() {
  try {
    ({ default: sharp } = await import('sharp'));
  } catch {
    throw new Unsupported('the image library is not installed');
  }
  sharp.cache(false);
  sharp.concurrency(1);
}

/** Writes every size of a picture, each from the next larger one. */
async function writeSizes(largest) {
  const kinds = [];
  let source = largest;
  for (const [kind, pixels] of Object.entries(settings.sizes).sort(([, a], [, b]) => b - a)) {
    source = await sharp(source).resize(pixels, pixels, { fit: 'inside', withoutEnlargement: true }).jpeg({ quality: QUALITY }).toBuffer();
    await writeFile(join(folder, kind), source);
    kinds.push(kind);
  }
  return kinds;
}

async function image() {
  const options = { limitInputPixels: settings.maxPixels, failOn: 'error', sequentialRead: true, pages: 1 };
  let facts;
  try {
    facts = await sharp(input, options).metadata();
  } catch (error) {
    if (/unsupported image format|no decoder|compression format not built in|not supported/i.test(error.message))
      throw new Unsupported(error.message);
    throw error;
  }
  const edge = Math.max(...Object.values(settings.sizes));
  const largest = await sharp(input, options)
    .autoOrient()
    .resize(edge, edge, { fit: 'inside', withoutEnlargement: true })
    .flatten({ background: WHITE })
    .toColourspace('srgb')
    .png({ compressionLevel: 1 })
    .toBuffer();
  const { width, height } = facts.autoOrient ?? facts;
  const taken = facts.exif && dateTaken(facts.exif);
  return { kinds: await writeSizes(largest), metainfo: { width, height, ...(taken ? { creation_time: taken } : {}) } };
}

/** DateTimeOriginal of an EXIF block (CIPA DC-008, tag 0x9003) as `YYYY-MM-DDThh:mm:ss`, or undefined. */
function dateTaken(exif) {
  try {
    const tiff = exif.subarray(exif.toString('latin1', 0, 4) === 'Exif' ? 6 : 0);
    const little = tiff.toString('latin1', 0, 2) === 'II';
    const u16 = (at) => (little ? tiff.readUInt16LE(at) : tiff.readUInt16BE(at));
    const u32 = (at) => (little ? tiff.readUInt32LE(at) : tiff.readUInt32BE(at));
    const value = (directory, tag) => {
      for (let index = 0; index < u16(directory); index++) {
        const entry = directory + 2 + index * 12;
        if (u16(entry) === tag) return u32(entry + 8);
      }
      return undefined;
    };
    const details = value(u32(4), 0x8769);
    const at = details === undefined ? undefined : value(details, 0x9003);
    const match = at !== undefined && /^(\d{4}):(\d\d):(\d\d) (\d\d:\d\d:\d\d)/.exec(tiff.toString('latin1', at, at + 19));
    return match ? `${match[1]}-${match[2]}-${match[3]}T${match[4]}` : undefined;
  } catch {
    return undefined;
  }
}

const READ_BYTES = 512 * 1024;
const PAGES = 60;
const PAGE = { columns: 94, rows: 66, size: 10, margin: 28 };

async function text() {
  const lines = wrapped(decoded(await head(input, READ_BYTES)), PAGE.columns, PAGES * PAGE.rows);
  await writePdf(lines);
  const first = lines.slice(0, PAGE.rows).join('\n');
  return { kinds: [...(await writeSizes(await pageImage(first))), 'pdf'], metainfo: null };
}

async function head(file, bytes) {
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(bytes), 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** Text of UTF-8, or of UTF-16 with its mark; bytes that are neither are taken for Windows-1252, and such with zeros for no text at all. */
function decoded(bytes) {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes);
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes);
  if (bytes.includes(0)) throw new Unsupported('this is no text');
  try {
    // the cut may have gone through a character: up to three bytes of it are left
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: bytes.length === READ_BYTES });
  } catch {
    return new TextDecoder('windows-1252').decode(bytes);
  }
}

/** Lines of at most `columns` characters, with tabs as spaces and without other control characters. */
function wrapped(content, columns, most) {
  const lines = [];
  for (const raw of content.split(/\r\n|\r|\n/)) {
    const line = [
      ...raw
        .slice(0, columns * most)
        .replace(/\t/g, '    ')
        .replace(/[\u0000-\u001f\u007f-\u009f\ufeff\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])/gu, ''),
    ];
    for (let at = 0; at === 0 || at < line.length; at += columns) {
      lines.push(line.slice(at, at + columns).join(''));
      if (lines.length === most) return lines;
    }
  }
  return lines;
}

async function pageImage(content) {
  const canvas = { create: { width: 905, height: 1280, channels: 3, background: WHITE } };
  const layers = [];
  if (content.trim() !== '') {
    const markup = content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
    const rendered = await sharp({ text: { text: markup, font: 'DejaVu Sans Mono 10', fontfile: settings.font, dpi: 100, rgba: true } })
      .png()
      .toBuffer();
    const fitted = await sharp(rendered).resize(849, 1224, { fit: 'inside', withoutEnlargement: true }).toBuffer();
    layers.push({ input: fitted, left: 28, top: 28 });
  }
  return sharp(canvas).composite(layers).png({ compressionLevel: 1 }).toBuffer();
}

async function writePdf(lines) {
  const { default: PdfDocument } = await import('pdfkit');
  const document = new PdfDocument({ size: 'A4', margin: PAGE.margin, autoFirstPage: false, info: { CreationDate: new Date(0) } });
  const written = pipeline(document, createWriteStream(join(folder, 'pdf')));
  for (let at = 0; at === 0 || at < lines.length; at += PAGE.rows) {
    document.addPage();
    document.font(settings.font).fontSize(PAGE.size - 0.6);
    lines.slice(at, at + PAGE.rows).forEach((line, row) => {
      document.text(line, PAGE.margin, PAGE.margin + row * 11.9, { lineBreak: false });
    });
  }
  document.end();
  await written;
}

try {
  await loadLibrary();
  const result = what === 'image' ? await image() : await text();
  process.stdout.write(`\n${JSON.stringify(result)}\n`);
} catch (error) {
  if (error instanceof Unsupported) process.stdout.write(`\n${JSON.stringify({ unsupported: error.message.slice(0, 200) })}\n`);
  else {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
