import { deflateSync } from 'node:zlib';

import { crc32 } from 'node:zlib';

import sharp from 'sharp';

import { pdfOf } from './previews-harness.js';

export interface HostileFile {
  readonly name: string;
  readonly body: Buffer;
}

/** The same numbers in every run (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** At least 300 files that are broken, enormous once they are unpacked, endless, or written to reach out of where they are. */
export async function hostileFiles(): Promise<HostileFile[]> {
  return [...(await brokenPictures()), ...pictureBombs(), ...drawings(), ...documents(), ...texts(), ...videos(), ...packed()];
}

async function brokenPictures(): Promise<HostileFile[]> {
  const next = random(7);
  const noise = Buffer.from(Array.from({ length: 160 * 120 * 3 }, () => Math.floor(next() * 256)));
  const files: HostileFile[] = [];
  for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const) {
    const whole = await sharp(noise, { raw: { width: 160, height: 120, channels: 3 } })
      .toFormat(format)
      .toBuffer();
    for (let cut = 0; cut < 11; cut++) {
      files.push({ name: `cut-${cut}.${format}`, body: Buffer.concat([whole.subarray(0, Math.max(3, Math.floor((whole.length * cut) / 11)))]) });
    }
    for (let turn = 0; turn < 12; turn++) {
      const changed = Buffer.from(whole);
      // the head holds sizes and offsets, so most of the changes go there
      for (let at = 0; at < 12; at++)
        changed[Math.floor(next() * (turn % 3 === 2 ? whole.length : Math.min(400, whole.length)))] = Math.floor(next() * 256);
      files.push({ name: `changed-${turn}.${format}`, body: changed });
    }
    files.push({ name: `wrong-name.${format}`, body: Buffer.from(`%PDF-1.4 this is no ${format}`) });
  }
  return files;
}

function chunk(type: string, data: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(data.length, 0);
  head.write(type, 4, 'latin1');
  const tail = Buffer.alloc(4);
  tail.writeUInt32BE(crc32(Buffer.concat([head.subarray(4), data])), 0);
  return Buffer.concat([head, data, tail]);
}

function png(width: number, height: number, depth: number, color: number, data: Buffer, interlaced = 0): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([depth, color, 0, 0, interlaced], 8);
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), chunk('IHDR', header), chunk('IDAT', data), chunk('IEND', Buffer.alloc(0))]);
}

function pictureBombs(): HostileFile[] {
  const zeros = (bytes: number): Buffer => deflateSync(Buffer.alloc(bytes), { level: 1 });
  const some = zeros(40_000_000);
  const gif = (width: number, height: number, frames: number): Buffer => {
    const screen = Buffer.from('GIF89a\0\0\0\0\x80\0\0\0\0\0\xff\xff\xff', 'latin1');
    screen.writeUInt16LE(width, 6);
    screen.writeUInt16LE(height, 8);
    const frame = Buffer.from('2c000000000000000000020144003b', 'hex').subarray(0, 14);
    frame.writeUInt16LE(width, 5);
    frame.writeUInt16LE(height, 7);
    return Buffer.concat([screen, ...Array.from({ length: frames }, () => frame), Buffer.from(';')]);
  };
  const tiff = (tags: readonly (readonly [number, number, number, number])[], nextDirectory: number): Buffer => {
    const body = Buffer.alloc(10 + tags.length * 12 + 4);
    body.write('II*\0', 'latin1');
    body.writeUInt32LE(8, 4);
    body.writeUInt16LE(tags.length, 8);
    tags.forEach(([tag, type, count, value], index) => {
      const at = 10 + index * 12;
      body.writeUInt16LE(tag, at);
      body.writeUInt16LE(type, at + 2);
      body.writeUInt32LE(count, at + 4);
      body.writeUInt32LE(value, at + 8);
    });
    body.writeUInt32LE(nextDirectory, 10 + tags.length * 12);
    return body;
  };
  const giant: [number, number, number, number][] = [
    [256, 4, 1, 200_000],
    [257, 4, 1, 200_000],
    [258, 3, 1, 8],
    [259, 3, 1, 1],
    [262, 3, 1, 1],
    [273, 4, 1, 8],
    [277, 3, 1, 1],
    [278, 4, 1, 200_000],
    [279, 4, 1, 64],
  ];
  const riff = (width: number, height: number): Buffer => {
    const body = Buffer.from('RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0', 'latin1');
    body.writeUIntLE(width - 1, 24, 3);
    body.writeUIntLE(height - 1, 27, 3);
    return body;
  };
  return [
    { name: 'huge-1-bit.png', body: png(60_000, 60_000, 1, 0, some) },
    { name: 'huge-rgba16.png', body: png(30_000, 30_000, 16, 6, some) },
    { name: 'largest-numbers.png', body: png(2 ** 31 - 1, 2 ** 31 - 1, 8, 2, some) },
    { name: 'interlaced-below-the-cap.png', body: png(9_000, 9_000, 16, 6, zeros(9_000 * 9_000 * 8 + 80_000), 1) },
    { name: 'wide.png', body: png(99_000_000, 1, 8, 0, zeros(99_000_001)) },
    { name: 'high.png', body: png(1, 90_000_000, 8, 0, zeros(180_000_000)) },
    { name: 'too-little-data.png', body: png(5_000, 5_000, 8, 6, zeros(1000)) },
    { name: 'zero.png', body: png(0, 0, 8, 2, zeros(10)) },
    { name: 'text-bomb.png', body: pngWithText(zeros(200_000_000)) },
    { name: 'profile-bomb.png', body: pngWithProfile(zeros(200_000_000)) },
    { name: 'huge.gif', body: gif(65_535, 65_535, 1) },
    { name: 'frames.gif', body: gif(2_000, 2_000, 50_000) },
    { name: 'giant.tiff', body: tiff(giant, 0) },
    { name: 'loop.tiff', body: tiff(giant, 8) },
    {
      name: 'many-tags.tiff',
      body: tiff(
        Array.from({ length: 5000 }, (_, n) => [n, 4, 2 ** 30, 8] as const),
        8,
      ),
    },
    { name: 'huge.webp', body: riff(2 ** 24, 2 ** 24) },
    { name: 'empty-boxes.heic', body: Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08meta'.padEnd(4000, '\0'), 'latin1') },
    { name: 'box-loop.avif', body: Buffer.concat(Array.from({ length: 2000 }, () => Buffer.from('\0\0\0\x08meta', 'latin1'))) },
  ];
}

function pngWithText(data: Buffer): Buffer {
  const plain = png(10, 10, 8, 0, deflateSync(Buffer.alloc(110)));
  return Buffer.concat([plain.subarray(0, 33), chunk('zTXt', Buffer.concat([Buffer.from('a\0\0'), data])), plain.subarray(33)]);
}

function pngWithProfile(data: Buffer): Buffer {
  const plain = png(10, 10, 8, 0, deflateSync(Buffer.alloc(110)));
  return Buffer.concat([plain.subarray(0, 33), chunk('iCCP', Buffer.concat([Buffer.from('a\0\0'), data])), plain.subarray(33)]);
}

function drawings(): HostileFile[] {
  const svg = (inside: string, attributes = 'width="100" height="100"', head = ''): Buffer =>
    Buffer.from(
      `<?xml version="1.0"?>${head}<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ${attributes}>${inside}</svg>`,
    );
  const entities = Array.from({ length: 12 }, (_, n) => `<!ENTITY e${n + 1} "${`&e${n};`.repeat(12)}">`).join('');
  const uses = Array.from({ length: 30 }, (_, n) => `<g id="u${n + 1}">${`<use xlink:href="#u${n}"/>`.repeat(10)}</g>`).join('');
  const filter = '<filter id="f" x="-50000" y="-50000" width="100000" height="100000" filterUnits="userSpaceOnUse">';
  const files: [string, Buffer][] = [
    ['laughs', svg('<text y="50">&e12;</text>', undefined, `<!DOCTYPE svg [<!ENTITY e0 "ha">${entities}]>`)],
    ['quadratic', svg('<text y="50">' + '&a;'.repeat(20_000) + '</text>', undefined, `<!DOCTYPE svg [<!ENTITY a "${'a'.repeat(50_000)}">]>`)],
    ['uses', svg(`<defs><g id="u0"><rect width="9" height="9"/></g>${uses}</defs><use xlink:href="#u30"/>`)],
    ['use-of-itself', svg('<g id="a"><use xlink:href="#a"/></g>')],
    ['deep', svg('<g>'.repeat(200_000) + '</g>'.repeat(200_000))],
    ['open', svg('<g>'.repeat(100_000))],
    ['giant', svg('<rect width="10" height="10"/>', 'width="1000000" height="1000000"')],
    ['endless', svg('', 'width="1e300" height="1e300"')],
    ['nothing', svg('', 'width="0" height="0"')],
    ['minus', svg('<rect width="-5" height="nan"/>', 'width="-100" height="-100"')],
    ['percent', svg('', 'width="99999%" height="99999%" viewBox="0 0 1e-30 1e30"')],
    ['script', svg('<script>while(true){}</script><rect width="5" height="5" onload="alert(1)"/>')],
    ['file', svg('<image xlink:href="file:///etc/passwd" width="90" height="90"/>')],
    ['network', svg('<image xlink:href="http://127.0.0.1:1/secret.png" width="90" height="90"/>')],
    ['entity-of-file', svg('<text y="20">&x;</text>', undefined, '<!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]>')],
    ['include', svg('<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>')],
    ['blur', svg(`${filter}<feGaussianBlur stdDeviation="5000"/></filter><rect width="90" height="90" filter="url(#f)"/>`)],
    ['turbulence', svg(`${filter}<feTurbulence baseFrequency="9" numOctaves="99999999"/></filter><rect width="90" height="90" filter="url(#f)"/>`)],
    [
      'filters',
      svg(`${filter}${'<feMorphology radius="3000" operator="dilate"/>'.repeat(300)}</filter><rect width="90" height="90" filter="url(#f)"/>`),
    ],
    [
      'pattern',
      svg(
        '<pattern id="p" width="0.001" height="0.001"><rect width="90" height="90" fill="url(#p)"/></pattern><rect width="90" height="90" fill="url(#p)"/>',
      ),
    ],
    ['path', svg(`<path d="M0 0${' L9e9 9e9 A1 1 0 0 0 5 5'.repeat(60_000)}" stroke="red" stroke-width="9e9" stroke-dasharray="0.00001"/>`)],
    ['style', svg(`<style>${'a b c d e f g,'.repeat(20_000)}x{}</style>${'<g class="x">'.repeat(500)}${'</g>'.repeat(500)}`)],
    [
      'data',
      svg(
        `<image width="90" height="90" xlink:href="data:image/svg+xml;base64,${Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="90000" height="90000"/>').toString('base64')}"/>`,
      ),
    ],
    ['text', svg(`<text font-size="1e9" y="50">${'W'.repeat(100_000)}</text>`)],
    ['cut', svg('<rect width="10" height="10"/>').subarray(0, 60)],
    ['html', Buffer.from('<html><body><script>for(;;);</script></body></html>')],
  ];
  return files.map(([name, body]) => ({ name: `${name}.svg`, body }));
}

function documents(): HostileFile[] {
  const whole = pdfOf(3);
  const next = random(11);
  const pdf = (objects: readonly string[], trailer = '<< /Root 1 0 R /Size 99 >>'): Buffer =>
    Buffer.from(`%PDF-1.7\n${objects.map((object, n) => `${n + 1} 0 obj\n${object}\nendobj\n`).join('')}trailer\n${trailer}\n%%EOF`, 'latin1');
  const catalog = '<< /Type /Catalog /Pages 2 0 R >>';
  const page = (more: string, content: string): string[] => [
    catalog,
    '<< /Type /Pages /Count 1 /Kids [3 0 R] >>',
    `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R ${more} >>`,
    content,
  ];
  const stream = (data: Buffer | string, dictionary = ''): string =>
    `<< /Length ${data.length} ${dictionary} >>\nstream\n${typeof data === 'string' ? data : data.toString('latin1')}\nendstream`;
  const bomb = deflateSync(Buffer.alloc(300_000_000, '1 0 0 1 0 0 cm '), { level: 1 });
  const form = '/Resources << /XObject << /F 5 0 R >> >>';
  const files: [string, Buffer][] = [
    ['loop-of-pages', pdf([catalog, '<< /Type /Pages /Count 9 /Kids [2 0 R 2 0 R] >>'])],
    ['many-pages', pdf([catalog, '<< /Type /Pages /Count 2147483647 /Kids [] >>'])],
    ['no-root', pdf([catalog], '<< /Size 1 >>')],
    ['root-loop', pdf(['1 0 R'])],
    ['prev-loop', Buffer.from('%PDF-1.4\nxref\n0 1\n0000000000 65535 f \ntrailer << /Root 1 0 R /Prev 9 /Size 1 >>\nstartxref\n9\n%%EOF')],
    ['giant-page', pdf(page('', stream('0 0 9 9 re f')).map((object) => object.replace('600 800', '1e9 1e9')))],
    ['thin-page', pdf(page('', stream('0 0 9 9 re f')).map((object) => object.replace('600 800', '0.00001 100000')))],
    ['content-bomb', pdf(page('', stream(bomb, '/Filter /FlateDecode')))],
    ['double-bomb', pdf(page('', stream(deflateSync(bomb), '/Filter [/FlateDecode /FlateDecode]')))],
    ['form-of-itself', pdf([...page(form, stream('/F Do')), stream('/F Do /F Do', `/Type /XObject /Subtype /Form /BBox [0 0 9 9] ${form}`)])],
    [
      'image-bomb',
      pdf([
        ...page(form, stream('9 0 0 9 0 0 cm /F Do')),
        stream(bomb, '/Type /XObject /Subtype /Image /Width 60000 /Height 60000 /BitsPerComponent 8 /ColorSpace /DeviceRGB /Filter /FlateDecode'),
      ]),
    ],
    [
      'broken-font',
      pdf([
        ...page('/Resources << /Font << /F 5 0 R >> >>', stream('BT /F 20 Tf (text) Tj ET')),
        '<< /Type /Font /Subtype /TrueType /BaseFont /X /FontDescriptor 6 0 R >>',
        '<< /Type /FontDescriptor /FontName /X /Flags 4 /FontFile2 7 0 R >>',
        stream(Buffer.from(Array.from({ length: 4000 }, () => Math.floor(next() * 256)))),
      ]),
    ],
    ['stack', pdf(page('', stream('q '.repeat(500_000))))],
    ['deep-arrays', pdf([catalog, '['.repeat(200_000)])],
    [
      'tiling',
      pdf([
        ...page('/Resources << /Pattern << /P 5 0 R >> >>', stream('/Pattern cs /P scn 0 0 600 800 re f')),
        stream(
          '0 0 1 1 re f',
          '/Type /Pattern /PatternType 1 /PaintType 1 /TilingType 1 /BBox [0 0 1 1] /XStep 0.0001 /YStep 0.0001 /Resources << >>',
        ),
      ]),
    ],
    ['script', pdf([catalog.replace('>>', '/OpenAction << /S /JavaScript /JS (while(true){}) >> >>'), '<< /Type /Pages /Count 0 /Kids [] >>'])],
    ['launch', pdf([catalog.replace('>>', '/OpenAction << /S /Launch /F (/bin/sh) >> >>'), '<< /Type /Pages /Count 0 /Kids [] >>'])],
    ['wrong-length', pdf(page('', '<< /Length 999999999 >>\nstream\nq\nendstream'))],
    ['encrypted', pdf([catalog], '<< /Root 1 0 R /Size 9 /Encrypt << /Filter /Standard /V 5 /R 6 /O (x) /U (x) /P -1 >> /ID [(a) (b)] >>')],
    ['head-alone', Buffer.from('%PDF-1.7\n')],
  ];
  for (let cut = 1; cut < 10; cut++) files.push([`cut-${cut}`, whole.subarray(0, Math.floor((whole.length * cut) / 10))]);
  for (let turn = 0; turn < 15; turn++) {
    const changed = Buffer.from(whole);
    for (let at = 0; at < 20; at++) changed[Math.floor(next() * whole.length)] = Math.floor(next() * 256);
    files.push([`changed-${turn}`, changed]);
  }
  return files.map(([name, body]) => ({ name: `${name}.pdf`, body }));
}

function texts(): HostileFile[] {
  const next = random(13);
  const noise = (length: number, from: number, to: number): Buffer =>
    Buffer.from(Array.from({ length }, () => from + Math.floor(next() * (to - from))));
  const files: [string, Buffer][] = [
    ['zeros.txt', Buffer.alloc(100_000)],
    ['no-utf-8.txt', noise(100_000, 128, 256)],
    ['controls.txt', noise(100_000, 1, 32)],
    ['marks.txt', Buffer.from('a' + '\u0301'.repeat(200_000))],
    ['directions.txt', Buffer.from('\u202e\u2066\u202b'.repeat(50_000))],
    ['joiners.txt', Buffer.from('👨\u200d👩\u200d'.repeat(20_000))],
    ['one-line.json', Buffer.from('['.repeat(3_000_000))],
    ['lines.csv', Buffer.from('\r'.repeat(2_000_000))],
    ['tabs.tsv', Buffer.from('\t'.repeat(2_000_000))],
    ['page.html', Buffer.from(`<script>for(;;);</script><img src=file:///etc/passwd>${'<div>'.repeat(100_000)}`)],
    ['laughs.xml', Buffer.from('<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><a>&b;</a>')],
    ['markup.md', Buffer.from(`<span size="${'9'.repeat(5000)}" font="${'x'.repeat(5000)}">`.repeat(100))],
    ['wide.txt', Buffer.from('﷽𒐫⸻'.repeat(50_000))],
    ['half-16.txt', Buffer.from('fffe00d800d800', 'hex')],
    ['odd-16.txt', Buffer.from('feff0041d8', 'hex')],
    ['noncharacters.txt', Buffer.from('\ufffe\uffff\u{1ffff}'.repeat(20_000))],
  ];
  for (let turn = 0; turn < 12; turn++) files.push([`noise-${turn}.txt`, noise(5_000, 1, 256)]);
  return files.map(([name, body]) => ({ name, body }));
}

function videos(): HostileFile[] {
  const next = random(17);
  const box = (type: string, data: Buffer, size = data.length + 8): Buffer => {
    const head = Buffer.alloc(8);
    head.writeUInt32BE(size >>> 0, 0);
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, data]);
  };
  const start = box('ftyp', Buffer.from('isom\0\0\0\x01isom', 'latin1'));
  const nested = Array.from({ length: 3000 }).reduce<Buffer>((inner) => box('moov', inner.subarray(0, 60_000)), Buffer.alloc(0));
  const files: [string, Buffer][] = [
    ['playlist.mp4', Buffer.from('#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n')],
    ['concat.mp4', Buffer.from('ffconcat version 1.0\nfile /etc/passwd\n')],
    ['network.mkv', Buffer.from('#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:1/x.ts\n')],
    ['sdp.mov', Buffer.from('v=0\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n')],
    ['nested.mp4', Buffer.concat([start, nested])],
    ['no-size.mp4', Buffer.concat([start, box('moov', Buffer.alloc(8), 0)])],
    ['large-size.mp4', Buffer.concat([start, box('moov', Buffer.alloc(8), 0xffffffff)])],
    ['zeros.mpeg', Buffer.alloc(200_000)],
    ['riff.avi', Buffer.from('RIFF\xff\xff\xff\xffAVI LIST\xff\xff\xff\xffhdrlavih', 'latin1')],
    ['ebml.webm', Buffer.concat([Buffer.from('1a45dfa3', 'hex'), Buffer.alloc(3000, 0xff)])],
    ['head.flv', Buffer.from('FLV\x01\x05\0\0\0\x09'.padEnd(5000, '\xff'), 'latin1')],
  ];
  for (let turn = 0; turn < 8; turn++) {
    files.push([`noise-${turn}.mp4`, Buffer.concat([start, Buffer.from(Array.from({ length: 5000 }, () => Math.floor(next() * 256)))])]);
  }
  return files.map(([name, body]) => ({ name, body }));
}

/** Office documents are archives: one file in each, and it unpacks to 200 MB or is no archive at all. */
function packed(): HostileFile[] {
  const zip = (name: string, plainBytes: number, data: Buffer, declared = plainBytes): Buffer => {
    const local = Buffer.alloc(30);
    local.write('PK\x03\x04', 'latin1');
    local.set([20, 0, 0, 0, 8, 0], 4);
    local.writeUInt32LE(data.length, 18);
    local.writeUInt32LE(declared, 22);
    local.writeUInt16LE(name.length, 26);
    const central = Buffer.alloc(46);
    central.write('PK\x01\x02', 'latin1');
    central.set([20, 0, 20, 0, 0, 0, 8, 0], 4);
    central.writeUInt32LE(data.length, 20);
    central.writeUInt32LE(declared, 24);
    central.writeUInt16LE(name.length, 28);
    const end = Buffer.alloc(22);
    end.write('PK\x05\x06', 'latin1');
    end.writeUInt16LE(1, 8);
    end.writeUInt16LE(1, 10);
    end.writeUInt32LE(46 + name.length, 12);
    end.writeUInt32LE(30 + name.length + data.length, 16);
    return Buffer.concat([local, Buffer.from(name), data, central, Buffer.from(name), end]);
  };
  const raw = deflateSync(Buffer.alloc(200_000_000, 'a'), { level: 1 }).subarray(2, -4);
  const endings = ['docx', 'xlsx', 'pptx', 'odt', 'ods', 'odp'];
  return endings.flatMap((ending) => [
    { name: `bomb.${ending}`, body: zip(ending.startsWith('o') ? 'content.xml' : 'word/document.xml', 200_000_000, raw) },
    { name: `lies.${ending}`, body: zip('[Content_Types].xml', 200_000_000, raw, 10) },
    { name: `climbs.${ending}`, body: zip('../../../../etc/passwd', 200_000_000, raw.subarray(0, 1000)) },
    { name: `no-archive.${ending}`, body: Buffer.from(`<html><script>for(;;);</script><img src="file:///etc/passwd">${ending}`) },
    { name: `cut.${ending}`, body: Buffer.from('PK\x03\x04\x14\0', 'latin1') },
  ]);
}
