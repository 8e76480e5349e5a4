import { type EventFilter, EventLogService, Feed, NoticeService, type NoticeView, SocketCheck, SubscribeTickets } from '#libs/events';
import { type AccountActor, Clock } from '#libs/kernel';

import { CloudikeController, CurrentActor, ok, OptionalActor, Params, Route } from '../http/index.js';
import { presentTask } from '../presenters/task.presenter.js';
import { EventPresenter } from './event.presenter.js';
import { EventFilterDto, EventListDto, NoticeListDto } from './events.dto.js';

const DAY_MS = 24 * 3_600_000;
const DEFAULT_LIMIT = 20;

@CloudikeController('events')
export class EventsController {
  constructor(
    private readonly feed: Feed,
    private readonly logs: EventLogService,
    private readonly notices: NoticeService,
    private readonly tickets: SubscribeTickets,
    private readonly sockets: SocketCheck,
    private readonly presenter: EventPresenter,
    private readonly clock: Clock,
  ) {}

  @Route('events', { auth: 'account', summary: 'What happened, newest first' })
  async list(@CurrentActor() { accountId }: AccountActor, @Params(EventListDto) params: EventListDto) {
    const page = { skip: params.skip ?? 0, limit: params.limit ?? DEFAULT_LIMIT, ...filterOf(params, this.clock.nowMs()) };
    return this.presenter.present(await this.feed.list(accountId, page));
  }

  @Route('events_len', { auth: 'account', summary: 'How many events a filter finds' })
  async count(@CurrentActor() { accountId }: AccountActor, @Params(EventFilterDto) params: EventFilterDto) {
    return { total: await this.feed.count(accountId, filterOf(params, this.clock.nowMs())) };
  }

  @Route('get_log_file', { auth: 'account', head: false, summary: 'Events as a CSV file, made in the background' })
  async logFile(@CurrentActor() actor: AccountActor, @Params(EventFilterDto) params: EventFilterDto) {
    return presentTask(await this.logs.start(actor, filterOf(params, this.clock.nowMs())));
  }

  @Route('notices', { auth: 'account', audit: 'derived', head: false, summary: 'Notices for the caller, newest first' })
  async noticeList(@CurrentActor() actor: AccountActor, @Params(NoticeListDto) { type, behavior, status }: NoticeListDto) {
    const filter = { ...(type ? { type } : {}), ...(behavior ? { behavior } : {}), ...(status ? { status } : {}) };
    return (await this.notices.list(actor, filter)).map((notice) => presentNotice(actor.accountId, notice));
  }

  @Route('check_ws', { auth: 'optional', summary: "Push a test event to the caller's websockets" })
  check(@OptionalActor() actor: AccountActor | null) {
    if (actor) this.sockets.start(actor.accountId);
    return ok(actor ? 'A test event is on its way to your websockets' : 'The service works; with a token a test event is pushed');
  }

  @Route('subscribe/ticket', {
    auth: 'account',
    audit: 'derived',
    head: false,
    summary: 'A ticket that opens one websocket at /subscribe/?ticket=, good once within 30 seconds',
  })
  async ticket(@CurrentActor() actor: AccountActor) {
    const { ticket, expiresMs } = await this.tickets.issue(actor);
    return { ticket, expires: expiresMs };
  }
}

function filterOf({ type, person, fromTimestamp, toTimestamp, period }: EventFilterDto, nowMs: number): EventFilter {
  const types = type?.filter((name) => name !== '') ?? [];
  const fromMs = period ? Math.max(fromTimestamp ?? 0, nowMs - period * DAY_MS) : fromTimestamp;
  return {
    ...(types.length === 0 ? {} : { types }),
    ...(person ? { person } : {}),
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(toTimestamp === undefined ? {} : { toMs: toTimestamp }),
  };
}

function presentNotice(accountId: number, notice: NoticeView) {
  return {
    status: notice.status,
    hash: notice.hash,
    timestamp: notice.createdMs,
    init_notice_user_name: notice.actorName,
    init_notice_user_id: notice.actorId,
    path: notice.path,
    user_id: accountId,
    modified: notice.modifiedMs,
    behavior: notice.behavior,
    text: notice.text,
    action: notice.action,
    type: notice.type,
  };
}
