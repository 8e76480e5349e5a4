import { type AccountActor, DomainError } from '#libs/kernel';
import { ShareAnswers, ShareListService, ShareService, type Whose } from '#libs/shares';

import { CloudikeController, CurrentActor, ok, Params, Route } from '../http/index.js';
import { NodeWire } from '../presenters/node-wire.js';
import { presentCollaborator, presentShared } from './share.presenter.js';
import {
  AddShareDto,
  AdminShareFolderDto,
  AdminShareMemberDto,
  ListSharesDto,
  ShareFolderDto,
  ShareHashDto,
  ShareMemberDto,
  SizeLimitDto,
  UpdateShareDto,
} from './shares.dto.js';

const NOT_A_FOLDER = { NOT_A_FOLDER: [403, 'NotAFolder'] } as const;
const WRITE = { auth: 'account', head: false, errors: NOT_A_FOLDER } as const;
const UNSHARE = { ...WRITE, errors: { ...NOT_A_FOLDER, NOT_SHARED: [404, 'NotFound'] } } as const;
const WHOSE: readonly Whose[] = ['my', 'others', 'company'];

/** Shared folders: their owners' calls, and the answers of those they invite (contract 10). */
@CloudikeController('shares')
export class SharesController {
  constructor(
    private readonly shares: ShareService,
    private readonly answers: ShareAnswers,
    private readonly lists: ShareListService,
    private readonly wire: NodeWire,
  ) {}

  @Route('shares/add', { ...WRITE, summary: 'Share a folder with a member, a group, or whoever knows the hash' })
  async add(@CurrentActor() actor: AccountActor, @Params(AddShareDto) params: AddShareDto) {
    const { path, userid: ownerId, memberLogin: member, groupId, writer = false, invitation: message = '', publicView, lang } = params;
    const limitBytes = limitOf(params.useFolderLimit ?? false, params.folderLimit, 'folder_limit');
    return presentShared(
      await this.shares.add(actor, { path, ownerId, member, groupId, writer, message, publicView, lang: lang || undefined, limitBytes }),
    );
  }

  @Route('shares/remove', { ...WRITE, summary: "End a member's access" })
  async remove(@CurrentActor() actor: AccountActor, @Params(ShareMemberDto) params: ShareMemberDto) {
    await this.shares.remove(actor, subjectOf(params));
    return ok('The member was removed.');
  }

  @Route(['company/admin/shares/remove', 'accounts/company/admin/shares/remove'], { ...WRITE, summary: "End a member's access, for administrators" })
  async removeAsAdmin(@CurrentActor() actor: AccountActor, @Params(AdminShareMemberDto) params: AdminShareMemberDto) {
    await this.shares.remove(actor, subjectOf(params));
    return ok('The member was removed.');
  }

  @Route('shares/accept', { ...WRITE, summary: 'Accept an invitation: the folder comes into the root' })
  async accept(@CurrentActor() actor: AccountActor, @Params(ShareHashDto) { hash }: ShareHashDto) {
    await this.answers.accept(actor, hash);
    return ok('The folder was shared.');
  }

  @Route('shares/decline', { ...WRITE, summary: 'Decline an invitation' })
  async decline(@CurrentActor() actor: AccountActor, @Params(ShareHashDto) { hash }: ShareHashDto) {
    await this.answers.decline(actor, hash);
    return ok('The invitation was declined.');
  }

  @Route('shares/uninvite', { ...WRITE, summary: 'Take back an invitation that nobody has accepted' })
  async uninvite(@CurrentActor() actor: AccountActor, @Params(ShareMemberDto) params: ShareMemberDto) {
    await this.shares.uninvite(actor, subjectOf(params));
    return ok('The invitation was taken back.');
  }

  @Route('shares/unshare', { ...UNSHARE, summary: 'End a share for everybody' })
  async unshare(@CurrentActor() actor: AccountActor, @Params(ShareFolderDto) { path, userid: ownerId }: ShareFolderDto) {
    await this.shares.unshare(actor, { path, ownerId });
    return ok('The folder is not shared any more.');
  }

  @Route(['company/admin/shares/unshare', 'accounts/company/admin/shares/unshare'], { ...UNSHARE, summary: 'End a share, for administrators' })
  async unshareAsAdmin(@CurrentActor() actor: AccountActor, @Params(AdminShareFolderDto) { path, userid: ownerId }: AdminShareFolderDto) {
    await this.shares.unshare(actor, { path, ownerId });
    return ok('The folder is not shared any more.');
  }

  @Route('shares/collaborators', { auth: 'account', summary: 'Everybody who has a folder or was invited' })
  async collaborators(@CurrentActor() actor: AccountActor, @Params(ShareFolderDto) { path, userid: ownerId }: ShareFolderDto) {
    return (await this.lists.collaborators(actor, { path, ownerId })).map(presentCollaborator);
  }

  @Route(['company/admin/shares/collaborators', 'accounts/company/admin/shares/collaborators'], {
    auth: 'account',
    summary: 'Everybody who has a folder, for administrators',
  })
  async collaboratorsAsAdmin(@CurrentActor() actor: AccountActor, @Params(AdminShareFolderDto) { path, userid: ownerId }: AdminShareFolderDto) {
    return (await this.lists.collaborators(actor, { path, ownerId })).map(presentCollaborator);
  }

  @Route('shares/update_collaborator', { ...WRITE, summary: 'Change what a member may do' })
  async update(@CurrentActor() actor: AccountActor, @Params(UpdateShareDto) params: UpdateShareDto) {
    await this.shares.update(actor, { ...subjectOf(params), writer: params.writer });
    return ok('The rights were changed.');
  }

  @Route('shares', { auth: 'account', summary: 'Shared folders' })
  async list(@CurrentActor() actor: AccountActor, @Params(ListSharesDto) { whose }: ListSharesDto) {
    return this.wire.nodes(actor, await this.lists.list(actor, WHOSE.find((known) => known === whose) ?? 'all'));
  }

  @Route('shares/sizelimit', { ...WRITE, summary: 'Limit what a folder may hold' })
  async limit(@CurrentActor() actor: AccountActor, @Params(SizeLimitDto) { path, userid: ownerId, sizeLimit, enable }: SizeLimitDto) {
    const limitBytes = limitOf(enable ?? sizeLimit !== undefined, sizeLimit, 'size_limit') ?? null;
    await this.shares.limit(actor, { path, ownerId, limitBytes });
    return ok(limitBytes === null ? 'The folder has no limit.' : 'The folder has a limit.');
  }
}

function subjectOf({ path, userid: ownerId, memberLogin: member, groupId }: ShareMemberDto) {
  return { path, ownerId, member, groupId };
}

/** The limit in bytes when it is wanted; then it must be given. */
function limitOf(wanted: boolean, bytes: number | undefined, name: string): number | undefined {
  if (wanted && bytes === undefined) throw new DomainError('INVALID_ARGUMENT', `The parameter "${name}" is required.`);
  return wanted ? bytes : undefined;
}
