import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import { Injectable } from '@nestjs/common';

import { AppConfig } from '#libs/config';
import { DomainError } from '#libs/kernel';

import { Converter, Unsupported } from './converter.js';
import { Programs } from './programs.js';
import { ConversionFailed, Sandbox } from './sandbox.js';

/** Small pictures are shown small: no more than a screen has. */
const MAX_PIXELS = 50_000_000;
const HEAP_MEGABYTES = 192;
const MAX_FILE_BYTES = 64 * 2 ** 20;

/** Pictures that people send to be shown to others: read and written anew in the sandbox, so that nothing of what was sent is handed on. */
@Injectable()
export class Pictures {
  private readonly sandbox: Sandbox;
  private readonly converter: Converter;
  private turn: Promise<unknown> = Promise.resolve();

  constructor(config: AppConfig) {
    const { memoryBytes, timeoutMs, searchPath, programs } = config.previews;
    this.sandbox = new Sandbox(searchPath, { memoryBytes, timeoutMs, fileBytes: MAX_FILE_BYTES });
    const settings = { maxPixels: MAX_PIXELS, officeTimeoutMs: timeoutMs, heapMegabytes: HEAP_MEGABYTES };
    this.converter = new Converter(this.sandbox, new Programs(programs, searchPath), settings);
  }

  /** The picture as a JPEG of at most 512 x 512 pixels; one at a time in this process. INVALID_ARGUMENT for what is no picture, or too much of one. */
  jpeg(bytes: Buffer): Promise<Buffer> {
    const made = this.turn.then(() => this.make(bytes));
    this.turn = made.catch(() => undefined);
    return made;
  }

  private async make(bytes: Buffer): Promise<Buffer> {
    try {
      return await this.sandbox.inFolder(async (folder) => {
        const input = join(folder, 'input');
        await writeFile(input, bytes, { mode: 0o600 });
        const { outputs } = await this.converter.convert('image', input, folder);
        return readFile(outputs.find(({ kind }) => kind === 'middle')!.file);
      });
    } catch (error) {
      if (!(error instanceof Unsupported) && !(error instanceof ConversionFailed)) throw error;
      throw new DomainError('INVALID_ARGUMENT', 'This is no picture that can be shown.', {}, { cause: error });
    }
  }
}
