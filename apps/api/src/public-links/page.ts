import { createHash } from 'node:crypto';

import { html, Html } from './html.js';

const STYLE = `body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f4f5f7;color:#1d2733}
main{max-width:52rem;margin:2rem auto;padding:1.5rem 2rem;background:#fff;border-radius:8px;box-shadow:0 1px 4px #0002}
h1{font-size:1.4rem;margin:0 0 .5rem;overflow-wrap:anywhere}
p.note{color:#5b6773;margin:.25rem 0 1rem}p.error{color:#a11;font-weight:600}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.4rem .5rem;border-top:1px solid #e3e6ea;overflow-wrap:anywhere}
td.size,td.date{white-space:nowrap;color:#5b6773}td.act{text-align:right;white-space:nowrap}
a{color:#0b5cad}.button,button{display:inline-block;background:#0b5cad;color:#fff;border:0;border-radius:5px;padding:.45rem .9rem;font:inherit;text-decoration:none;cursor:pointer}
input{font:inherit;padding:.35rem .5rem;margin:.25rem .5rem .75rem 0;max-width:100%}nav{margin-bottom:.75rem;overflow-wrap:anywhere}`;

/** Nothing may be loaded or run but this one style; forms go to this origin, and nobody may frame the page. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Headers of every page. */
export const PAGE_HEADERS: Readonly<Record<string, string>> = {
  'Content-Type': 'text/html; charset=utf-8',
  'Content-Security-Policy': POLICY,
  'X-Robots-Tag': 'noindex, nofollow',
};

/** The same for a page whose form leads on, by a redirect, to another origin: browsers hold that against the rule for forms too. */
export function pageHeadersTo(url: string): Readonly<Record<string, string>> {
  return { ...PAGE_HEADERS, 'Content-Security-Policy': POLICY.replace("form-action 'self'", `form-action 'self' ${new URL(url).origin}`) };
}

/** A whole page as text. */
export function page(title: string, body: Html): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        ${new Html(`<style>${STYLE}</style>`)}
      </head>
      <body>
        <main>${body}</main>
      </body>
    </html>`.text;
}
