import { UnitOfWork } from '#libs/database';
import { DomainError } from '#libs/kernel';
import { HandlesTask, type TaskContext, type TaskHandler } from '#libs/tasks';

import { CompanyRepository } from './repositories/company.repository.js';

export interface RemoveCompanyInput {
  readonly companyId: number;
}

const GROUPS_A_BATCH = 50;

/** Removes a company that nobody belongs to: its groups, its logo, its quota, and at last its row. What is gone already is its own checkpoint. */
@HandlesTask('companies.remove')
export class RemoveCompanyTask implements TaskHandler<RemoveCompanyInput> {
  constructor(
    private readonly companies: CompanyRepository,
    private readonly unitOfWork: UnitOfWork,
  ) {}

  /** FORBIDDEN when somebody belongs to the company after all. */
  async run({ companyId }: RemoveCompanyInput, context: TaskContext): Promise<object> {
    const more = () =>
      this.unitOfWork.run(async () => {
        await this.held(companyId);
        return this.companies.removeGroups(companyId, GROUPS_A_BATCH);
      });
    while ((await more()) > 0) {
      context.signal.throwIfAborted();
      await context.saveProgress(50);
    }
    await this.unitOfWork.run(async () => {
      if (await this.held(companyId)) await this.companies.remove(companyId);
      await context.saveProgress(100);
    });
    return {};
  }

  /** Holds the company; false when it is gone already. */
  private async held(companyId: number): Promise<boolean> {
    const company = await this.companies.lock(companyId);
    if (company === null) return false;
    const { accounts, erasing } = await this.companies.countAccounts(companyId);
    if (company.status !== 'removing' || accounts + erasing > 0) throw new DomainError('FORBIDDEN', 'Somebody belongs to the company again.');
    return true;
  }
}
