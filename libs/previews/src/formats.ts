/** How a content is turned into pictures. */
export type Format = 'image' | 'video' | 'pdf' | 'office' | 'text';
/** A format, or the pages of it as pictures, which are made only when somebody reads it page by page. */
export type Making = Format | 'pdf-pages' | 'office-pages' | 'text-pages';

export const THUMBNAILS = ['small', 'middle', 'preview'] as const;
export type Thumbnail = (typeof THUMBNAILS)[number];
/** Longest edge of each in pixels. */
export const THUMBNAIL_PIXELS: Readonly<Record<Thumbnail, number>> = { small: 128, middle: 512, preview: 1280 };

const OPEN_XML = 'application/vnd.openxmlformats-officedocument.';
const OPEN_DOCUMENT = 'application/vnd.oasis.opendocument.';
const OFFICE = [
  'application/msword',
  'application/vnd.ms-excel',
  'application/vnd.ms-powerpoint',
  'application/rtf',
  `${OPEN_XML}wordprocessingml.document`,
  `${OPEN_XML}wordprocessingml.template`,
  `${OPEN_XML}spreadsheetml.sheet`,
  `${OPEN_XML}spreadsheetml.template`,
  `${OPEN_XML}presentationml.presentation`,
  `${OPEN_XML}presentationml.slideshow`,
  `${OPEN_XML}presentationml.template`,
  `${OPEN_DOCUMENT}text`,
  `${OPEN_DOCUMENT}spreadsheet`,
  `${OPEN_DOCUMENT}presentation`,
  `${OPEN_DOCUMENT}graphics`,
];
const IMAGES = ['jpeg', 'png', 'apng', 'gif', 'webp', 'tiff', 'svg+xml', 'avif', 'heic', 'heif'].map((type) => `image/${type}`);
const TEXTS = [
  'application/json',
  'application/javascript',
  'application/xml',
  'application/x-sh',
  'application/x-sql',
  'application/sql',
  'application/toml',
  'application/yaml',
  'application/xhtml+xml',
];

const FORMATS = new Map<string, Format>([
  ['application/pdf', 'pdf'],
  ...OFFICE.map((type): [string, Format] => [type, 'office']),
  ...IMAGES.map((type): [string, Format] => [type, 'image']),
  ...TEXTS.map((type): [string, Format] => [type, 'text']),
  ['text/rtf', 'office'],
]);

/** MIME type of MPEG transport streams, and by its ending of every TypeScript source; a stream is larger than this many bytes. */
const TRANSPORT_STREAM = 'video/mp2t';
const SMALLEST_STREAM_BYTES = 1024 * 1024;

/** MIME types whose previews are made without being asked for: pictures, videos and documents, but no plain texts. */
export const AUTOMATIC_TYPES: readonly string[] = ['application/pdf', 'text/rtf', ...OFFICE, ...IMAGES];

/** The format of a file of this type and size; null when it has no preview. */
export function formatOf(mimeType: string | null, sizeBytes: number): Format | null {
  if (mimeType === null || sizeBytes === 0) return null;
  if (mimeType === TRANSPORT_STREAM && sizeBytes < SMALLEST_STREAM_BYTES) return 'text';
  return FORMATS.get(mimeType) ?? (mimeType.startsWith('text/') ? 'text' : mimeType.startsWith('video/') ? 'video' : null);
}

/** What makes the pages of a document; null for formats without pages. */
export function pagesOf(format: Format): Making | null {
  return format === 'pdf' || format === 'office' || format === 'text' ? `${format}-pages` : null;
}
