import type { FolderListing } from '#libs/files';
import type { LocatedNode, NodeView } from '#libs/nodes';

import { html, type Html } from './html.js';
import { page } from './page.js';

/** Where a node of the link is shown. */
function addressOf(hash: string, path: readonly string[], query = ''): string {
  return `/public/${encodeURIComponent(hash)}/${path.map(encodeURIComponent).join('/')}${query}`;
}

const UNITS = ['bytes', 'KB', 'MB', 'GB', 'TB', 'PB'];

/** A size for people, in steps of 1024. */
export function sizeText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  for (; value >= 1024 && unit < UNITS.length - 1; unit++) value /= 1024;
  return unit === 0 ? `${bytes} bytes` : `${value.toFixed(1)} ${UNITS[unit]}`;
}

function dateText(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().slice(0, 16).replace('T', ' ');
}

/** What the visitor looks at: the link, and the way below it. */
export interface Place {
  readonly hash: string;
  readonly rootName: string;
  readonly path: readonly string[];
}

/** A folder with its entries. */
export function folderPage(place: Place, { folder, entries, nextCursor }: FolderListing): string {
  const { hash, path } = place;
  const rows = entries.map((entry) => row(place, entry));
  return page(
    nameOf(place),
    html`${wayUp(place)}
      <h1>${nameOf(place)}</h1>
      <p class="note">${folder.childFiles} files here, ${sizeText(folder.childBytes)}</p>
      <p><a class="button" href="${addressOf(hash, path, '?archive')}" rel="nofollow">Download all as ZIP</a></p>
      ${
        rows.length === 0
          ? html`<p class="note">This folder is empty.</p>`
          : html`<table>
              <thead>
                <tr>
                  <th>Name</th>
                  <th>Size</th>
                  <th>Changed</th>
                  <th></th>
                </tr>
              </thead>
              <tbody>
                ${rows}
              </tbody>
            </table>`
      }
      ${nextCursor === null ? null : html`<p><a href="${addressOf(hash, path, `?after=${encodeURIComponent(nextCursor)}`)}">More</a></p>`}`,
  );
}

function row({ hash, path }: Place, entry: NodeView): Html {
  const below = [...path, entry.name];
  const isFolder = entry.kind === 'folder';
  return html`<tr>
    <td><a href="${addressOf(hash, below)}">${entry.name}${isFolder ? '/' : ''}</a></td>
    <td class="size">${isFolder ? '' : sizeText(entry.sizeBytes)}</td>
    <td class="date">${dateText(entry.modifiedMs)}</td>
    <td class="act">${isFolder ? null : html`<a href="${addressOf(hash, below, '?download')}" rel="nofollow">Download</a>`}</td>
  </tr>`;
}

/** One file. */
export function filePage(place: Place, node: LocatedNode): string {
  return page(
    node.name,
    html`${wayUp(place)}
      <h1>${node.name}</h1>
      <p class="note">${sizeText(node.sizeBytes)}, changed ${dateText(node.modifiedMs)} UTC</p>
      <p><a class="button" href="${addressOf(place.hash, place.path, '?download')}" rel="nofollow">Download</a></p>`,
  );
}

/** What became of one file of a drop-box form. */
export interface Dropped {
  /** As the visitor's computer calls it. */
  readonly asked: string;
  /** The name it got, or why it was not taken. */
  readonly name?: string;
  readonly error?: string;
}

/** The form of a link that takes files. */
export function dropBoxPage({ hash, rootName }: Pick<Place, 'hash' | 'rootName'>, outcomes: readonly Dropped[] = []): string {
  return page(
    rootName,
    html`<h1>${rootName}</h1>
      <p class="note">Files can be left here. Nobody but the owner sees them.</p>
      ${outcomes.map(({ asked, name, error }) =>
        error === undefined
          ? html`<p>${asked} was received${name === undefined || name === asked ? '' : ` as ${name}`}.</p>`
          : html`<p class="error">${asked} was not received: ${error}</p>`,
      )}
      <form method="post" action="${addressOf(hash, [])}" enctype="multipart/form-data">
        <label>Files <input type="file" name="file" multiple required /></label>
        <button type="submit">Send</button>
      </form>`,
  );
}

/** Asks for the password of the link. */
export function passwordPage({ hash, path }: Pick<Place, 'hash' | 'path'>, error: string | null): string {
  return page(
    'Password',
    html`<h1>This link needs a password</h1>
      ${error === null ? null : html`<p class="error">${error}</p>`}
      <form method="post" action="${addressOf(hash, path)}">
        <label>Password <input type="password" name="password" maxlength="256" autocomplete="off" required autofocus /></label>
        <button type="submit">Open</button>
      </form>`,
  );
}

/** Says what is wrong. */
export function errorPage(title: string, text: string): string {
  return page(
    title,
    html`<h1>${title}</h1>
      <p>${text}</p>`,
  );
}

function nameOf({ rootName, path }: Place): string {
  return path.at(-1) ?? rootName;
}

/** The folders above, down from the root of the link. */
function wayUp({ hash, rootName, path }: Place): Html | null {
  if (path.length === 0) return null;
  const steps = [rootName, ...path.slice(0, -1)];
  return html`<nav>${steps.map((name, index) => html`<a href="${addressOf(hash, path.slice(0, index))}">${name}</a> / `)}</nav>`;
}
