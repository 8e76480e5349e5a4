const ARCHIVES =
  /^application\/(zip|x-zip-compressed|gzip|x-gzip|x-bzip2?|x-tar|x-gtar|x-7z-compressed|x-xz|x-lzma|zstd|vnd\.rar|x-rar-compressed|java-archive)$/;
const OFFICE =
  /^application\/(msword|rtf|vnd\.ms-(word|excel|works)|vnd\.openxmlformats-officedocument\.(wordprocessingml|spreadsheetml)|vnd\.oasis\.opendocument\.(text|spreadsheet))/;
const PRESENTATION = /^application\/(vnd\.ms-powerpoint|vnd\.openxmlformats-officedocument\.presentationml|vnd\.oasis\.opendocument\.presentation)/;
const TEXT = /^(text\/|application\/(json|xml|javascript|typescript|sql|yaml|toml|x-sh|[\w.-]+\+(json|xml))$)/;
const EBOOK = /^application\/(pdf|epub\+zip|x-mobipocket-ebook|vnd\.amazon\.ebook)$/;

/** The icon name by which clients draw a file (contract 1.6); folders are always `folder`. */
export function iconOf(mimeType: string): string {
  const kind = mimeType.slice(0, mimeType.indexOf('/'));
  if (kind === 'image' || kind === 'video' || kind === 'audio') return kind;
  if (EBOOK.test(mimeType)) return 'ebook_adobe';
  if (ARCHIVES.test(mimeType)) return 'archive';
  if (PRESENTATION.test(mimeType)) return 'presentation_office';
  if (OFFICE.test(mimeType)) return 'document_office';
  return TEXT.test(mimeType) ? 'document_text' : 'unknown';
}

const GROUPS: ReadonlyMap<string, RegExp> = new Map([
  ['archive', ARCHIVES],
  ['document_office', OFFICE],
  ['presentation_office', PRESENTATION],
  ['document_text', TEXT],
  ['ebook_adobe', EBOOK],
  ['document', new RegExp([TEXT, OFFICE, PRESENTATION, EBOOK].map(({ source }) => source).join('|'))],
]);

/** MIME types of the files that have this icon, or of all `document`s; undefined for other names. PostgreSQL reads these expressions too. */
export function mimePatternOf(group: string): RegExp | undefined {
  return GROUPS.get(group);
}

const UNITS = ['KB', 'MB', 'GB', 'TB', 'PB'];

/** A size for people: `0 bytes`, `123.4KB`, `1.0GB`, in steps of 1024. */
export function humanSize(bytes: number): string {
  if (bytes < 1024) return `${bytes} bytes`;
  let value = bytes / 1024;
  let unit = 0;
  // 1023.95 would be rounded up to 1024.0
  for (; value >= 1023.95 && unit < UNITS.length - 1; unit++) value /= 1024;
  return `${value.toFixed(1)}${UNITS[unit]}`;
}
