import { describe, expect, it } from 'vitest';

import { SYSTEM_ACTOR } from './actor.js';
import { newId } from './ids.js';
import { viewerFrom, viewerText } from './viewer.js';

describe('viewers in URLs', () => {
  it('are read as they were written', () => {
    const [passId, rootId, spaceId] = [newId(), newId(), newId()];
    for (const tokenId of ['t0k3n', null]) {
      const viewer = { kind: 'account', accountId: 7, tokenId } as const;
      expect(viewerFrom(viewerText({ ...viewer, companyId: 3, role: 'admin' }))).toEqual(viewer);
    }
    for (const pass of ['link', 'share'] as const) {
      const guest = { kind: 'guest', pass, passId, rootId, spaceId, issuerId: 9 } as const;
      expect(viewerFrom(viewerText(guest))).toEqual(guest);
    }
  });

  it('are nobody when the text is none, and never the house', () => {
    for (const text of ['', 'x.1.2', 'l.1.2.3.4', 's..']) expect(viewerFrom(text)).toBeNull();
    expect(() => viewerText(SYSTEM_ACTOR)).toThrow('the house');
  });
});
