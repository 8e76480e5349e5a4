import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

import { type Making, THUMBNAIL_PIXELS } from '../formats.js';
import { Programs } from './programs.js';
import { ConversionFailed, type RunOptions, Sandbox } from './sandbox.js';

/** The content is of a kind that cannot be shown here. */
export class Unsupported extends Error {
  override readonly name = 'Unsupported';
}

export interface Output {
  readonly kind: string;
  readonly file: string;
  readonly contentType: string;
}

export interface Converted {
  readonly outputs: readonly Output[];
  readonly metainfo: Readonly<Record<string, string | number>> | null;
}

export interface ConverterSettings {
  /** Most pixels that a picture may have. */
  readonly maxPixels: number;
  /** Time of a whole office document; other steps have the time of the sandbox. */
  readonly officeTimeoutMs: number;
  /** Bound of the heap of our own runner. */
  readonly heapMegabytes: number;
}

/** Files that a converter must be able to read whole, and the most bytes of them; texts are cut instead. */
export const MAX_INPUT_BYTES: Readonly<Record<Making, number>> = {
  image: 200 * 2 ** 20,
  video: 2 * 2 ** 30,
  pdf: 300 * 2 ** 20,
  office: 100 * 2 ** 20,
  text: Number.MAX_SAFE_INTEGER,
  'pdf-pages': 300 * 2 ** 20,
  'office-pages': 300 * 2 ** 20,
  'text-pages': 300 * 2 ** 20,
};
/** Only so much of a text is read. */
export const TEXT_BYTES = 512 * 1024;
export const MAX_PAGES = 60;
const PAGE_PIXELS = 1400;

export const FONT_FILE = createRequire(import.meta.url).resolve('dejavu-fonts-ttf/ttf/DejaVuSansMono.ttf');
const RUNNER = fileURLToPath(new URL('../runner/convert.mjs', import.meta.url));

/** Containers whose readers open no other file: a playlist could name any file of this machine. */
const CONTAINERS = 'mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,mpegvideo,flv,ogg,asf,h264,hevc,m4v,dv,mxf,gif,rm,ivf,wtv,vc1';

/** Turns a content into its renditions, every step of it in the sandbox. */
export class Converter {
  constructor(
    private readonly sandbox: Sandbox,
    private readonly programs: Programs,
    private readonly settings: ConverterSettings,
  ) {}

  /**
   * Makes the renditions of `input` as files below `folder`. Throws Unsupported and ProgramMissing where there is no preview, ConversionFailed when the
   * content is broken or too much.
   */
  async convert(making: Making, input: string, folder: string, signal?: AbortSignal): Promise<Converted> {
    const out = join(folder, 'out');
    await mkdir(out);
    const options: RunOptions = { signal };
    switch (making) {
      case 'image':
      case 'text':
        return this.runner(making, input, out, options);
      case 'pdf':
        return this.pdf(input, folder, options);
      case 'office':
        return this.office(input, folder, options);
      case 'video':
        return this.video(input, folder, options);
      case 'pdf-pages':
      case 'office-pages':
      case 'text-pages':
        return this.pages(input, folder, options);
    }
  }

  private async runner(what: 'image' | 'text', input: string, out: string, options: RunOptions): Promise<Converted> {
    const settings = { sizes: THUMBNAIL_PIXELS, maxPixels: this.settings.maxPixels, font: FONT_FILE };
    const args = [`--max-old-space-size=${this.settings.heapMegabytes}`, RUNNER, what, input, out, JSON.stringify(settings)];
    const { stdout } = await this.sandbox.run(process.execPath, args, out, options);
    const result = lastLine(stdout) as { kinds: string[]; metainfo: Converted['metainfo'] } | { unsupported: string };
    if ('unsupported' in result) throw new Unsupported(result.unsupported);
    const outputs = result.kinds.map((kind) => ({ kind, file: join(out, kind), contentType: kind === 'pdf' ? 'application/pdf' : 'image/jpeg' }));
    return { outputs, metainfo: result.metainfo };
  }

  private async pdf(input: string, folder: string, options: RunOptions): Promise<Converted> {
    const page = join(folder, 'page');
    const edge = String(THUMBNAIL_PIXELS.preview);
    await this.sandbox.run(
      await this.programs.path('pdftoppm'),
      ['-png', '-f', '1', '-l', '1', '-singlefile', '-scale-to', edge, input, page],
      folder,
      options,
    );
    return { ...(await this.picture(`${page}.png`, folder, options)), metainfo: null };
  }

  private async office(input: string, folder: string, options: RunOptions): Promise<Converted> {
    const program = await this.programs.path('soffice');
    const profile = join(folder, 'profile');
    await mkdir(join(profile, 'user'), { recursive: true });
    await writeFile(join(profile, 'user', 'registrymodifications.xcu'), OFFICE_PROFILE);
    const document = join(folder, 'document');
    await rename(input, document);
    const args = [
      `-env:UserInstallation=${pathToFileURL(profile).href}`,
      ...OFFICE_SWITCHES,
      '--convert-to',
      'pdf',
      '--outdir',
      join(folder, 'pdf'),
      document,
    ];
    await this.sandbox.run(program, args, folder, { ...options, timeoutMs: this.settings.officeTimeoutMs });
    const pdf = join(folder, 'pdf', 'document.pdf');
    if ((await sizeOf(pdf)) === 0) throw new ConversionFailed('the office program made nothing of it');
    const made = { kind: 'pdf', file: pdf, contentType: 'application/pdf' };
    try {
      const { outputs } = await this.pdf(pdf, folder, options);
      return { outputs: [...outputs, made], metainfo: null };
    } catch (error) {
      // without the program that draws pages, the document can still be read
      if (error instanceof Error && error.name === 'ProgramMissing') return { outputs: [made], metainfo: null };
      throw error;
    }
  }

  private async video(input: string, folder: string, options: RunOptions): Promise<Converted> {
    const ffmpeg = await this.programs.path('ffmpeg');
    const probe = await this.programs.path('ffprobe');
    const careful = ['-v', 'error', '-protocol_whitelist', 'file', '-format_whitelist', CONTAINERS, '-max_pixels', String(this.settings.maxPixels)];
    const shown = ['-print_format', 'json', '-show_format', '-show_streams', input];
    const { stdout } = await this.sandbox.run(probe, [...careful, ...shown], folder, options);
    const metainfo = videoFacts(JSON.parse(stdout) as Probe);
    const frame = join(folder, 'frame.png');
    const edge = THUMBNAIL_PIXELS.preview;
    const scale = `scale='min(${edge},iw)':'min(${edge},ih)':force_original_aspect_ratio=decrease`;
    const at = String(Math.min(10, Number(metainfo['duration'] ?? 0) * 0.1));
    const args = ['-nostdin', ...careful, '-ss', at, '-i', input, '-an', '-sn', '-dn', '-frames:v', '1', '-threads', '1', '-vf', scale, '-y', frame];
    await this.sandbox.run(ffmpeg, args, folder, options);
    return { ...(await this.picture(frame, folder, options)), metainfo };
  }

  private async pages(input: string, folder: string, options: RunOptions): Promise<Converted> {
    const pages = join(folder, 'pages');
    await mkdir(pages);
    const args = ['-jpeg', '-jpegopt', 'quality=80', '-f', '1', '-l', String(MAX_PAGES), '-scale-to', String(PAGE_PIXELS), input, join(pages, 'p')];
    await this.sandbox.run(await this.programs.path('pdftoppm'), args, folder, { ...options, timeoutMs: this.settings.officeTimeoutMs });
    const files = (await readdir(pages)).filter((name) => name.endsWith('.jpg')).sort();
    if (files.length === 0) throw new ConversionFailed('the document has no page');
    return {
      outputs: files.map((name, index) => ({ kind: `page-${index + 1}`, file: join(pages, name), contentType: 'image/jpeg' })),
      metainfo: { pages: files.length },
    };
  }

  private async picture(file: string, folder: string, options: RunOptions): Promise<Converted> {
    if ((await sizeOf(file)) === 0) throw new ConversionFailed('no picture could be made of it');
    return this.runner('image', file, join(folder, 'out'), options);
  }
}

const OFFICE_SWITCHES = ['--headless', '--invisible', '--nodefault', '--nofirststartwizard', '--nolockcheck', '--nologo', '--norestore'];
const item = (path: string, name: string, value: string): string =>
  `<item oor:path="/org.openoffice.Office.${path}"><prop oor:name="${name}" oor:op="fuse"><value>${value}</value></prop></item>`;
/** No macro, no update of links to other files, nothing loaded from elsewhere. */
const OFFICE_PROFILE = `<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry" xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
${item('Common/Security/Scripting', 'MacroSecurityLevel', '3')}
${item('Common/Security/Scripting', 'DisableMacrosExecution', 'true')}
${item('Common/Security/Scripting', 'BlockUntrustedRefererLinks', 'true')}
${item('Writer/Content/Update', 'Link', '2')}
${item('Calc/Content/Update', 'Link', '2')}
</oor:items>
`;

interface Probe {
  readonly streams?: readonly {
    readonly codec_type?: string;
    readonly codec_name?: string;
    readonly width?: number;
    readonly height?: number;
    readonly bit_rate?: string;
    readonly index?: number;
  }[];
  readonly format?: { readonly duration?: string; readonly bit_rate?: string; readonly tags?: { readonly creation_time?: string } };
}

/** What a player shows of a video. Duration in seconds. Throws Unsupported when there is no picture in it. */
function videoFacts({ streams = [], format = {} }: Probe): Record<string, string | number> {
  const stream = streams.find((candidate) => candidate.codec_type === 'video');
  if (!stream) throw new Unsupported('there is no picture in it');
  const facts: Record<string, string | number> = { width: stream.width ?? 0, height: stream.height ?? 0, video_stream: stream.index ?? 0 };
  const duration = Number(format.duration);
  if (Number.isFinite(duration)) facts['duration'] = duration;
  const bitRate = Number(stream.bit_rate ?? format.bit_rate);
  if (Number.isFinite(bitRate)) facts['video_bit_rate'] = bitRate;
  if (stream.codec_name !== undefined) facts['video_codec_name'] = stream.codec_name;
  if (format.tags?.creation_time !== undefined) facts['creation_time'] = format.tags.creation_time.slice(0, 40);
  return facts;
}

function lastLine(text: string): unknown {
  try {
    return JSON.parse(text.trim().split('\n').pop() ?? '');
  } catch {
    throw new ConversionFailed('the converter gave no result');
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

/** The bytes of an output. */
export function readOutput(output: Output): Promise<Buffer> {
  return readFile(output.file);
}
