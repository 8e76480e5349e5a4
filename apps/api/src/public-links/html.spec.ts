import { describe, expect, it } from 'vitest';

import { html } from './html.js';
import { dropBoxPage, errorPage, folderPage, passwordPage } from './views.js';

const HOSTILE = `"><script>alert('x')</script><img src=x onerror=alert(1)> & \u202egnp.exe`;
const HASH = 'A'.repeat(22);

describe('html', () => {
  it('escapes everything that is put in, in texts, attributes and lists, and leaves its own pieces as they are', () => {
    expect(html`<b title="${HOSTILE}">${[1, HOSTILE, html`<i>${'<'}</i>`]}</b>${null}`.text).toBe(
      '<b title="&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt; &amp; gnp.exe">' +
        '1&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;&lt;img src=x onerror=alert(1)&gt; &amp; gnp.exe<i>&lt;</i></b>',
    );
  });
});

describe('pages', () => {
  const entry = { kind: 'file', name: HOSTILE, sizeBytes: 1, modifiedMs: 8.64e15 + 1, childFiles: 1, childBytes: 1 } as never;
  const listing = { folder: entry, entries: [entry], nextCursor: HOSTILE, etag: '', notModified: false, isLastPage: false };
  it.each([
    ['folder', folderPage({ hash: HASH, rootName: HOSTILE, path: [HOSTILE] }, listing)],
    ['drop box', dropBoxPage({ hash: HASH, rootName: HOSTILE }, [{ asked: HOSTILE, error: HOSTILE }])],
    ['password', passwordPage({ hash: HOSTILE, path: [HOSTILE] }, HOSTILE)],
    ['error', errorPage(HOSTILE, HOSTILE)],
  ])('the %s page has no markup of a name', (_title, text) => {
    expect(text).not.toMatch(/<script|<img|\u202e/);
    for (const [, address] of text.matchAll(/(?:href|action)="([^"]*)"/g)) expect(address).toMatch(/^\/public\/[\w%&#;.~!*()'?=/-]*$/);
  });
});
