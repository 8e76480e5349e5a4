/** A small seeded generator (mulberry32), so that every run of a test can be repeated. Numbers in [0, 1). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const PIECES = [
  'report',
  'Übersicht',
  'пингвины',
  '한국어',
  '日本語',
  'العربية',
  'עברית',
  'e\u0301',
  '\u00e9',
  'ﬁ',
  'ß',
  'İ',
  'ı',
  '👩‍👩‍👧‍👦',
  '🏳️‍🌈',
  '\u202Eevil',
  '\u200B',
  '\u00A0',
  ' ',
  '  ',
  '.',
  '..',
  '...',
  '%',
  '%2F',
  '%00',
  '_',
  '\\',
  "'",
  '"',
  '`',
  '&',
  '◐',
  '{',
  '}',
  '[',
  ']',
  '(1)',
  ' (1)',
  '#',
  '?',
  '*',
  ':',
  '|',
  '<',
  '>',
  '~',
  '$HOME',
  ';',
  ',',
  '=',
  '+',
  '@',
  '-',
  '--',
  'CON',
  'NUL.txt',
  'a'.repeat(100),
  '.values',
  '.gitignore',
  'Thumbs.db',
  '\u{1F600}',
  '\uFEFF',
  'DROP TABLE nodes',
  '../..',
  '/',
  '\0',
  '\n',
  '\t',
  '\x7f',
  '\u0085',
  '\ud800',
];

/** `count` different names made to hurt: scripts, emoji, combining marks, quotes, wildcards, dots, controls, lone surrogates, lengths around 255 bytes. */
export function tortureNames(count: number, seed: number): string[] {
  const random = seeded(seed);
  const names = new Set<string>(PIECES);
  for (const length of [254, 255, 256, 1000]) names.add('x'.repeat(length));
  names.add('é'.repeat(127)).add('é'.repeat(128)).add('👍'.repeat(63)).add('👍'.repeat(64));
  while (names.size < count) {
    const parts = 1 + Math.floor(random() * 4);
    let name = '';
    for (let part = 0; part < parts; part++) name += PIECES[Math.floor(random() * PIECES.length)]!;
    if (random() < 0.5) name += ` ${Math.floor(random() * 1e6)}`;
    names.add(name);
  }
  return [...names].slice(0, count);
}

/** True when a name has no legal form as a single path segment: the refusal that a client must get. */
export function mustBeRefused(name: string): boolean {
  return name === '' || name === '.' || name === '..' || /[/\p{Cc}]/u.test(name) || Buffer.byteLength(name) > 255 || hasLoneSurrogate(name);
}

function hasLoneSurrogate(name: string): boolean {
  return Buffer.from(name, 'utf8').toString('utf8') !== name;
}

/** `count` times in ms: the epoch and around it, long before it, leap days, far future, odd milliseconds. */
export function tortureTimes(count: number, seed: number): number[] {
  const random = seeded(seed);
  const times = [
    0, 1, -1, 999, -999, 1000, -86_400_000, 951_782_400_000, 2_147_483_647_000, 2_147_483_648_001, -2_147_483_649_000, 4_102_444_800_123,
    -11_644_473_600_000, 253_402_300_799_999,
  ];
  while (times.length < count) times.push(Math.floor((random() * 2 - 0.5) * 4e12));
  return times.slice(0, count);
}
