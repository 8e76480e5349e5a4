/** Something that the office server does with files of one extension; an empty `ext` goes by the MIME type that names the application. */
export interface OfficeAction {
  readonly name: string;
  readonly ext: string;
  /** MIME type, for applications that are named so. */
  readonly app: string;
  readonly urlTemplate: string;
}

/** An RSA public key, both parts base64. */
export interface ProofKey {
  readonly modulus: string;
  readonly exponent: string;
}

/** What an office server says about itself. */
export interface Discovery {
  /** By network zone, in the order of the document. */
  readonly zones: readonly { readonly name: string; readonly actions: readonly OfficeAction[] }[];
  /** The key it signs with, and the one before; empty when it does not sign. */
  readonly proofKeys: readonly ProofKey[];
}

interface Tag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

/** Reads a discovery document; null when it is none. */
export function parseDiscovery(xml: string): Discovery | null {
  const zones: { name: string; actions: OfficeAction[] }[] = [];
  const proofKeys: ProofKey[] = [];
  let isDiscovery = false;
  let app = '';
  for (const { name, attributes } of tagsOf(xml)) {
    const of = (key: string): string => attributes.get(key) ?? '';
    if (name === 'wopi-discovery') isDiscovery = true;
    else if (name === 'net-zone') zones.push({ name: of('name').toLowerCase(), actions: [] });
    else if (name === 'app') app = of('name').toLowerCase();
    else if (name === 'action' && of('urlsrc') !== '')
      zones.at(-1)?.actions.push({ name: of('name').toLowerCase(), ext: of('ext').toLowerCase(), app, urlTemplate: of('urlsrc') });
    else if (name === 'proof-key') {
      for (const [modulus, exponent] of [
        [of('modulus'), of('exponent')],
        [of('oldmodulus'), of('oldexponent')],
      ] as const) {
        if (modulus !== '' && exponent !== '') proofKeys.push({ modulus, exponent });
      }
    }
  }
  return isDiscovery ? { zones, proofKeys } : null;
}

/** Opening tags in their order. Text, comments, declarations and closing tags mean nothing here. */
function* tagsOf(xml: string): Generator<Tag> {
  let at = xml.indexOf('<');
  while (at >= 0) {
    if (xml.startsWith('<!--', at)) {
      const end = xml.indexOf('-->', at + 4);
      at = end < 0 ? -1 : xml.indexOf('<', end + 3);
      continue;
    }
    const end = endOfTag(xml, at + 1);
    if (end < 0) return;
    const tag = readTag(xml.slice(at + 1, end));
    if (tag) yield tag;
    at = xml.indexOf('<', end + 1);
  }
}

/** Where the tag closes; a `>` in a quoted value does not close it. */
function endOfTag(xml: string, from: number): number {
  let quote = '';
  for (let at = from; at < xml.length; at++) {
    const character = xml[at]!;
    if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === '"' || character === "'") quote = character;
    else if (character === '>') return at;
  }
  return -1;
}

function readTag(body: string): Tag | null {
  const name = /^[A-Za-z][\w:.-]*/.exec(body)?.[0];
  if (name === undefined) return null;
  const attributes = new Map<string, string>();
  for (const [, key, double, single] of body.slice(name.length).matchAll(/([A-Za-z][\w:.-]*)\s*=\s*(?:"([^"]*)"|'([^']*)')/g)) {
    attributes.set(key!.toLowerCase(), unescaped(double ?? single ?? ''));
  }
  return { name: name.toLowerCase(), attributes };
}

function unescaped(value: string): string {
  return value.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|(\w{2,4}));/gi, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hex!, 16) : Number(decimal);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
