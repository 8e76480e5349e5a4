import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ArchiveNames, safeArchivePath } from './safe-names.js';

const unix = { windows: false };
const windows = { windows: true };
const NASTY = [
  '',
  '.',
  '..',
  '...',
  '/',
  '\\',
  'C:',
  'c:\\x',
  'CON',
  'con.txt',
  'COM1 .a',
  'nul.',
  'a ',
  'a.',
  'a',
  'A',
  'a?',
  'a_',
  'é',
  'e\u0301',
  'ß',
  'SS',
  '\0',
  '\u0085',
  '\ud800',
  '😀'.repeat(80),
  'x'.repeat(300) + '.txt',
  ' ',
  '_',
];
const nameArb = fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'binary', maxLength: 40 }), fc.stringMatching(/^[ab. ]{1,4}$/));

function expectSafe(path: string, isWindows: boolean): void {
  for (const segment of path.split('/')) {
    expect(segment).not.toMatch(/^\.{0,2}$/);
    expect(segment).not.toMatch(/[\p{Cc}\p{Cs}\\]/u);
    expect(Buffer.byteLength(segment)).toBeLessThanOrEqual(255);
    if (!isWindows) continue;
    expect(segment).not.toMatch(/[<>:"|?*]|[. ]$/);
    expect(segment).not.toMatch(/^(con|prn|aux|nul|com\d|lpt\d)\s*(\..*)?$/is);
  }
  expect(path).not.toMatch(/^[a-z]:/i);
}

describe('safeArchivePath', () => {
  it('keeps what is safe byte for byte', () => {
    for (const name of ['é', 'e\u0301', 'a:b', 'con', 'a. ', '.env', 'a?*"<>|', '日本 語.txt'])
      expect(safeArchivePath(['d', name], unix)).toBe(`d/${name}`);
    for (const name of ['é', 'e\u0301', '.env', 'console', 'com10', '日本 語.txt', ' a'])
      expect(safeArchivePath(['d', name], windows)).toBe(`d/${name}`);
  });

  it.each([
    [['..', '..', 'etc', 'passwd'], '__/__/etc/passwd', '_/_/etc/passwd'],
    [['/etc/passwd'], '_etc_passwd', '_etc_passwd'],
    [['C:\\Windows'], 'C__Windows', 'C__Windows'],
    [['d', 'C:x'], 'd/C:x', 'd/C_x'],
    [['CON'], 'CON', '_CON'],
    [['com1.tar.gz'], 'com1.tar.gz', '_com1.tar.gz'],
    [['LPT³ . '], 'LPT³ . ', '_LPT³'],
    [['a\u0000b\u001f\u007f\u0085'], 'a_b___', 'a_b___'],
    [['what?.txt'], 'what?.txt', 'what_.txt'],
    [['end. .'], 'end. .', 'end'],
    [[''], '_', '_'],
    [[], '_', '_'],
  ])('%j', (segments, onUnix, onWindows) => {
    expect(safeArchivePath(segments, unix)).toBe(onUnix);
    expect(safeArchivePath(segments, windows)).toBe(onWindows);
  });

  it('cuts long names between characters and keeps the extension', () => {
    const safe = safeArchivePath([`${'😀'.repeat(100)}.jpeg`], unix);
    expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(255);
    expect(safe).toBe(`${'😀'.repeat(62)}.jpeg`);
    expectSafe(safeArchivePath([`con.${'a'.repeat(249)} .bbb`], windows), true);
  });
});

describe('ArchiveNames', () => {
  it('numbers what would be the same name', () => {
    const names = new ArchiveNames(windows);
    expect(names.place('', 'a.txt', 'file')).toBe('a.txt');
    expect(names.place('', 'A.TXT', 'file')).toBe('A (1).TXT');
    expect(names.place('', 'a.txt', 'file')).toBe('a (2).txt');
    expect(names.place('', 'a (3).txt', 'file')).toBe('a (3).txt');
    expect(names.place('', 'a.txt', 'file')).toBe('a (4).txt');
    expect(names.place('', 'v1.2', 'folder')).toBe('v1.2');
    expect(names.place('', 'v1.2', 'folder')).toBe('v1.2 (1)');
    expect(names.place('v1.2 (1)', '.env', 'file')).toBe('v1.2 (1)/.env');
    expect(names.place('v1.2 (1)', '.env', 'file')).toBe('v1.2 (1)/.env (1)');
    expect(names.place('v1.2', '.env', 'file')).toBe('v1.2/.env');
    const exact = new ArchiveNames(unix);
    expect([exact.place('', 'a', 'file'), exact.place('', 'A', 'file'), exact.place('', 'a', 'file')]).toEqual(['a', 'A', 'a (1)']);
  });

  it('is unique, safe and repeatable for any names', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(nameArb, fc.boolean(), fc.nat()), { maxLength: 60 }), fc.boolean(), (items, isWindows) => {
        const run = (): string[] => {
          const names = new ArchiveNames({ windows: isWindows });
          const folders = [''];
          return items.map(([name, isFolder, parent]) => {
            const path = names.place(folders[parent % folders.length] ?? '', name, isFolder ? 'folder' : 'file');
            if (isFolder) folders.push(path);
            return path;
          });
        };
        const paths = run();
        paths.forEach((path) => expectSafe(path, isWindows));
        expect(new Set(paths.map((path) => (isWindows ? path.normalize('NFC').toLowerCase() : path))).size).toBe(paths.length);
        expect(run()).toEqual(paths);
      }),
      { numRuns: 300 },
    );
  });

  it('stays fast when very many names become the same', () => {
    const names = new ArchiveNames(windows);
    const marks = '<>:"|?*';
    const paths = new Set<string>();
    for (let value = 0; value < 16_807; value += 1) {
      const name = value
        .toString(7)
        .padStart(5, '0')
        .replace(/\d/g, (digit) => marks.charAt(Number(digit)));
      paths.add(names.place('', name, 'file'));
    }
    expect(paths.size).toBe(16_807);
    expect(paths).toContain('_____ (16806)');
  });
});
