import type { WebSocket } from 'ws';

import type { Client } from '#libs/kernel';
import type { RoomEvent, RoomMember } from '#libs/rooms';

import { presentEvent } from './event.presenter.js';
import { closing, failedCompletion, handshakeAnswer, invocation, ping, readRecords } from './protocol.js';

/** Clients say something every 15 s; one that has not for so long is gone. */
const SILENT_MS = 45_000;
const HANDSHAKE_MS = 15_000;
const MAX_BUFFERED_BYTES = 1024 * 1024;
/** Clients have nothing to say but that they are there; more records than this between two beats are of none. */
const MAX_RECORDS = 200;
const CLOSE_NORMAL = 1000;
const CLOSE_RESTART = 1012;

/** One websocket of a member, and how far he has been told. */
export class HubConnection {
  private ready = false;
  private records = 0;
  private heardAtMs = performance.now();
  private readonly openedAtMs = performance.now();

  constructor(
    private readonly socket: WebSocket,
    readonly member: RoomMember,
    readonly client: Client,
    /** Number of the newest event that he has been told, or that was there before him. */
    public seq: number,
    /** He is ready to be told. */
    private readonly onReady: () => void,
  ) {
    socket.on('message', (data, isBinary) => this.take(isBinary ? null : (data as Buffer).toString()));
    // a broken connection closes; there is nothing else to do about it
    socket.on('error', () => socket.terminate());
  }

  /** True when events can be sent. */
  get isReady(): boolean {
    return this.ready && this.socket.readyState === this.socket.OPEN;
  }

  /** Tells an event that is new to him; one by which his place is over is the last. */
  tell(event: RoomEvent): void {
    if (event.seq <= this.seq || !this.isReady) return;
    this.seq = event.seq;
    this.say(event);
    const isEnd = event.type === 'room-expired' || event.type === 'room-destroyed';
    if (isEnd || (event.type === 'member-left' && event.data['id'] === this.member.id)) this.end(false);
  }

  /** The time of the room is over; said from here, because the row may say so later. */
  expire(): void {
    if (this.isReady) this.say({ roomId: this.member.roomId, type: 'room-expired', data: {} });
    this.end(false);
  }

  /** Closes in order. */
  end(allowReconnect: boolean, error?: string): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    if (this.ready) this.socket.send(closing(allowReconnect, error));
    this.ready = false;
    this.socket.close(allowReconnect ? CLOSE_RESTART : CLOSE_NORMAL);
  }

  /** Once in a while: says that the house is there, and ends what is dead or takes nothing. */
  beat(): void {
    const nowMs = performance.now();
    const isDead = nowMs - this.heardAtMs > SILENT_MS || (!this.ready && nowMs - this.openedAtMs > HANDSHAKE_MS);
    if (isDead || this.socket.bufferedAmount > MAX_BUFFERED_BYTES) return this.socket.terminate();
    this.records = 0;
    if (this.isReady) this.socket.send(ping());
  }

  terminate(): void {
    this.socket.terminate();
  }

  private say(event: Pick<RoomEvent, 'roomId' | 'type' | 'data'>): void {
    const payload = presentEvent(event);
    this.socket.send(invocation(payload.eventType, payload));
  }

  private take(text: string | null): void {
    this.heardAtMs = performance.now();
    const records = text === null ? null : readRecords(text);
    if (records === null) return this.end(false, 'This hub reads the JSON protocol.');
    for (const record of records) {
      if (++this.records > MAX_RECORDS) return this.end(false, 'Too many messages.');
      if (!this.ready) {
        if (record.kind !== 'handshake' || record.protocol !== 'json' || record.version !== 1) return this.refuse();
        this.ready = true;
        this.socket.send(handshakeAnswer());
        this.onReady();
      } else if (record.kind === 'invocation' && record.invocationId !== null) {
        this.socket.send(failedCompletion(record.invocationId, 'This hub has no such method.'));
      } else if (record.kind === 'close') this.socket.close(CLOSE_NORMAL);
    }
  }

  private refuse(): void {
    if (this.socket.readyState !== this.socket.OPEN) return;
    this.socket.send(handshakeAnswer('This hub speaks the protocol "json", version 1.'));
    this.socket.close(CLOSE_NORMAL);
  }
}
