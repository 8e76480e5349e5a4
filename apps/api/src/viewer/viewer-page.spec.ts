import { describe, expect, it } from 'vitest';

import type { LocatedNode } from '#libs/nodes';

import { refusalPage, viewerPage, viewerPolicy } from './viewer-page.js';

const HOSTILE = `"><script>alert('x')</script>&`;
const node = { name: HOSTILE } as LocatedNode;

describe('the page that shows documents', () => {
  it('holds no text of a user as markup', () => {
    for (const page of [
      viewerPage({ node, versionNo: 1, state: 'ready', pictures: ['page-1'], mayPrint: true }, `?a=1&b="${HOSTILE}`),
      refusalPage(HOSTILE),
    ]) {
      expect(page).not.toContain('<script');
      expect(page.match(/</g)?.length).toBe(page.match(/>/g)?.length);
    }
  });

  it('shows every picture with its own address, and looks again while there is none', () => {
    const ready = viewerPage({ node, versionNo: 1, state: 'ready', pictures: ['page-1', 'page-2'], mayPrint: true }, '?by=a&sig=b');
    expect(ready).toContain('<img src="page-2?by=a&amp;sig=b"');
    expect(ready).not.toContain('http-equiv');
    expect(viewerPage({ node, versionNo: 1, state: 'processing', pictures: [], mayPrint: true }, '?')).toContain('http-equiv="refresh"');
  });

  it('prints nothing for who may not print', () => {
    const page = (mayPrint: boolean) => viewerPage({ node, versionNo: 1, state: 'ready', pictures: ['page-1'], mayPrint }, '?');
    expect(page(false)).toContain('<body class="screen">');
    expect(page(true)).not.toContain('class="screen"');
    expect(page(true)).toContain('@media print{.screen{display:none}}');
  });

  it('may show pictures of its own origin and its own style, and nothing else', () => {
    expect(viewerPolicy('https://files.example')).toMatch(
      /^default-src 'none'; img-src https:\/\/files\.example; style-src 'sha256-[^']+'; base-uri 'none'/,
    );
    expect(viewerPolicy('https://files.example')).not.toContain('unsafe');
  });
});
