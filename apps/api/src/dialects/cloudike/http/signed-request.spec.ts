import { Readable } from 'node:stream';

import { describe, expect, it } from 'vitest';

import { readParams } from './request-params.js';
import type { CloudikeRequest } from './route-metadata.js';
import { signedRequestOf } from './signed-request.js';

function request(authorization: string, originalUrl: string, body = '', type = 'application/x-www-form-urlencoded'): CloudikeRequest {
  const headers = { authorization, ...(body === '' ? {} : { 'content-type': type, 'content-length': String(Buffer.byteLength(body)) }) };
  return Object.assign(Readable.from(body === '' ? [] : [Buffer.from(body)]), {
    method: 'POST',
    url: originalUrl,
    originalUrl,
    headers,
    cloudike: {},
  }) as unknown as CloudikeRequest;
}

describe('signedRequestOf', () => {
  it('collects header, query and form as RFC 5849 3.4.1.3.1 has it, and leaves the form to be read', async () => {
    const sent = request(
      'OAuth realm="Example, \tInc", oauth_consumer_key="9djdj82h48djs9d2",oauth_signature="djosJKDKJSD8743243%2Fjdk33klY%3D" , oauth_nonce="a+b"',
      '/request?b5=%3D%253D&a3=a&c%40=&a2=r%20b',
      'c2&a3=2+q',
    );
    expect(await signedRequestOf(sent)).toEqual({
      method: 'POST',
      path: '/request',
      params: [
        ['oauth_consumer_key', '9djdj82h48djs9d2'],
        ['oauth_signature', 'djosJKDKJSD8743243/jdk33klY='],
        ['oauth_nonce', 'a+b'],
        ['b5', '=%3D'],
        ['a3', 'a'],
        ['c@', ''],
        ['a2', 'r b'],
        ['c2', ''],
        ['a3', '2 q'],
      ],
    });
    const params = await readParams(sent, 1_000, sent.cloudike.form);
    expect([params.get('a3'), params.get('c2'), params.get('b5')]).toEqual([['2 q'], [''], ['=%3D']]);
  });

  it('leaves bodies that are no forms alone', async () => {
    const sent = request('OAuth oauth_nonce="x"', '/request', '{"a":1}', 'application/json');
    expect((await signedRequestOf(sent)).params).toEqual([['oauth_nonce', 'x']]);
    expect((await readParams(sent, 1_000, sent.cloudike.form)).get('a')).toEqual([1]);
  });

  it.each(['OAuth oauth_nonce=x', 'OAuth oauth_nonce="x" oauth_token="y"', 'OAuth , ', 'OAuth oauth_nonce="%E0%A4%A"'])(
    'refuses %s',
    async (header) => {
      await expect(signedRequestOf(request(header, '/request'))).rejects.toMatchObject({ code: 'INVALID_ARGUMENT' });
    },
  );
});
