import { describe, expect, it } from 'vitest';
import { Clock } from '#libs/kernel';
import { contentDisposition } from './content-disposition.js';
import { type BlobGrant, SignedUrls } from './signed-urls.js';

class HandClock extends Clock {
  at = 1_800_000_000_000;
  override nowMs(): number {
    return this.at;
  }
}

const secretKey = 'a secret of enough characters';
const clock = new HandClock();
const urls = new SignedUrls({ publicUrl: 'https://files.example/', secretKey, clock });

function target(url: string): string {
  return url.slice('https://files.example'.length);
}

function grant(changes: Partial<BlobGrant> = {}): BlobGrant {
  return { kind: 'GET', key: 'b/0a1', expiresAtMs: clock.nowMs() + 60_000, ...changes };
}

describe('SignedUrls', () => {
  it('should give back every value it signed, whatever its characters', () => {
    const all = grant({ fileName: 'a&b=c+d %2B "é" \u{1f600}\n?#', contentType: 'text/plain; charset=utf-8', disposition: 'inline', etag: 'ff' });
    expect(urls.verify('GET', target(urls.sign(all)))).toMatchObject(all);
    const part = grant({ kind: 'PART', uploadId: '2~x/y', partNumber: 7, sizeBytes: 0, maxBytes: 5 });
    expect(urls.verify('PUT', target(urls.sign(part)))).toMatchObject(part);
  });

  it('should not let a URL lose whom it was made for, or name somebody else', () => {
    const pass = { holder: 'a.7.token~other', nodeId: '018f' };
    const url = target(urls.sign(grant({ pass })));
    expect(urls.verify('GET', url).pass).toEqual(pass);
    expect(urls.verify('GET', target(urls.sign(grant({ pass: { holder: 'a.7.' } })))).pass).toEqual({ holder: 'a.7.' });
    expect(urls.verify('GET', target(urls.sign(grant()))).pass).toBeUndefined();
    for (const attempt of [url.replace('a.7', 'a.8'), url.replace('on=018f', 'on=018e'), url.replace('on=018f&', ''), url.replace(/by=[^&]*&/, '')])
      expect(() => urls.verify('GET', attempt), attempt).toThrow('not valid');
    expect(() => urls.verify('GET', target(urls.sign(grant())).replace('?', '?by=a.7.&'))).toThrow('not valid');
  });

  it('should take a query that a client encoded in its own way or added to', () => {
    const url = target(urls.sign(grant({ fileName: 'a b' })));
    expect(urls.verify('GET', `${url.replace('a%20b', 'a+b')}&utm=1`).fileName).toBe('a b');
  });

  it.each([
    ['GET', ['GET', 'HEAD']],
    ['PUT', ['PUT', 'POST']],
    ['PART', ['PUT']],
  ] as const)('should let a %s grant be used by %j alone', (kind, allowed) => {
    const url = target(urls.sign(grant(kind === 'PART' ? { kind, uploadId: 'u', partNumber: 1 } : { kind })));
    for (const method of ['GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', '']) {
      const attempt = () => urls.verify(method, url);
      if ((allowed as readonly string[]).includes(method)) expect(attempt().kind).toBe(kind);
      else expect(attempt).toThrow('not valid');
    }
  });

  it('should refuse any change, addition or loss', () => {
    const url = target(urls.sign(grant({ kind: 'PUT', maxBytes: 100 })));
    const changed = [
      url.replace('max=100', 'max=1000'),
      url.replace('max=100&', ''),
      url.replace('b/0a1', 'b/0a2'),
      url.replace('?', '?part=1&'),
      url.replace('?', '?ct=text%2Fhtml&'),
      url.replace(/exp=\d+/, 'exp=9999999999'),
      url.replace(/sig=.*/, 'sig='),
      url.replace(/&sig=.*/, ''),
      url.replace(/.$/, ''),
      '/blobs/b/0a1',
      '/blobs/',
    ];
    for (const attempt of changed) expect(() => urls.verify('PUT', attempt), attempt).toThrow(/not valid/);
    expect(() => new SignedUrls({ publicUrl: 'https://files.example', secretKey: `${secretKey}!`, clock }).verify('PUT', url)).toThrow('not valid');
  });

  it('should refuse from the second of expiry on', () => {
    const hand = new HandClock();
    const timed = new SignedUrls({ publicUrl: 'https://files.example', secretKey, clock: hand });
    const url = target(timed.sign(grant({ expiresAtMs: timed.expiry(10) })));
    hand.at += 9_999;
    expect(timed.verify('GET', url).key).toBe('b/0a1');
    hand.at += 1;
    expect(() => timed.verify('GET', url)).toThrow('expired');
  });

  it('should refuse a short secret', () => {
    expect(() => new SignedUrls({ publicUrl: 'https://files.example', secretKey: 'short' })).toThrow('16 characters');
  });
});

describe('contentDisposition', () => {
  it.each([
    ['a b.txt', 'attachment; filename="a b.txt"'],
    ['a"b\\.txt', `attachment; filename="a_b_.txt"; filename*=UTF-8''a%22b%5C.txt`],
    ["é(1)*'.txt", `attachment; filename="_(1)*'.txt"; filename*=UTF-8''%C3%A9%281%29%2A%27.txt`],
    ['x\r\nSet-Cookie: a', `attachment; filename="x__Set-Cookie: a"; filename*=UTF-8''x%0D%0ASet-Cookie%3A%20a`],
    ['\ud800', `attachment; filename="_"; filename*=UTF-8''%EF%BF%BD`],
  ])('should name %j safely', (name, value) => expect(contentDisposition('attachment', name)).toBe(value));
});
