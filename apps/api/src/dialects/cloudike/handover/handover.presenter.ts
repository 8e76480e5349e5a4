import type { Migration } from '#libs/handover';

/** A migration request, as sections 12 of the contract has it. */
export function presentMigration({ status, dstPath, receiverId, hash, srcPath, ownerId }: Migration) {
  return { status, dst_path: dstPath, receiver_id: receiverId, hash, src_path: srcPath, owner_id: ownerId };
}
