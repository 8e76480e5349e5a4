import { Injectable } from '@nestjs/common';

import type { NodeView } from '#libs/nodes';

import { DeclaredTypeRepository } from './repositories/declared-type.repository.js';

const MEDIA_TYPE = /^[A-Za-z0-9!#$&^_.+-]{1,63}\/[A-Za-z0-9!#$&^_.+-]{1,63}$/;
const UNKNOWN_TYPE = 'application/octet-stream';

type TypedNode = Pick<NodeView, 'id' | 'versionNo' | 'mimeType'>;

/**
 * Types of content as whoever brought them declared them, for APIs that give that back. Everything else (previews, figures, other APIs) goes by the name of a
 * file, which a program that sends all it has as bytes cannot get wrong.
 */
@Injectable()
export class DeclaredTypes {
  constructor(private readonly types: DeclaredTypeRepository) {}

  /** Keeps what was declared of a file's current version, and returns what it is shown as: what is no media type, or no news, is not kept. */
  async keep(node: TypedNode, declared: string): Promise<string> {
    const known = node.mimeType ?? UNKNOWN_TYPE;
    const type = declared.toLowerCase();
    if (type === known || !MEDIA_TYPE.test(type)) return known;
    await this.types.put(node.id, node.versionNo, type);
    return type;
  }

  /** The type of each file, by id: declared of this very version, or by its name. One statement. */
  async of(nodes: readonly TypedNode[]): Promise<Map<string, string>> {
    const declared = await this.types.ofCurrent(nodes.map((node) => node.id));
    return new Map(nodes.map(({ id, mimeType }) => [id, declared.get(id) ?? mimeType ?? UNKNOWN_TYPE]));
  }
}
