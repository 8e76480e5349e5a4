const COMPRESSIBLE = new Set([
  'application/ecmascript',
  'application/javascript',
  'application/json',
  'application/msword',
  'application/postscript',
  'application/rtf',
  'application/sql',
  'application/toml',
  'application/vnd.ms-excel',
  'application/vnd.ms-fontobject',
  'application/vnd.ms-powerpoint',
  'application/vnd.sqlite3',
  'application/wasm',
  'application/x-httpd-php',
  'application/x-ndjson',
  'application/x-perl',
  'application/x-sh',
  'application/x-sqlite3',
  'application/x-subrip',
  'application/x-tar',
  'application/x-tex',
  'application/xml',
  'application/yaml',
  'audio/wav',
  'audio/x-wav',
  'font/otf',
  'font/ttf',
  'image/bmp',
  'image/svg+xml',
  'image/vnd.adobe.photoshop',
  'image/x-ms-bmp',
]);

/** True for types whose content is worth deflating; unknown ones are not: most large files of unknown type are packed already. */
export function isCompressible(mimeType: string | null): boolean {
  const type = mimeType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  return type.startsWith('text/') || /\+(json|xml|yaml)$/.test(type) || COMPRESSIBLE.has(type);
}
