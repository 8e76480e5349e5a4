import type { AccountActor } from '#libs/kernel';
import { type ComplaintOrder, ComplaintService, type ComplaintStatus } from '#libs/links';

import { type Caller, CloudikeController, CurrentActor, CurrentCaller, Params, Route } from '../http/index.js';
import { presentComplaint } from './complaint.presenter.js';
import { EditComplaintDto, GetComplaintsDto, MakeComplaintDto } from './copyright.dto.js';

// A map: a client may name any text, also `constructor`.
const ORDERS: ReadonlyMap<string, ComplaintOrder> = new Map([
  ['complaint_id', 'complaintId'],
  ['created', 'created'],
  ['status', 'status'],
  ['content_type', 'contentType'],
  ['copyright_holder', 'copyrightHolder'],
  ['name', 'name'],
  ['email', 'email'],
]);

/** Complaints about unlicensed content (contract 5). */
@CloudikeController('copyright')
export class CopyrightController {
  constructor(private readonly complaints: ComplaintService) {}

  @Route('copyright/make_complaint', { auth: 'public', head: false, summary: 'Complain about what a public link gives out' })
  async make(@Params(MakeComplaintDto) { url, ...form }: MakeComplaintDto, @CurrentCaller() { ip }: Caller) {
    const { position = '', phone = '', fax = '', address = '', city = '', region = '', country = '', postcode = null } = form;
    return presentComplaint(await this.complaints.make({ ...form, position, phone, fax, address, city, region, country, postcode, urls: url }, ip));
  }

  @Route('copyright/get_complaints', { auth: 'account', summary: 'Complaints, for system administrators' })
  async list(@CurrentActor() actor: AccountActor, @Params(GetComplaintsDto) params: GetComplaintsDto) {
    const { complaintId: id, limit = 0, offset = 0, orderField, orderDirection, ...filter } = params;
    const page = await this.complaints.list(actor, {
      filter: { ...filter, id },
      orderBy: ORDERS.get(orderField ?? '') ?? 'complaintId',
      descending: /^(desc|-1)/i.test(orderDirection ?? ''),
      offset,
      limit,
    });
    return { ...page, complaints: page.complaints.map(presentComplaint) };
  }

  @Route('copyright/edit_complaint', { auth: 'account', head: false, summary: 'Judge a complaint: accepted blocks its links at once' })
  async edit(@CurrentActor() actor: AccountActor, @Params(EditComplaintDto) { complaintId, status }: EditComplaintDto) {
    return presentComplaint(await this.complaints.judge(actor, complaintId, status satisfies ComplaintStatus));
  }
}
