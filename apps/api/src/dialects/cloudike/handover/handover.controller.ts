import { HandoverService, MigrationService, type MigrationStatus } from '#libs/handover';
import { type AccountActor, DomainError } from '#libs/kernel';

import { CloudikeController, CurrentActor, ok, Params, Route } from '../http/index.js';
import { AddMigrationDto, HandoverDto, ListMigrationsDto, MigrationHashDto } from './handover.dto.js';
import { presentMigration } from './handover.presenter.js';

const STATUSES: readonly MigrationStatus[] = ['requested', 'accepted', 'done', 'failed'];
const WHOSE = ['my', 'others'] as const;

/** Folders given to members, and copies of files that others take over (contract 12). */
@CloudikeController('handover')
export class HandoverController {
  constructor(
    private readonly handovers: HandoverService,
    private readonly migrations: MigrationService,
  ) {}

  @Route('fileops/handover', { auth: 'account', head: false, summary: 'Give a shared folder to one of its members, in the background' })
  async handOver(@CurrentActor() actor: AccountActor, @Params(HandoverDto) params: HandoverDto) {
    await this.handovers.start(actor, params);
    return ok('The folder is being handed over.');
  }

  @Route('migration_contents', { auth: 'account', summary: 'Requests to copy files from one person to another' })
  async list(@CurrentActor() actor: AccountActor, @Params(ListMigrationsDto) { path, whoose, status = [] }: ListMigrationsDto) {
    const whose = WHOSE.find((known) => known === whoose);
    if (whoose && !whose) throw new DomainError('INVALID_ARGUMENT', 'The parameter "whoose" is my or others.');
    const statuses = status.filter((text) => text !== '').map(statusOf);
    const found = await this.migrations.list(actor, { whose: whose ?? 'all', path, statuses });
    return found.map(presentMigration);
  }

  @Route('migration_contents/add', {
    auth: 'account',
    head: false,
    summary: 'Ask somebody to take a copy of files',
    errors: { NOT_A_FOLDER: [400, 'InvalidParameters'] },
  })
  async add(@CurrentActor() actor: AccountActor, @Params(AddMigrationDto) params: AddMigrationDto) {
    const { memberLogin: member, path = [], invitation = '', cleanup = false } = params;
    return presentMigration(await this.migrations.add(actor, { member, path, invitation, cleanup }));
  }

  @Route('migration_contents/accept', { auth: 'account', head: false, summary: 'Take the copy, in the background' })
  async accept(@CurrentActor() actor: AccountActor, @Params(MigrationHashDto) { hash }: MigrationHashDto) {
    // A hash that was accepted opens nothing more; the source shows it empty.
    return { ...presentMigration(await this.migrations.accept(actor, hash)), hash: '' };
  }

  @Route('migration_contents/reject', { auth: 'account', head: false, summary: 'Refuse a request' })
  async reject(@CurrentActor() actor: AccountActor, @Params(MigrationHashDto) { hash }: MigrationHashDto) {
    await this.migrations.reject(actor, hash);
    return ok('The request was rejected.');
  }

  @Route('migration_contents/remove', { auth: 'account', head: false, summary: 'Take a request back' })
  async remove(@CurrentActor() actor: AccountActor, @Params(MigrationHashDto) { hash }: MigrationHashDto) {
    await this.migrations.remove(actor, hash);
    return ok('The request was removed.');
  }
}

function statusOf(text: string): MigrationStatus {
  const found = STATUSES.find((known) => known === text);
  if (!found) throw new DomainError('INVALID_ARGUMENT', `There is no status "${text}".`);
  return found;
}
