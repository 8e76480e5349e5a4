import { UploadTickets } from '#libs/files';
import type { AccountActor } from '#libs/kernel';
import { PlaceActions, PlaceReader } from '#libs/places';

import type { DialectCall, Schema } from '../../../http/dialect/dialect.js';
import { CurrentActor, CurrentCall, JsonBody, Segment } from '../../../http/dialect/request-decorators.js';
import { Route } from '../../../http/dialect/route.js';
import { FileagoController } from '../http/controller.js';
import { keyText } from '../http/key-form.js';
import { success } from '../http/success.js';
import { nodeActionOf } from './node-action.js';
import { presentEntry, presentFacts, presentRights, presentStep } from './node.presenter.js';
import { spotOf } from './spot.js';

const BODY_BYTES = 256 * 1024;
/** "This token is valid for next 5 seconds only" (source document). */
const TICKET_LIFE_MS = 5_000;

const TEXT = { type: 'string' };
const NUMBER = { type: 'integer' };
const answerOf = (data: Schema): Schema => ({ type: 'object', properties: { status: TEXT, msg: TEXT, data } });
const FACTS = {
  type: 'object',
  properties: { name: TEXT, type: TEXT, uuid: TEXT, owner_type: TEXT, owner_uuid: TEXT, owner_fullname: TEXT, created: NUMBER, updated: NUMBER },
};
const ENTRY = {
  type: 'object',
  properties: {
    ...{
      is_starred: { type: 'boolean' },
      public_shares: NUMBER,
      name: TEXT,
      size: NUMBER,
      comment_count: NUMBER,
      uuid: TEXT,
      private_shares: NUMBER,
    },
    ...{ revision: NUMBER, updated: NUMBER, type: TEXT },
  },
};
const ACTION = {
  type: 'object',
  minProperties: 1,
  maxProperties: 1,
  properties: {
    ...{ new_dir: TEXT, new_name: TEXT, starred: { type: 'boolean' }, copy_to: TEXT, move_to: TEXT },
    share_copy_with: { type: 'array', items: TEXT },
  },
};

@FileagoController('nodes')
export class NodesController {
  constructor(
    private readonly reader: PlaceReader,
    private readonly actions: PlaceActions,
    private readonly tickets: UploadTickets,
  ) {}

  @Route('GET', 'api/nodes/<node>', {
    auth: 'token',
    summary: 'Details of a file, folder or place',
    answer: answerOf(FACTS),
    refusals: ['NODE_NOT_FOUND'],
  })
  async describe(@CurrentActor() actor: AccountActor, @Segment('node') node: string) {
    return success('Node info fetched successfully', presentFacts(await this.reader.describe(actor, spotOf(node))));
  }

  @Route('POST', 'api/nodes/<node>', {
    auth: 'token',
    status: 204,
    summary: 'Make a folder, rename, mark as favourite, copy, move, or send a copy to others: one of them a call',
    body: { types: ['application/json'], schema: ACTION },
    refusals: [
      ...(['INVALID_ARGUMENT', 'NODE_NOT_FOUND', 'FORBIDDEN', 'NAME_TAKEN', 'NAME_ILLEGAL', 'NOT_A_FOLDER', 'SAME_FOLDER'] as const),
      ...(['MOVE_INTO_DESCENDANT', 'ROOT_IMMUTABLE', 'INSIDE_TRASHED_FOLDER', 'ACCOUNT_NOT_FOUND', 'QUOTA_EXCEEDED'] as const),
    ],
  })
  async act(
    @CurrentActor() actor: AccountActor,
    @Segment('node') node: string,
    @JsonBody(BODY_BYTES) body: Readonly<Record<string, unknown>>,
    @CurrentCall() call: DialectCall,
  ): Promise<void> {
    const spot = spotOf(node);
    const action = nodeActionOf(body);
    Object.assign(call.about, body);
    switch (action.kind) {
      case 'new_dir':
        return this.actions.createFolder(actor, spot, action.name);
      case 'new_name':
        return this.actions.rename(actor, spot, action.name);
      case 'starred':
        return this.actions.setFavorite(actor, spot, action.value);
      case 'copy_to':
        return this.actions.copy(actor, spot, action.target);
      case 'move_to':
        return this.actions.move(actor, spot, action.target);
      case 'share_copy_with':
        return this.actions.deliver(actor, spot, action.receivers);
    }
  }

  @Route('DELETE', 'api/nodes/<node>', {
    auth: 'token',
    status: 204,
    summary: 'Put a file or folder into the trash; what is there already is erased',
    refusals: ['NODE_NOT_FOUND', 'FORBIDDEN', 'ROOT_IMMUTABLE', 'INSIDE_TRASHED_FOLDER'],
  })
  async remove(@CurrentActor() actor: AccountActor, @Segment('node') node: string): Promise<void> {
    await this.actions.remove(actor, spotOf(node));
  }

  @Route('GET', 'api/nodes/<node>/upload', {
    auth: 'token',
    head: false,
    audit: 'change',
    summary: 'A token for one upload within 5 seconds: new files in a folder, or a new revision of a file',
    answer: { type: 'object', properties: { token: TEXT, status: TEXT, msg: TEXT } },
    refusals: ['NODE_NOT_FOUND', 'FORBIDDEN', 'NOT_A_FOLDER'],
  })
  async ticket(@CurrentActor() actor: AccountActor, @Segment('node') node: string) {
    const ref = await this.actions.target(actor, spotOf(node));
    const ticket = await this.tickets.issue(actor, { node: ref, lifeMs: TICKET_LIFE_MS });
    return { token: keyText(ticket), status: 'success', msg: 'This token is valid for next 5 seconds only' };
  }

  @Route('GET', 'api/nodes/<node>/path', {
    auth: 'token',
    summary: 'The way from the place in which it stands down to the node itself',
    answer: answerOf({ type: 'array', items: { type: 'object', properties: { name: TEXT, uuid: TEXT } } }),
    refusals: ['NODE_NOT_FOUND'],
  })
  async path(@CurrentActor() actor: AccountActor, @Segment('node') node: string) {
    return success('Node path fetched successfully', (await this.reader.way(actor, spotOf(node))).map(presentStep));
  }

  @Route('GET', 'api/nodes/<node>/dirlist', {
    auth: 'token',
    summary: 'What a folder or place holds',
    answer: answerOf({ type: 'array', items: ENTRY }),
    refusals: ['NODE_NOT_FOUND', 'NOT_A_FOLDER'],
  })
  async list(@CurrentActor() actor: AccountActor, @Segment('node') node: string) {
    return success('Directory contents fetched successfully', (await this.reader.list(actor, spotOf(node))).map(presentEntry));
  }

  @Route('GET', 'api/nodes/<node>/myaccess', {
    auth: 'token',
    summary: 'What the caller may do: read, write, delete, download',
    answer: answerOf({ type: 'array', items: TEXT }),
    refusals: ['NODE_NOT_FOUND'],
  })
  async access(@CurrentActor() actor: AccountActor, @Segment('node') node: string) {
    return success('Node access fetched successfully', presentRights(await this.reader.rights(actor, spotOf(node))));
  }
}
