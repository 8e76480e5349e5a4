import { describe, expect, it } from 'vitest';

import { redact, scrubText } from './redaction.js';

describe('what reaches the log', () => {
  it.each([
    ['postgres://user:hunter2@db/x failed', 'postgres://[redacted]@db/x failed'],
    ['GET /blobs/ab?size=3&sig=s3cr3t&e=1', 'GET /blobs/ab?size=3&sig=[redacted]&e=1'],
    ['https://s3/b?X-Amz-Credential=AK%2F1&X-Amz-Signature=abc', 'https://s3/b?X-Amz-Credential=[redacted]&X-Amz-Signature=[redacted]'],
    ['/api/1/x?token=abc', '/api/1/x?token=[redacted]'],
    ['nothing to hide: a=b', 'nothing to hide: a=b'],
  ])('scrubs %s', (text, expected) => {
    expect(scrubText(text)).toBe(expected);
  });

  it('hides fields with secret names at any depth and keeps the others', () => {
    const fields = {
      headers: { Authorization: 'Basic x', 'house-auth': 'y', host: 'h' },
      list: [{ newPassword: 'p', secretAccessKey: 'k', name: 'n' }],
      taskId: 't',
    };
    expect(redact(fields)).toEqual({
      headers: { Authorization: '[redacted]', 'house-auth': '[redacted]', host: 'h' },
      list: [{ newPassword: '[redacted]', secretAccessKey: '[redacted]', name: 'n' }],
      taskId: 't',
    });
  });

  it('makes errors plain, with their cause, and without secrets', () => {
    const error = new Error('outer', { cause: new Error('redis://:pw@host refused') });
    expect(redact({ error })).toMatchObject({ error: { type: 'Error', message: 'outer', cause: { message: 'redis://[redacted]@host refused' } } });
  });

  it('ends on structures that contain themselves', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect(JSON.stringify(redact(loop))).toContain('[deep]');
  });
});
