import { describe, expect, it } from 'vitest';

import { baseString, hmacSha1, percentEncoded, type SignedRequest } from './signature.js';

const signed = (origin: string, request: SignedRequest, consumerSecret: string, tokenSecret: string) =>
  hmacSha1(baseString(origin, request), consumerSecret, tokenSecret).toString('base64');

describe('the base string', () => {
  it('is that of RFC 5849 3.4.1.1', () => {
    const request: SignedRequest = {
      method: 'post',
      path: '/request',
      params: [
        ['b5', '=%3D'],
        ['a3', 'a'],
        ['c@', ''],
        ['a2', 'r b'],
        ['oauth_consumer_key', '9djdj82h48djs9d2'],
        ['oauth_token', 'kkk9d7dh3k39sjv7'],
        ['oauth_signature_method', 'HMAC-SHA1'],
        ['oauth_timestamp', '137131201'],
        ['oauth_nonce', '7d8f3e4a'],
        ['oauth_signature', 'bYT5CMsGcbgUdFHObYMEfcx6bsw='],
        ['c2', ''],
        ['a3', '2 q'],
      ],
    };
    expect(baseString('http://EXAMPLE.COM:80', request)).toBe(
      'POST&http%3A%2F%2Fexample.com%2Frequest&a2%3Dr%2520b%26a3%3D2%2520q%26a3%3Da%26b5%3D%253D%25253D%26c%2540%3D%26c2%3D%26oauth_consumer_key%3D9djdj82h48djs9d2' +
        '%26oauth_nonce%3D7d8f3e4a%26oauth_signature_method%3DHMAC-SHA1%26oauth_timestamp%3D137131201%26oauth_token%3Dkkk9d7dh3k39sjv7',
    );
    // the RFC prints another signature; its erratum 2550 has this one, for the secrets of the example
    expect(signed('http://example.com', request, 'j49sk3j29djd', 'dh893hdasih9')).toBe('r6/TJjbCOr97/+UU0NsvSne7s5g=');
  });

  it('keeps other ports and the path in front of ours, and the path as it was written', () => {
    const base = baseString('https://example.com:8443/stowage/', { method: 'GET', path: '/api/1/a%20b/', params: [] });
    expect(base).toBe(`GET&${encodeURIComponent('https://example.com:8443/stowage/api/1/a%20b/')}&`);
  });
});

describe('the signature', () => {
  const common = (timestamp: string, nonce: string): [string, string][] => [
    ['oauth_consumer_key', 'dpf43f3p2l4k3l03'],
    ['oauth_signature_method', 'HMAC-SHA1'],
    ['oauth_timestamp', timestamp],
    ['oauth_nonce', nonce],
  ];

  it('is that of the requests of RFC 5849 1.2', () => {
    const initiate: SignedRequest = {
      method: 'POST',
      path: '/initiate',
      params: [...common('137131200', 'wIjqoS'), ['oauth_callback', 'http://printer.example.com/ready']],
    };
    expect(signed('https://photos.example.net', initiate, 'kd94hf93k423kf44', '')).toBe('74KNZJeDHnMBp0EMJ9ZHt/XKycU=');
    const token: SignedRequest = {
      method: 'POST',
      path: '/token',
      params: [...common('137131201', 'walatlh'), ['oauth_token', 'hh5s93j4hdidpola'], ['oauth_verifier', 'hfdp7dh39dks9884']],
    };
    expect(signed('https://photos.example.net', token, 'kd94hf93k423kf44', 'hdhd0244k9j7ao03')).toBe('gKgrFCywp7rO0OXSjdot/IHF7IU=');
    const photos: SignedRequest = {
      method: 'GET',
      path: '/photos',
      params: [...common('137131202', 'chapoH'), ['oauth_token', 'nnch734d00sl2jdk'], ['file', 'vacation.jpg'], ['size', 'original']],
    };
    expect(signed('http://photos.example.net', photos, 'kd94hf93k423kf44', 'pfkkdhi9sl3r4s00')).toBe('MdpQcU8iPSUjWoN/UDMsK2sui9I=');
  });
});

describe('percentEncoded', () => {
  it('leaves letters, digits and -._~ alone, and nothing else', () => {
    expect(percentEncoded("aZ09-._~!*'() +&=%é☃")).toBe('aZ09-._~%21%2A%27%28%29%20%2B%26%3D%25%C3%A9%E2%98%83');
  });
});
