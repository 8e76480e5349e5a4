import { type AccountActor, DomainError } from '#libs/kernel';
import { CompanyShareService } from '#libs/shares';

import { CloudikeController, CurrentActor, ok, Params, Route, UrlSegment } from '../http/index.js';
import {
  CompanyAcceptDto,
  CompanyAddDto,
  CompanyFolderDto,
  CompanyFoldersDto,
  CompanyHideDto,
  CompanyRequestDto,
  CompanySharedDto,
} from './company-shares.dto.js';
import { presentOffer, presentOutgoing, presentRequest } from './share.presenter.js';

const WRITE = { auth: 'account', head: false, errors: { NOT_A_FOLDER: [403, 'NotAFolder'] } } as const;

/** Folders that people of a company offer to each other (contract 10). */
@CloudikeController('shares')
export class CompanySharesController {
  constructor(private readonly offers: CompanyShareService) {}

  @Route('shares/company/add', { ...WRITE, summary: 'Offer a folder to the company' })
  async add(@CurrentActor() actor: AccountActor, @Params(CompanyAddDto) params: CompanyAddDto) {
    const { ownerId, publicName, folderHash } = await this.offers.publish(actor, params);
    return { owner_id: ownerId, public_name: publicName, folder_hash: folderHash };
  }

  @Route('shares/company/hide', { ...WRITE, summary: 'Take an offer back' })
  async hide(@CurrentActor() actor: AccountActor, @Params(CompanyHideDto) params: CompanyHideDto) {
    if (!params.folderHash && params.path === undefined)
      throw new DomainError('INVALID_ARGUMENT', 'One of the parameters "folder_hash" and "path" is required.');
    await this.offers.hide(actor, params);
    return ok('The folder is not offered any more.');
  }

  @Route('shares/company/get', { auth: 'account', summary: 'What the company is offered' })
  async list(
    @CurrentActor() actor: AccountActor,
    @Params(CompanyFoldersDto) { folderHash, offset = 0, limit = 0, showAll = false }: CompanyFoldersDto,
  ) {
    return (await this.offers.list(actor, { folderHash, offset, limit, showAll })).map(presentOffer);
  }

  @Route(['shares/company/get/<folder_hash>', 'shares/company/get/one/<folder_hash>', 'shares/company/get/one'], {
    auth: 'account',
    summary: 'One of the folders that the company is offered',
  })
  async one(
    @CurrentActor() actor: AccountActor,
    @UrlSegment('folder_hash') hash: string | undefined,
    @Params(CompanyFolderDto) params: CompanyFolderDto,
  ) {
    return presentOffer(await this.offers.one(actor, hash ?? params.folderHash ?? ''));
  }

  @Route('shares/company/shared', { auth: 'account', summary: 'What people of the company share and have links to' })
  async shared(@CurrentActor() actor: AccountActor, @Params(CompanySharedDto) { name = '', offset = 0, limit = 0, companyId }: CompanySharedDto) {
    return (await this.offers.outgoing(actor, { companyId, ownerName: name, offset, limit })).map(presentOutgoing);
  }

  @Route('shares/company/request', { ...WRITE, summary: 'Ask for a folder' })
  async request(@CurrentActor() actor: AccountActor, @Params(CompanyRequestDto) { folderHash, invitation = '' }: CompanyRequestDto) {
    await this.offers.request(actor, { folderHash, message: invitation });
    return ok('The owner was asked.');
  }

  @Route('shares/company/accept', { ...WRITE, summary: 'Give a folder to who asks for it' })
  async accept(@CurrentActor() actor: AccountActor, @Params(CompanyAcceptDto) { folderHash, writer = false, userId }: CompanyAcceptDto) {
    await this.offers.acceptRequest(actor, { hash: folderHash, writer, requesterId: userId });
    return ok('The folder was shared.');
  }

  @Route('shares/company/requests', { auth: 'account', summary: 'Who asks for folders of the caller' })
  async requests(@CurrentActor() actor: AccountActor) {
    return (await this.offers.requests(actor)).map(presentRequest);
  }
}
