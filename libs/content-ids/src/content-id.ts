import { decode } from '@ipld/dag-pb';
import { importByteStream } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { balanced } from 'ipfs-unixfs-importer/layout';

/** A block right below the root of a content: its CID, and how many bytes of the content it and what hangs below it bring. */
export interface ContentLink {
  readonly cid: string;
  readonly sizeBytes: number;
}

/** The name of a content by its bytes. */
export interface ContentId {
  /** CIDv0: `Qm` and 44 characters of base58. */
  readonly cid: string;
  /** In the order of the bytes; empty for a content of one block, which is one of at most 256 KiB. */
  readonly links: readonly ContentLink[];
}

const CHUNK_BYTES = 256 * 1024;
const CHILDREN = 174;

/**
 * The id of the bytes that `source` brings, the one that `ipfs add` answers by default: UnixFS, chunks of 256 KiB in dag-pb leaves, a balanced tree of
 * 174 children a node. Nothing of the tree is kept but its last block, so memory does not grow with the content, except by one link for each 45 MB.
 */
export async function contentIdOf(source: AsyncIterable<Uint8Array>): Promise<ContentId> {
  let root: Uint8Array | undefined;
  const blocks = {
    put<T>(cid: T, block: Uint8Array): T {
      root = block;
      return cid;
    },
  };
  const { cid, unixfs } = await importByteStream(source, blocks as Parameters<typeof importByteStream>[1], {
    cidVersion: 0,
    rawLeaves: false,
    leafType: 'file',
    reduceSingleLeafToSelf: true,
    chunker: fixedSize({ chunkSize: CHUNK_BYTES }),
    layout: balanced({ maxChildrenPerNode: CHILDREN }),
  });
  const sizes = unixfs?.blockSizes ?? [];
  // The root is the last block of all; a content of one block has no links, and no sizes of them.
  const links = root === undefined || sizes.length === 0 ? [] : decode(root).Links;
  return { cid: cid.toString(), links: links.map(({ Hash }, index) => ({ cid: Hash.toString(), sizeBytes: Number(sizes[index]) })) };
}
