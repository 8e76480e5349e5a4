import { createHash } from 'node:crypto';

import type { DocumentView } from '#libs/previews';

const STYLE =
  'body{margin:0;background:#525659;font:15px sans-serif;color:#fff;text-align:center}h1{font-size:15px;font-weight:normal;margin:0;padding:12px;' +
  'background:#323639;overflow-wrap:anywhere}img{display:block;margin:12px auto;max-width:96%;background:#fff;min-height:40px}p{padding:40px 12px}@media print{.screen{display:none}}';
const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');
const REFRESH_SECONDS = 2;

/** What the page may do: show pictures of ours and nothing else; no script runs in it. Other sites may frame it, as it takes no input. */
export function viewerPolicy(origin: string): string {
  return `default-src 'none'; img-src ${origin}; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors *`;
}

/** The page that shows a document, as HTML; printed it is empty for who may not print. `query` is that of its own URL, which also opens its pictures. */
export function viewerPage({ node, state, pictures, mayPrint }: DocumentView, query: string): string {
  const name = escaped(node.name);
  const waiting = state === 'processing';
  const shown = pictures.map(
    (kind, index) => `<img src="${kind}${escaped(query)}" alt="Page ${index + 1} of ${pictures.length}"${index > 2 ? ' loading="lazy"' : ''}>`,
  );
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">',
    waiting ? `<meta http-equiv="refresh" content="${REFRESH_SECONDS}">` : '',
    `<title>${name}</title><style>${STYLE}</style></head><body${mayPrint ? '' : ' class="screen"'}><h1>${name}</h1>`,
    waiting ? '<p>The document is being prepared.</p>' : shown.join('\n'),
    '</body></html>\n',
  ].join('');
}

/** The page that says why nothing is shown. */
export function refusalPage(text: string): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>No view</title><style>${STYLE}</style></head><body><p>${escaped(text)}</p></body></html>\n`;
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;').replace(/'/g, '&#39;');
}
