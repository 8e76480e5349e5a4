import { type Discovery, type OfficeAction } from './discovery-xml.js';

export type OfficeVerb = 'view' | 'edit';

/** What is tried for each wish, best first: an editor that is given a token without the right to write shows the file as well. */
const NAMES: Readonly<Record<OfficeVerb, readonly string[]>> = { view: ['view', 'embedview', 'edit'], edit: ['edit'] };

/** The action for a file, in the zone that people reach; null when the office server does not open such files. */
export function actionFor(
  discovery: Discovery,
  verb: OfficeVerb,
  file: { readonly name: string; readonly mimeType: string | null },
  secure: boolean,
): OfficeAction | null {
  const dot = file.name.lastIndexOf('.');
  const ext = dot < 0 ? '' : file.name.slice(dot + 1).toLowerCase();
  const wanted = secure ? ['external-https', 'external-http'] : ['external-http', 'external-https'];
  const rank = (name: string): number => (wanted.includes(name) ? wanted.indexOf(name) : wanted.length);
  const zones = [...discovery.zones].sort((a, b) => rank(a.name) - rank(b.name));
  for (const { actions } of zones) {
    for (const name of NAMES[verb]) {
      const named = actions.filter((action) => action.name === name);
      const found =
        named.find((action) => ext !== '' && action.ext === ext) ??
        named.find((action) => action.ext === '' && file.mimeType !== null && action.app === file.mimeType.toLowerCase());
      if (found) return found;
    }
  }
  return null;
}

export interface ActionUrl {
  readonly wopiSrc: string;
  readonly accessToken: string;
  /** When the token ends, in ms since the epoch. */
  readonly expiresMs: number;
  /** Language of the person, as `en-US`. */
  readonly locale: string;
}

/** The URL that opens the file: placeholders that we know are filled, all others are left out, and the token goes to the end. */
export function fillActionUrl(template: string, { wopiSrc, accessToken, expiresMs, locale }: ActionUrl): string {
  const values: Readonly<Record<string, string>> = { UI_LLCC: locale, DC_LLCC: locale, WOPI_SOURCE: wopiSrc };
  const filled = template.replace(/<([^<>=]{1,64})=([^<>]{1,256}?)&?>/g, (_, name: string, placeholder: string) => {
    const value = values[placeholder];
    return value === undefined ? '' : `${name}=${encodeURIComponent(value)}&`;
  });
  const separator = !filled.includes('?') ? '?' : /[?&]$/.test(filled) ? '' : '&';
  const source = /[?&]wopisrc=/i.test(filled) ? '' : `WOPISrc=${encodeURIComponent(wopiSrc)}&`;
  return `${filled}${separator}${source}access_token=${encodeURIComponent(accessToken)}&access_token_ttl=${expiresMs}`;
}

const LOCALES: Readonly<Record<string, string>> = { en: 'en-US', ru: 'ru-RU', de: 'de-DE', ko: 'ko-KR' };

/** The locale of one of our languages. */
export function localeOf(lang: string): string {
  return LOCALES[lang] ?? 'en-US';
}
