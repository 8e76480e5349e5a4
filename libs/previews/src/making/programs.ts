import { access, constants } from 'node:fs/promises';
import { isAbsolute, join } from 'node:path';

/** Programs that make previews, and are there or not. */
export type ProgramName = 'pdftoppm' | 'ffmpeg' | 'ffprobe' | 'soffice';

/** A program that this kind of content needs is not installed: there is no preview, and no fault. */
export class ProgramMissing extends Error {
  override readonly name = 'ProgramMissing';
}

/** Finds programs anew each time, so that one that is installed later is used without a restart. */
export class Programs {
  constructor(
    private readonly configured: Readonly<Partial<Record<ProgramName, string | undefined>>>,
    private readonly searchPath: string,
  ) {}

  /** Full path of a program. Throws ProgramMissing. */
  async path(name: ProgramName): Promise<string> {
    const wanted = this.configured[name] ?? name;
    const candidates = isAbsolute(wanted)
      ? [wanted]
      : this.searchPath
          .split(':')
          .filter(Boolean)
          .map((folder) => join(folder, wanted));
    for (const candidate of candidates) {
      const found = await access(candidate, constants.X_OK).then(
        () => true,
        () => false,
      );
      if (found) return candidate;
    }
    throw new ProgramMissing(`${name} is not installed`);
  }
}
