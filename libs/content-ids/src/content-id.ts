import { decode } from '@ipld/dag-pb';
import { importByteStream } from 'ipfs-unixfs-importer';
import { fixedSize } from 'ipfs-unixfs-importer/chunker';
import { balanced, type FileLayout } from 'ipfs-unixfs-importer/layout';

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

type Node = Awaited<ReturnType<FileLayout>>;

const CHUNK_BYTES = 256 * 1024;
const CHILDREN = 174;

/**
 * The id of the bytes that `source` brings, the one that `ipfs add` answers by default: UnixFS, chunks of 256 KiB in dag-pb leaves, a balanced tree of
 * 174 children a node. Of the tree only the last block is kept, and of each node its CID and size until it has a parent.
 */
export async function contentIdOf(source: AsyncIterable<Uint8Array>): Promise<ContentId> {
  let last: Uint8Array | undefined;
  let sizes: readonly bigint[] = [];
  const blocks = {
    put<T>(cid: T, block: Uint8Array): T {
      last = block;
      return cid;
    },
  };
  const layout: FileLayout = (leaves, join) =>
    balanced({ maxChildrenPerNode: CHILDREN })(light(leaves), async (children) => {
      const node = await join(children);
      sizes = node.unixfs?.blockSizes ?? [];
      return lightened(node);
    });
  const { cid } = await importByteStream(source, blocks, {
    cidVersion: 0,
    rawLeaves: false,
    leafType: 'file',
    reduceSingleLeafToSelf: true,
    chunker: fixedSize({ chunkSize: CHUNK_BYTES }),
    layout,
  });
  // The root is the last block of all. A content of one block has no links.
  const links = last === undefined ? [] : decode(last).Links;
  return { cid: cid.toString(), links: links.map(({ Hash }, index) => ({ cid: Hash.toString(), sizeBytes: Number(sizes[index]) })) };
}

async function* light(leaves: AsyncIterable<Node> | Iterable<Node>): AsyncGenerator<Node> {
  for await (const leaf of leaves) yield lightened(leaf);
}

/** The node without its bytes, of which a parent only asks how many they are: the children of one parent would hold 45 MB. */
function lightened(node: Node & { block?: Uint8Array }): Node {
  const { unixfs } = node;
  if (unixfs) {
    unixfs.blockSizes = [unixfs.fileSize()];
    delete unixfs.data;
  }
  delete node.block;
  return node;
}
