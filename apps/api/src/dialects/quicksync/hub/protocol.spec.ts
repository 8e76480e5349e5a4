import { describe, expect, it } from 'vitest';

import { closing, handshakeAnswer, invocation, readRecords } from './protocol.js';

describe('records of hubs', () => {
  it('are read as clients send them', () => {
    expect(readRecords('{"protocol":"json","version":1}\x1e')).toEqual([{ kind: 'handshake', protocol: 'json', version: 1 }]);
    expect(readRecords('{"type":6}\x1e{"type":1,"target":"x","arguments":[],"invocationId":"7"}\x1e{"type":7}\x1e{"type":99}\x1e')).toEqual([
      { kind: 'ping' },
      { kind: 'invocation', invocationId: '7' },
      { kind: 'close' },
      { kind: 'other' },
    ]);
    expect(readRecords('{"type":1,"target":"x","arguments":[]}\x1e')).toEqual([{ kind: 'invocation', invocationId: null }]);
  });

  it('are nothing without their end, or when they are no objects', () => {
    for (const wrong of ['', '{}', '{"type":6}', '\x1e', '{"type":6\x1e', '[]\x1e', 'null\x1e', '6\x1e', '{"type":6}\x1e{'])
      expect(readRecords(wrong)).toBeNull();
  });

  it('are written as clients read them', () => {
    expect(handshakeAnswer()).toBe('{}\x1e');
    expect(handshakeAnswer('no')).toBe('{"error":"no"}\x1e');
    expect(invocation('FileAdded', { a: 1 })).toBe('{"type":1,"target":"FileAdded","arguments":[{"a":1}]}\x1e');
    expect(closing(false)).toBe('{"type":7,"allowReconnect":false}\x1e');
  });
});
