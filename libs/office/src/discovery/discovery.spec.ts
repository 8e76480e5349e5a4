import { describe, expect, it } from 'vitest';

import { actionFor, fillActionUrl } from './action-url.js';
import { parseDiscovery } from './discovery-xml.js';

const XML = `<?xml version="1.0" encoding="utf-8"?>
<!-- <action name="edit" ext="docx" urlsrc="https://comment.example/"/> -->
<wopi-discovery>
  <net-zone name="internal-http"><app name="Word"><action name="edit" ext="docx" urlsrc="http://internal.example/edit?"/></app></net-zone>
  <net-zone name="external-http">
    <app name="Word" favIconUrl="a>b">
      <action name="view" ext="docx" default="true" urlsrc="https://office.example/view?&lt;ui=UI_LLCC&amp;&gt;&lt;rs=DC_LLCC&amp;&gt;&lt;hid=HOST_SESSION_ID&amp;&gt;"/>
      <action name='edit' ext='DOCX' requires="locks,update" urlsrc='https://office.example/edit?thm=1&amp;&lt;wopisrc=WOPI_SOURCE&amp;&gt;'/>
      <action name="edit" ext="odt" urlsrc="https://office.example/odt"/>
    </app>
    <app name="application/vnd.ms-excel"><action name="edit" ext="" urlsrc="https://office.example/mime?"/></app>
  </net-zone>
  <proof-key value="x" modulus="bW9k" exponent="AQAB" oldvalue="y" oldmodulus="b2xk" oldexponent="AQAB"/>
</wopi-discovery>`;

const discovery = parseDiscovery(XML)!;
const ask = { wopiSrc: 'https://s.example/api/1/wopi/files/1', accessToken: 'T', expiresMs: 5, locale: 'de-DE' };
const action = (verb: 'view' | 'edit', name: string, mimeType: string | null = null) => actionFor(discovery, verb, { name, mimeType }, true);

describe('a discovery document', () => {
  it('has zones, actions and keys', () => {
    expect(discovery.zones.map(({ name, actions }) => [name, actions.length])).toEqual([
      ['internal-http', 1],
      ['external-http', 4],
    ]);
    expect(discovery.proofKeys).toEqual([
      { modulus: 'bW9k', exponent: 'AQAB' },
      { modulus: 'b2xk', exponent: 'AQAB' },
    ]);
  });

  it.each(['', '<html></html>', '<wopi-discoveryx/>', '<wopi-discovery', 'not xml'])('is not %j', (text) => expect(parseDiscovery(text)).toBeNull());

  it('may come without keys and with anything in it', () => {
    expect(
      parseDiscovery('<wopi-discovery><action name="edit" ext="x" urlsrc="u"/><proof-key modulus=""/><app/><net-zone></wopi-discovery>'),
    ).toEqual({
      zones: [{ name: '', actions: [] }],
      proofKeys: [],
    });
  });
});

describe('the action for a file', () => {
  it('goes by extension, then by MIME type, and prefers what people reach', () => {
    expect(action('edit', 'a.docx')!.urlTemplate).toContain('https://office.example/edit');
    expect(action('edit', 'A.DOCX')!.urlTemplate).toContain('https://office.example/edit');
    expect(action('edit', 'a.xls', 'application/vnd.ms-excel')!.urlTemplate).toContain('mime');
    expect(action('view', 'a.odt')!.urlTemplate).toContain('odt');
    expect(action('edit', 'a.pdf')).toBeNull();
    expect(action('edit', 'docx')).toBeNull();
  });

  it.each([
    [
      action('view', 'a.docx')!.urlTemplate,
      'https://office.example/view?ui=de-DE&rs=de-DE&WOPISrc=https%3A%2F%2Fs.example%2Fapi%2F1%2Fwopi%2Ffiles%2F1&access_token=T&access_token_ttl=5',
    ],
    [
      action('edit', 'a.docx')!.urlTemplate,
      'https://office.example/edit?thm=1&wopisrc=https%3A%2F%2Fs.example%2Fapi%2F1%2Fwopi%2Ffiles%2F1&access_token=T&access_token_ttl=5',
    ],
    ['https://o.example/x', 'https://o.example/x?WOPISrc=https%3A%2F%2Fs.example%2Fapi%2F1%2Fwopi%2Ffiles%2F1&access_token=T&access_token_ttl=5'],
    [
      'https://o.example/x?a=1',
      'https://o.example/x?a=1&WOPISrc=https%3A%2F%2Fs.example%2Fapi%2F1%2Fwopi%2Ffiles%2F1&access_token=T&access_token_ttl=5',
    ],
  ])('%s is filled', (template, url) => expect(fillActionUrl(template, ask)).toBe(url));
});
