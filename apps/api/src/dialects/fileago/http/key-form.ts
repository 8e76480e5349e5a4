/** 64 hex characters as FileAgo writes its keys: two UUIDs with a `-` between them. */
export function keyText(hex: string): string {
  return [hex.slice(0, 32), hex.slice(32)].map(uuidText).join('-');
}

/** The hex characters of such a key; empty for anything else, which then opens nothing. */
export function keyHex(text: string): string {
  return KEY.test(text) ? text.replaceAll('-', '').toLowerCase() : '';
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const KEY = new RegExp(`^${UUID}-${UUID}$`, 'i');

function uuidText(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
