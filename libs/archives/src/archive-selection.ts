import type { Clock } from '#libs/kernel';
import { type LocatedNode, pathSegments, type PlacedNode } from '#libs/nodes';

import { safeArchivePath } from './zip/safe-names.js';

/** A chosen node as it is kept: its id, and the names of the folders above it in the archive. */
export interface ArchiveRoot {
  readonly id: string;
  readonly folders: readonly string[];
  /** Its name where it was chosen, when that is not its own: of a shared folder of somebody else. */
  readonly name?: string;
  /** True for the folder in which the paths of whoever chooses begin: its content stands at the top of the archive, without a folder around it. */
  readonly bare?: true;
}

const MAX_BASE_BYTES = 180;

/** The roots of an archive of these nodes: every node once, and none that another one holds anyway. Below `parent`, names keep the way from there. */
export function rootsOf(chosen: readonly PlacedNode[], parent: PlacedNode | null): ArchiveRoot[] {
  const ids = new Set(chosen.map(({ node }) => node.id));
  const once = new Map(chosen.map((placed) => [placed.node.id, placed]));
  return [...once.values()]
    .filter(({ chain }) => !chain.slice(0, -1).some((id) => ids.has(id)))
    .map(({ node, chain }) => {
      if (node.path === '/' && node.kind === 'folder') return { id: node.id, folders: [], bare: true };
      const level = parent ? chain.indexOf(parent.node.id) : -1;
      const between = level < 0 || level === chain.length - 1 ? [] : pathSegments(node.path).slice(level, -1);
      return { id: node.id, folders: between, ...(node.mount ? { name: node.name } : {}) };
    });
}

/** `<folder>_<date and time with zone>.zip`: the chosen folder, or the one that holds what was chosen. Safe on every system. */
export function archiveFileName(chosen: readonly LocatedNode[], parent: LocatedNode | null, clock: Clock): string {
  const [first] = chosen;
  const time = clock.now().toISOString().slice(0, 19).replaceAll(':', '-');
  const above = parent ? parent.name : first && pathSegments(first.path).at(-2);
  const name = (chosen.length === 1 && first?.kind === 'folder' ? first.name : above) || 'files';
  return safeArchivePath([`${cut(name)}_${time}+0000.zip`], { windows: true });
}

/** What an archive is about, in a few words: `/docs`, or `/docs and 2 more`. */
export function archiveLabel(chosen: readonly LocatedNode[]): string {
  const path = chosen[0]?.path ?? '';
  return chosen.length > 1 ? `${path} and ${chosen.length - 1} more` : path;
}

function cut(name: string): string {
  let kept = '';
  for (const character of name) {
    if (Buffer.byteLength(kept + character) > MAX_BASE_BYTES) break;
    kept += character;
  }
  return kept;
}
