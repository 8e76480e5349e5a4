/** Text that may stand in a page as it is. Made by `html` alone. */
export class Html {
  constructor(readonly text: string) {}
}

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
/** Characters that turn the direction of text around: a name could show a false ending with them. */
const DIRECTION = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

type Part = string | number | Html | null | readonly Part[];

/** A piece of a page. Everything that is put in is escaped, for text and for quoted attributes alike, unless it is a piece itself. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.map((text, index) => text + (index < parts.length ? written(parts[index]!) : '')).join(''));
}

function written(part: Part): string {
  if (part === null) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(written).join('');
  return String(part)
    .replace(DIRECTION, '')
    .replace(/[&<>"']/g, (character) => ESCAPES[character]!);
}
