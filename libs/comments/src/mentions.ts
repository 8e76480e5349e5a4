/** People named in a tagged text: by id, or by e-mail address (in lower case). */
export interface Mentions {
  readonly accountIds: readonly number[];
  readonly emails: readonly string[];
}

/** Most people that one text can name; further ones are not told. */
const MAX_MENTIONS = 50;
const BY_ID = /@\[[^\]\n]{0,256}\]\((?:userid:)?(\d{1,15})\)|@userid:(\d{1,15})\b/g;
const BY_EMAIL = /(?:^|[\s(,;])@(?:email:)?([^\s@,;()<>[\]"]{1,64}@[^\s@,;()<>[\]"]{1,190})/g;

/** The marks `@[name](12)`, `@userid:12`, `@email:a@b.org` and `@a@b.org` of a text, each person once. */
export function mentionsOf(taggedText: string): Mentions {
  const accountIds = new Set<number>();
  const emails = new Set<string>();
  for (const [, marked, plain] of taggedText.matchAll(BY_ID)) accountIds.add(Number(marked ?? plain));
  for (const [, address] of taggedText.matchAll(BY_EMAIL)) emails.add(address!.replace(/[.!?:]+$/, '').toLowerCase());
  return { accountIds: [...accountIds].slice(0, MAX_MENTIONS), emails: [...emails].slice(0, MAX_MENTIONS) };
}
