import type { Disposition } from './blob-store.js';

/** Value of Content-Disposition after RFC 6266: an ASCII `filename` for old clients and the exact name as `filename*` (RFC 8187). */
export function contentDisposition(disposition: Disposition, fileName: string): string {
  const name = Buffer.from(fileName, 'utf8').toString('utf8');
  const ascii = name.replace(/[^\x20-\x7e]/g, '_').replace(/["\\%]/g, '_');
  const plain = `${disposition}; filename="${ascii}"`;
  if (ascii === name) return plain;
  const exact = encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
  return `${plain}; filename*=UTF-8''${exact}`;
}
