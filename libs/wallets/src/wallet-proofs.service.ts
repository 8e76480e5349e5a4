import { createHmac, randomInt, timingSafeEqual } from 'node:crypto';

import { Injectable } from '@nestjs/common';

import { AddressLimit } from '#libs/accounts';
import { AppConfig } from '#libs/config';
import { Clock, DomainError, isUuid, newId } from '#libs/kernel';

import { type WalletProof, WalletProofRepository } from './repositories/wallet-proof.repository.js';
import { signerOf, walletAddress } from './signatures.js';

/** How long a text may be signed, and how long what was proven by it is good; a proof outlives its text, so that no text proves anything twice. */
const MESSAGE_MS = 5 * 60_000;
const PROOF_MS = 15 * 60_000;
/** 48 bits, which every client can keep in a number. */
const NONCES = 2 ** 48 - 1;
const MESSAGE = /\nNonce: (\d{1,15})\nIssued at: (\S{24})\nSeal: ([\w-]{43})$/;

/** A text to sign with a wallet. */
export interface WalletChallenge {
  readonly nonce: number;
  readonly message: string;
}

/** Finds out whose wallet somebody has, by a signature of a text of ours. Asking for a text leaves nothing behind: the text carries a seal. */
@Injectable()
export class WalletProofs {
  private readonly key: Buffer;
  private readonly origin: string;

  constructor(
    private readonly proofs: WalletProofRepository,
    private readonly addresses: AddressLimit,
    private readonly clock: Clock,
    config: AppConfig,
  ) {
    this.key = createHmac('sha256', config.secretKey).update('wallet challenges 1').digest();
    this.origin = new URL(config.http.publicUrl).origin;
  }

  /** A new text, good for five minutes. */
  challenge(): WalletChallenge {
    const nonce = randomInt(1, NONCES);
    return { nonce, message: this.messageOf(nonce, this.clock.now().toISOString()) };
  }

  /** The proof, good for 15 minutes, that a wallet of this address signed a text of ours. INVALID_ARGUMENT for anything else, and for a text that was used; RATE_LIMITED. Not inside of a transaction. */
  async verify(
    shown: { readonly address: unknown; readonly message: unknown; readonly signature: unknown },
    clientAddress: string,
  ): Promise<WalletProof> {
    const address = walletAddress(shown.address);
    if (address === null) throw invalid('This is not the address of a wallet.');
    const { message, signature } = shown;
    if (typeof message !== 'string' || typeof signature !== 'string') throw invalid('The message and its signature must be texts.');
    const [, digits = '', issued = ''] = MESSAGE.exec(message) ?? [];
    const nonce = Number(digits);
    const given = Buffer.from(message);
    const ours = Buffer.from(this.messageOf(nonce, issued));
    if (digits === '' || given.length !== ours.length || !timingSafeEqual(given, ours)) throw invalid('This is not a message of ours.');
    const nowMs = this.clock.nowMs();
    if (nowMs - Date.parse(issued) >= MESSAGE_MS) throw invalid('The message has ended; ask for another one.');
    if (signerOf(message, signature) !== address) throw invalid('The signature is not that of this wallet.');
    await this.addresses.take('wallet-proof', clientAddress);
    const proof = { id: newId(nowMs), address, expiresAt: new Date(nowMs + PROOF_MS) };
    if (!(await this.proofs.insert(proof, nonce, new Date(nowMs)))) throw invalid('The message was used already; ask for another one.');
    return proof;
  }

  /** A proof that is still good. UNAUTHENTICATED. */
  async find(id: string): Promise<WalletProof> {
    const proof = isUuid(id) ? await this.proofs.find(id, this.clock.now()) : null;
    if (proof === null) throw new DomainError('UNAUTHENTICATED', 'Prove first that the wallet is yours: the token is missing, wrong or has ended.');
    return proof;
  }

  private messageOf(nonce: number, issued: string): string {
    const seal = createHmac('sha256', this.key).update(`${nonce}\0${issued}`).digest('base64url');
    return `${this.origin} asks you to show that this wallet is yours. This costs nothing and moves nothing.\n\nNonce: ${nonce}\nIssued at: ${issued}\nSeal: ${seal}`;
  }
}

function invalid(message: string): DomainError {
  return new DomainError('INVALID_ARGUMENT', message);
}
